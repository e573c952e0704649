//! What a run's records amount to. One pure function, `Status::next`, serves recovery, rollback and display alike.

use crate::record::{Begin, JOURNAL_VERSION, Record, Resumed};
use crate::{Fingerprint, Id, Op, Owed, Report, State, Subject};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// An op of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Act {
    /// For which nodes.
    pub nodes: Vec<Id>,
    /// What.
    pub op: Op,
    /// Before-images.
    pub before: Vec<(Subject, State)>,
    /// Of a transaction of packages: all of them as they were, by name, kept as JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub packages: Option<Fingerprint>,
    /// How far it came.
    pub outcome: Outcome,
}

/// How far an op came.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Announced, and nothing more is known: the run was cut off there.
    Open,
    /// Done, with after-images, and what else changed with before- and after-images.
    Done(Vec<(Subject, State)>, Vec<(Subject, State, State)>),
    /// Failed, with why, and with what changed all the same.
    Failed(String, Vec<(Subject, State, State)>),
}

/// The state of a run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// What the run is; `None` before the first record.
    pub begin: Option<Begin>,
    /// The ops, by number.
    pub acts: BTreeMap<u64, Act>,
    /// Notifications that have not been answered.
    pub owed: BTreeSet<Owed>,
    /// The reboots after which the run went on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resumed: Vec<Resumed>,
    /// The sum, where the run ended by itself.
    pub end: Option<Report>,
}

/// A record that cannot follow the ones before it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the journal is out of order: {0}")]
pub struct Misplaced(String);

impl Status {
    /// Takes one more record. Depends on nothing but the two; a record that is misplaced changes nothing.
    pub fn next(&mut self, record: Record) -> Result<(), Misplaced> {
        let wrong = |why: String| Err(Misplaced(why));
        if self.end.is_some() {
            return wrong("a record after the end".to_owned());
        }
        match (record, self.begin.is_some()) {
            (Record::Begin(begin), false) if begin.version > JOURNAL_VERSION => {
                return wrong(format!("version {} is newer than {JOURNAL_VERSION}", begin.version));
            }
            (Record::Begin(begin), false) => self.begin = Some(begin),
            (Record::Begin(_), true) => return wrong("a second beginning".to_owned()),
            (_, false) => return wrong("no beginning".to_owned()),
            (Record::Owed(owed), true) => {
                self.owed.insert(owed);
            }
            (Record::Settled(owed), true) => {
                self.owed.remove(&owed);
            }
            (Record::Intent { seq, .. }, true) if self.acts.contains_key(&seq) => {
                return wrong(format!("op {seq} announced twice"));
            }
            (Record::Intent { seq, nodes, op, before, packages }, true) => {
                self.acts.insert(seq, Act { nodes, op: *op, before, packages, outcome: Outcome::Open });
            }
            (Record::Done { seq, after, touched }, true) => {
                self.settle(seq, Outcome::Done(after, touched))?
            }
            (Record::Failed { seq, because, touched }, true) => {
                self.settle(seq, Outcome::Failed(because, touched))?;
            }
            (Record::Resumed(resumed), true) => self.resumed.push(resumed),
            (Record::End(report), true) => self.end = Some(report),
        }
        Ok(())
    }

    fn settle(&mut self, seq: u64, outcome: Outcome) -> Result<(), Misplaced> {
        match self.acts.get_mut(&seq) {
            Some(act) if act.outcome == Outcome::Open => {
                act.outcome = outcome;
                Ok(())
            }
            Some(_) => Err(Misplaced(format!("op {seq} settled twice"))),
            None => Err(Misplaced(format!("op {seq} settled and never announced"))),
        }
    }

    /// Folds records; stops with the error of the first that is misplaced.
    pub fn of(records: impl IntoIterator<Item = Record>) -> Result<Self, Misplaced> {
        let mut status = Self::default();
        records.into_iter().try_for_each(|record| status.next(record))?;
        Ok(status)
    }

    /// How many ops were done.
    pub fn done(&self) -> usize {
        self.acts.values().filter(|act| matches!(act.outcome, Outcome::Done(..))).count()
    }

    /// Boot id of the kernel under which the last records were written; empty before the run begins.
    pub fn boot(&self) -> &str {
        let first = self.begin.as_ref().map_or("", |begin| begin.boot.as_str());
        self.resumed.last().map_or(first, |resumed| resumed.boot.as_str())
    }

    /// Number of the run; 0 before it begins.
    pub fn run(&self) -> u64 {
        self.begin.as_ref().map_or(0, |begin| begin.run)
    }
}

/// One line of a host's history.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunSummary {
    /// What the run was.
    pub begin: Begin,
    /// How many ops it did.
    pub done: u64,
    /// After how many reboots it went on.
    #[serde(default)]
    pub reboots: u64,
    /// Its sum; `None` where it was cut off, or is under way.
    pub end: Option<Report>,
    /// What is wrong with the rest of its journal, as a sentence for the operator; of a run of which not even the beginning can be read, that has
    /// no more than its number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub damage: Option<String>,
    /// What became of it.
    #[serde(default, skip_serializing_if = "Aftermath::is_nothing")]
    pub after: Aftermath,
}

impl RunSummary {
    /// True where all is told that there is to tell.
    pub fn is_whole(&self) -> bool {
        self.damage.is_none() && self.after.unclear.is_none()
    }
}

/// What became of what a run did, after its end.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Aftermath {
    /// It is undone unless it is confirmed.
    pub waits: bool,
    /// How that was settled; `None` where it still waits, or nobody had to confirm it.
    pub settled: Option<Settled>,
    /// Who brought it back.
    pub undone: Option<Undone>,
    /// Why it cannot be told whether it waits, or how that was settled; `None` where it can.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unclear: Option<String>,
}

impl Aftermath {
    /// True where nothing came after the run's end.
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

/// What became of a run that waited to be confirmed, or was undone because it failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Settled {
    /// It stays.
    Confirmed,
    /// All that it did was unwound; why.
    Reverted(String),
    /// It was to be unwound, and not all of it could be; in words, what is left.
    Stuck(String),
}

/// A run that was rolled back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Undone {
    /// By which run.
    pub by: u64,
    /// False where not all of it came back.
    pub whole: bool,
}
