//! What is done about a node that differs, or left the catalog: it is put right, or left, and why. It changes nothing on the host; `look` does, by this rule.

use crate::memory::Memory;
use crate::settings::{Delicate, Settings};
use crate::source::Site;
use agent::session::{Login, delicate};
use model::{Because, HostPath, Node, OnDrift, Orphan, Plan, PlannedNode, Thing};
use std::collections::BTreeSet;

/// Why nobody repairs what somebody brought back.
const ROLLED_BACK: &str = "it was rolled back: `keel apply` applies it again";

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
        Because::RolledBack => Some(ROLLED_BACK.to_owned()),
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
            match claims(desired, site) {
                Ok(claims) => held(Plan { nodes: vec![node.clone()], ..Plan::default() }, &[claims]),
                // What could not be told is not harmless.
                Err(why) => Some(could_lock_out(&[why])),
            }
        }
        Because::Intended | Because::Unknown => None,
    }
}

/// Why something that left the catalog is left on the host as well, where it is to be removed; `None` where it goes.
pub fn stays(orphan: &Orphan, settings: &Settings) -> Option<String> {
    let is_held = settings.delicate == Delicate::Hold;
    match orphan.is_rolled_back {
        _ if orphan.steps.is_empty() => None,
        true => Some(ROLLED_BACK.to_owned()),
        false if is_held => held(Plan { orphans: vec![orphan.clone()], ..Plan::default() }, &[]),
        false => None,
    }
}

/// Why a plan waits for somebody who would notice; `None` where nobody could be locked out by it.
fn held(plan: Plan, claims: &[Vec<Thing>]) -> Option<String> {
    // Who will come is not known here; root stands for them.
    let login = Login { user: "root".to_owned(), home: HostPath::new("/root").ok(), groups: BTreeSet::new() };
    let words = delicate(&plan, claims, &login);
    (!words.is_empty()).then(|| could_lock_out(&words))
}

fn could_lock_out(words: &[String]) -> String {
    format!("it could lock people out ({}), and nobody is there to confirm it: apply it", words.join(", "))
}

fn claims(node: &Node, site: &Site) -> Result<Vec<Thing>, String> {
    let params = node.resolved(&site.secrets).map_err(|error| error.to_string())?;
    let kind = agent::kinds::LIVE.iter().find(|kind| kind.word() == node.id.kind());
    let kind = kind.ok_or_else(|| format!("there is no kind {}", node.id.kind()))?;
    let resource = kind.decode(node.id.name(), &params).map_err(|_| "it cannot be decoded".to_owned())?;
    Ok(resource.owns().into_iter().map(|claim| claim.thing).collect())
}

#[cfg(test)]
mod tests {
    use super::{ROLLED_BACK, stays};
    use crate::settings::{self, Settings};
    use model::{HostPath, Id, Op, Orphan, Step};

    fn settings(text: &str) -> Settings {
        settings::read("x", &format!("{text}\n[source]\nfile = \"/x\"\n")).unwrap()
    }

    #[test]
    fn what_left_the_catalog_stays_where_nobody_should_remove_it_alone() {
        let orphan = |path: &str| {
            let step = Step::new(Op::Remove { path: HostPath::new(path).unwrap() });
            let (because, is_rolled_back) = (String::new(), false);
            Orphan { id: Id::new("file", path), steps: vec![step], because, is_rolled_back }
        };
        let (hold, apply) = (settings(""), settings("delicate = \"apply\""));
        let sudoers = orphan("/etc/sudoers.d/ops");
        assert!(stays(&sudoers, &hold).is_some_and(|why| why.contains("becoming root")));
        assert_eq!(stays(&sudoers, &apply), None);
        assert_eq!(stays(&orphan("/etc/motd"), &hold), None);
        let back = Orphan { is_rolled_back: true, ..orphan("/etc/motd") };
        assert_eq!(stays(&back, &apply).as_deref(), Some(ROLLED_BACK));
        assert_eq!(stays(&Orphan { steps: Vec::new(), ..back }, &apply), None, "nobody removes it");
    }
}
