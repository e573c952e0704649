//! What is made of a look: what is told of it, remembered, and written down as how the agent is. It looks at nothing itself.

use crate::look::{Looked, NodeEnd};
use crate::memory::{Drift, Memory, OpenFight};
use crate::report::What;
use crate::settings::Settings;
use crate::status::Status;
use crate::watch::writers::Writers;
use model::{Because, Catalog, Id, Node, NodeStatus};
use std::collections::BTreeSet;
use std::path::Path;

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
    pub fn enter(&mut self, catalog: &Catalog, nodes: &[usize], looked: &Looked, now: Now<'_>) -> Vec<What> {
        let mut told = Vec::new();
        for node in nodes.iter().filter_map(|at| catalog.nodes().get(*at)) {
            let because = looked.because_of(&node.id);
            if let Some(why) = looked.left.get(&node.id) {
                told.extend(self.is_left(node, (because, why), (looked, now)));
            } else if looked.is_even(&node.id) {
                told.extend(self.is_even(node, because, (looked, now)));
            } else if let Some(why) = trouble(&node.id, looked) {
                let known = self.status.failing.insert(node.id.clone(), why.clone());
                if known.as_ref() != Some(&why) {
                    told.push(What::Failed { id: node.id.clone(), why });
                }
                // One that somebody changes faster than it can be looked at again is fought over no less.
                if because == Because::Drift && looked.ended.contains_key(&node.id) {
                    told.extend(self.count(&node.id, now));
                }
            }
        }
        for (id, why) in looked.left.iter().filter(|(id, _)| catalog.position(id).is_none()) {
            told.extend(self.is_held(id, why));
        }
        let over = self.memory.breaker.settle(&self.settings.fights, now.seconds);
        told.extend(over.into_iter().map(|id| What::FightOver { id }));
        let open: BTreeSet<&Id> = self.memory.breaker.open(now.seconds).map(|(id, _)| id).collect();
        self.memory.fights.retain(|id, _| open.contains(id));
        self.status.recall(self.memory);
        told
    }

    fn is_left(
        &mut self,
        node: &Node,
        (because, why): (Because, &str),
        (looked, now): (&Looked, Now<'_>),
    ) -> Option<What> {
        let id = node.id.clone();
        self.status.failing.remove(&id);
        if because == Because::Follows {
            // It is as desired; what it would follow is left as well.
            return None;
        }
        if because != Because::Drift {
            return self.is_held(&id, why);
        }
        let changes = looked.differing.get(&id).cloned().unwrap_or_default();
        let known = self.memory.drift.get(&id);
        let since = known.map_or_else(|| now.text.to_owned(), |known| known.since.clone());
        let drift = Drift { since, changes: changes.clone(), left: why.to_owned() };
        if known == Some(&drift) {
            return None;
        }
        self.memory.drift.insert(id.clone(), drift);
        Some(What::Drift { id, changes, left: why.to_owned() })
    }

    fn is_held(&mut self, id: &Id, why: &str) -> Option<What> {
        let known = self.status.held.insert(id.clone(), why.to_owned());
        (known.as_deref() != Some(why)).then(|| What::Held { id: id.clone(), left: why.to_owned() })
    }

    fn is_even(&mut self, node: &Node, because: Because, (looked, now): (&Looked, Now<'_>)) -> Vec<What> {
        let id = node.id.clone();
        let was_known = self.memory.drift.contains_key(&id);
        let had_failed = self.status.failing.remove(&id).is_some();
        self.status.held.remove(&id);
        self.memory.drift.remove(&id);
        let Some(changes) = looked.ended.get(&id).and_then(corrected) else {
            let is_news = was_known || had_failed;
            return is_news.then_some(What::Even { id }).into_iter().collect();
        };
        let run = looked.report.run.clone();
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
        let other = other.unwrap_or_else(|why| format!("who the other side is cannot be told{why}"));
        let open = OpenFight { until: until.clone(), other: other.clone() };
        self.memory.fights.insert(id.clone(), open);
        Some(What::Fight { id: id.clone(), corrections: fight.corrections, until, other })
    }
}

/// What was done to a node that was put right; `None` where nothing was.
fn corrected(end: &NodeEnd) -> Option<Vec<String>> {
    matches!(end.status, NodeStatus::Changed | NodeStatus::Refreshed).then(|| end.changes.clone())
}

fn trouble(id: &Id, looked: &Looked) -> Option<String> {
    let ended = looked.ended.get(id).map(|end| end.because.clone()).filter(|why| !why.is_empty());
    ended.or_else(|| looked.failed.get(id).cloned())
}

/// Seconds since 1970 as RFC 3339 in UTC.
pub fn time(seconds: u64) -> String {
    let time = jiff::Timestamp::from_second(i64::try_from(seconds).unwrap_or(i64::MAX));
    time.map_or_else(|_| "never".to_owned(), |time| time.to_string())
}
