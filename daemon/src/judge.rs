//! What is done about a node that differs, and what is made of a look afterwards: what is told, remembered and left. It changes nothing
//! on the host; `check` does, by the rule that is made here.

use crate::check::{Checked, NodeEnd};
use crate::memory::{Drift, Memory};
use crate::report::What;
use crate::settings::{Delicate, Settings};
use crate::source::Site;
use crate::status::{OpenFight, Status};
use crate::watch::writers::Writers;
use agent::session::{Login, delicate};
use model::{Because, Catalog, HostPath, Id, Node, NodeStatus, OnDrift, Plan, PlannedNode, Thing};
use std::collections::BTreeSet;
use std::path::Path;

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

/// What a look is written down in.
pub struct Books<'a> {
    /// What is remembered.
    pub memory: &'a mut Memory,
    /// How the agent is.
    pub status: &'a mut Status,
    /// What it is set to.
    pub settings: &'a Settings,
    /// Who writes to files that are corrected again and again.
    pub writers: &'a Writers,
}

/// When it is: for people, and in seconds since 1970.
#[derive(Clone, Copy)]
pub struct Now<'a> {
    /// RFC 3339 in UTC.
    pub text: &'a str,
    /// Seconds since 1970.
    pub seconds: u64,
}

impl Books<'_> {
    /// Writes down what came of looking at `nodes`, and says what is to be told.
    pub fn enter(
        &mut self,
        catalog: &Catalog,
        nodes: &[usize],
        checked: &Checked,
        now: Now<'_>,
    ) -> Vec<What> {
        let mut told = Vec::new();
        for node in nodes.iter().filter_map(|at| catalog.nodes().get(*at)) {
            let because = checked.because_of(&node.id);
            if let Some(why) = checked.left.get(&node.id) {
                told.extend(self.is_left(node, (because, why), (checked, now)));
            } else if checked.is_even(&node.id) {
                told.extend(self.is_even(node, because, (checked, now)));
            } else if let Some(why) = trouble(&node.id, checked) {
                let known = self.status.failing.insert(node.id.clone(), why.clone());
                if known.as_ref() != Some(&why) {
                    told.push(What::Failed { id: node.id.clone(), why });
                }
                // One that somebody changes faster than it can be looked at again is fought over no less.
                if because == Because::Drift && checked.ended.contains_key(&node.id) {
                    told.extend(self.count(&node.id, now));
                }
            }
        }
        let over = self.memory.breaker.settle(&self.settings.fights, now.seconds);
        told.extend(over.into_iter().map(|id| What::FightOver { id }));
        self.status.drift = self.memory.drift.clone();
        let open: BTreeSet<&Id> = self.memory.breaker.open(now.seconds).map(|(id, _)| id).collect();
        self.status.fights.retain(|id, _| open.contains(id));
        told
    }

    fn is_left(
        &mut self,
        node: &Node,
        (because, why): (Because, &str),
        (checked, now): (&Checked, Now<'_>),
    ) -> Option<What> {
        let id = node.id.clone();
        if because == Because::Follows {
            // It is as desired; what it would follow is left as well.
            return None;
        }
        if because != Because::Drift {
            let known = self.status.held.insert(id.clone(), why.to_owned());
            return (known.as_deref() != Some(why)).then(|| What::Held { id, left: why.to_owned() });
        }
        let changes = checked.differing.get(&id).cloned().unwrap_or_default();
        let known = self.memory.drift.get(&id);
        let since = known.map_or_else(|| now.text.to_owned(), |known| known.since.clone());
        let drift = Drift { since, changes: changes.clone(), left: why.to_owned() };
        if known == Some(&drift) {
            return None;
        }
        self.memory.drift.insert(id.clone(), drift);
        Some(What::Drift { id, changes, left: why.to_owned() })
    }

    fn is_even(&mut self, node: &Node, because: Because, (checked, now): (&Checked, Now<'_>)) -> Vec<What> {
        let id = node.id.clone();
        let was_known = self.memory.drift.contains_key(&id);
        let had_failed = self.status.failing.remove(&id).is_some();
        self.status.held.remove(&id);
        self.memory.drift.remove(&id);
        let Some(changes) = checked.ended.get(&id).and_then(corrected) else {
            let is_news = was_known || had_failed;
            return is_news.then_some(What::Even { id }).into_iter().collect();
        };
        let run = checked.report.run.clone();
        let mut told = vec![What::Corrected { id: id.clone(), because, changes, run }];
        if because == Because::Drift {
            self.status.corrections += 1;
            told.extend(self.count(&id, now));
        }
        told
    }

    /// Counts a correction; tells where it was one too many.
    fn count(&mut self, id: &Id, now: Now<'_>) -> Option<What> {
        let fight = self.memory.breaker.corrected(id, &self.settings.fights, now.seconds)?;
        let until = time(fight.until);
        let other = self.writers.who(Path::new(id.name()));
        let other = other.unwrap_or("who the other side is cannot be told").to_owned();
        let open = OpenFight { until: until.clone(), other: other.clone() };
        self.status.fights.insert(id.clone(), open);
        Some(What::Fight { id: id.clone(), corrections: fight.corrections, until, other })
    }
}

/// What was done to a node that was put right; `None` where nothing was.
fn corrected(end: &NodeEnd) -> Option<Vec<String>> {
    matches!(end.status, NodeStatus::Changed | NodeStatus::Refreshed).then(|| end.changes.clone())
}

fn trouble(id: &Id, checked: &Checked) -> Option<String> {
    let ended = checked.ended.get(id).map(|end| end.because.clone()).filter(|why| !why.is_empty());
    ended.or_else(|| checked.failed.get(id).cloned())
}

/// Seconds since 1970 as RFC 3339 in UTC.
pub fn time(seconds: u64) -> String {
    let time = jiff::Timestamp::from_second(i64::try_from(seconds).unwrap_or(i64::MAX));
    time.map_or_else(|_| "never".to_owned(), |time| time.to_string())
}
