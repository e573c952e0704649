//! What is done about a node that differs: it is put right, or left, and why. It changes nothing on the host; `look` does, by this rule.

use crate::memory::Memory;
use crate::settings::{Delicate, Settings};
use crate::source::Site;
use agent::session::{Login, delicate};
use model::{Because, HostPath, Node, OnDrift, Plan, PlannedNode, Thing};
use std::collections::BTreeSet;

/// Why a node is left as it is; `None` where it is put right. Whatever was seen even before goes back to what it was: that was
/// confirmed then, or never could lock anybody out. What is new and could, waits for somebody who would notice.
pub fn left(
    node: &PlannedNode,
    site: &Site,
    memory: &Memory,
    (settings, now): (&Settings, u64),
) -> Option<String> {
    let desired = site.work.catalog.position(&node.id).and_then(|at| site.work.catalog.nodes().get(at))?;
    match node.because.unwrap_or(Because::Unknown) {
        Because::Drift | Because::Follows
            if desired.common.on_drift.unwrap_or(settings.mode) == OnDrift::Observe =>
        {
            Some("it is only observed".to_owned())
        }
        Because::Drift | Because::Follows if !memory.breaker.allows(&node.id, now) => {
            Some("it is fought over".to_owned())
        }
        Because::Drift | Because::Follows => None,
        // It may be drift, and that is not to be put right.
        Because::Unknown if desired.common.on_drift == Some(OnDrift::Observe) => {
            Some("it is only observed".to_owned())
        }
        Because::Intended | Because::Unknown if settings.mode == OnDrift::Observe => {
            Some("the host is only observed".to_owned())
        }
        Because::Intended | Because::Unknown if settings.delicate == Delicate::Hold => {
            let words = could_lock_out(node, desired, site);
            (!words.is_empty()).then(|| {
                format!(
                    "it could lock people out ({}), and nobody is there to confirm it: apply it",
                    words.join(", ")
                )
            })
        }
        Because::Intended | Because::Unknown => None,
    }
}

fn could_lock_out(node: &PlannedNode, desired: &Node, site: &Site) -> Vec<String> {
    let plan = Plan { nodes: vec![node.clone()], ..Plan::default() };
    // Who will come is not known here; root stands for them.
    let login = Login { user: "root".to_owned(), home: HostPath::new("/root").ok(), groups: BTreeSet::new() };
    match claims(desired, site) {
        Ok(claims) => delicate(&plan, &[claims], &login),
        // What could not be told is not harmless.
        Err(why) => vec![why],
    }
}

fn claims(node: &Node, site: &Site) -> Result<Vec<Thing>, String> {
    let params = node.resolved(&site.secrets).map_err(|error| error.to_string())?;
    let kind = agent::kinds::LIVE.iter().find(|kind| kind.word() == node.id.kind());
    let kind = kind.ok_or_else(|| format!("there is no kind {}", node.id.kind()))?;
    let resource = kind.decode(node.id.name(), &params).map_err(|_| "it cannot be decoded".to_owned())?;
    Ok(resource.owns().into_iter().map(|claim| claim.thing).collect())
}
