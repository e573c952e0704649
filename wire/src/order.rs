//! What a host is asked to do: one order a connection.

use model::{Catalog, CheckSpec, Content, Digest, Fault, SoftLock};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// One piece of work for one host.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// Show what would be done.
    Plan(Work),
    /// Tell what somebody else changed since it was applied, when, and by whom.
    Drift(Work),
    /// Do it, after a yes.
    Apply(Work),
    /// Do it in a throwaway copy of the host.
    Rehearse(Work),
    /// Bring back what runs changed.
    Rollback(Rollback),
    /// Tell the events of a run, those to come as well, until it has ended.
    Attach {
        /// The run; the one under way, or else the last one, where it is `None`.
        run: Option<u64>,
        /// The first event that is wanted, by its number.
        from: u64,
    },
    /// The host is still in reach after this run, over a connection of its own: keep what it did.
    Confirm {
        /// The run.
        run: u64,
    },
    /// Keep everybody from changing the host, or a part of it.
    Lock(SoftLock),
    /// Let everybody change it again.
    Unlock {
        /// The lock of this part; all locks where it is `None`.
        resource: Option<String>,
    },
    /// List the locks.
    Locks,
    /// Tell how the agent is that keeps the host.
    Keeping,
    /// Tell its settings as they are written.
    Settings {
        /// Where they stand.
        path: String,
    },
    /// Have it change nothing for a while, and tell how it is.
    Pause(Pause),
    /// Have it go on, and tell how it is.
    Resume,
    /// List the runs.
    History,
    /// Tell one run op by op.
    Show {
        /// The run; the last one where it is `None`.
        run: Option<u64>,
    },
    /// Look whether these are so. Nothing is changed, no run is made, and no other run waits.
    Check(Vec<CheckSpec>),
    /// Put a fault on the host, which the host takes back by itself. There is no run and no question: a drill is a yes.
    Drill(Fault),
    /// Take back the fault that is there.
    EndDrill {
        /// The name of the drill that is meant. A fault of another one stays.
        name: String,
        /// Who wanted it.
        by: String,
    },
    /// Nothing but the facts, which have been said by then.
    Facts,
}

/// A pause of the agent that keeps a host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    /// Who wants it.
    pub by: String,
    /// Why.
    pub reason: String,
    /// Since when, RFC 3339 in UTC; the host's own clock.
    pub since: String,
    /// For how many seconds.
    pub seconds: u64,
}

/// A compiled catalog, and which part of it is meant. Its secrets and contents travel in messages of their own.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Work {
    /// What the host is to be.
    pub catalog: Catalog,
    /// Which source of catalogs this is; orphans are told apart by it.
    pub scope: String,
    /// Only resources with one of these tags; all where it is empty.
    pub only: BTreeSet<String>,
    /// Not resources with one of these tags.
    pub skip: BTreeSet<String>,
    /// What was asked for, in words, for the journal.
    pub command: String,
    /// How it is to be carried out.
    #[serde(default, skip_serializing_if = "Terms::is_default")]
    pub terms: Terms,
}

/// How a run is carried out. All of it has a harmless default.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Terms {
    /// How many seconds to wait for another run that has the host; `None` for not at all.
    pub wait: Option<u64>,
    /// How many seconds after its end the run waits for [`Order::Confirm`] before it is unwound. `None`: only a run that could lock the
    /// controller out waits, for [`CONFIRM_WITHIN`].
    pub confirm: Option<u64>,
    /// What becomes of a run in which something failed.
    pub on_failure: OnFailure,
    /// The user that the controller logs in as; `None` for work without a connection, which nobody can be locked out of.
    pub login: Option<String>,
    /// How many runs are kept, at least; `None` for the host's own number.
    pub keep_runs: Option<u64>,
    /// For how many days they are kept, at least.
    pub keep_days: Option<u64>,
    /// True where the catalog is a part of what its scope has on the host: what it leaves out is no orphan.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub is_part: bool,
    /// For how many seconds an agent that has left the host as it is waits for the first words of another controller, when it has said its last ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stay: Option<u64>,
}

impl Terms {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// What becomes of a run in which something failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnFailure {
    /// What was done stays.
    #[default]
    Keep,
    /// What was done is rolled back.
    Rollback,
}

/// So many seconds a run that could lock the controller out waits to be confirmed, unless told otherwise.
pub const CONFIRM_WITHIN: u64 = 60;

/// What to bring back.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rollback {
    /// Which runs.
    pub which: Which,
    /// Also what somebody changed since.
    pub force: bool,
    /// Only show what would be done.
    pub forecast: bool,
    /// How it is to be carried out.
    #[serde(default, skip_serializing_if = "Terms::is_default")]
    pub terms: Terms,
}

/// Which runs are rolled back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Which {
    /// The last one.
    #[default]
    Last,
    /// This one.
    One(u64),
    /// All after this one: the host comes back to where it was at its end.
    After(u64),
}

impl Order {
    /// The catalog and its choice, where the order has one.
    pub fn work(&self) -> Option<&Work> {
        match self {
            Self::Plan(work) | Self::Drift(work) | Self::Apply(work) | Self::Rehearse(work) => Some(work),
            Self::Rollback(_)
            | Self::Attach { .. }
            | Self::Confirm { .. }
            | Self::Lock(_)
            | Self::Unlock { .. }
            | Self::Locks
            | Self::Keeping
            | Self::Settings { .. }
            | Self::Pause(_)
            | Self::Resume
            | Self::History
            | Self::Show { .. }
            | Self::Check(_)
            | Self::Drill(_)
            | Self::EndDrill { .. }
            | Self::Facts => None,
        }
    }

    /// How it is to be carried out, where that can be said.
    pub fn terms_mut(&mut self) -> Option<&mut Terms> {
        match self {
            Self::Plan(work) | Self::Drift(work) | Self::Apply(work) | Self::Rehearse(work) => {
                Some(&mut work.terms)
            }
            Self::Rollback(rollback) => Some(&mut rollback.terms),
            _ => None,
        }
    }

    /// True where a host may ask before it goes on, and change itself after a yes.
    pub fn may_change(&self) -> bool {
        match self {
            Self::Apply(_) => true,
            Self::Rollback(rollback) => !rollback.forecast,
            _ => false,
        }
    }
}

impl Work {
    /// Digests and sizes of the stored contents that the catalog names: what a host may want, and nothing else.
    pub fn contents(&self) -> BTreeMap<Digest, u64> {
        self.catalog.nodes().iter().flat_map(|node| Content::all_referred(&node.params)).collect()
    }
}
