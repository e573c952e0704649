//! What a host is asked to do: one order a connection.

use model::{Catalog, Content, Digest};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// One piece of work for one host.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// Show what would be done.
    Plan(Work),
    /// Do it, after a yes.
    Apply(Work),
    /// Do it in a throwaway copy of the host.
    Rehearse(Work),
    /// Bring back what a run changed.
    Rollback {
        /// The run; the last one where it is `None`.
        run: Option<u64>,
        /// Also what somebody changed since.
        force: bool,
        /// Only show what would be done.
        forecast: bool,
    },
    /// List the runs.
    History,
    /// Tell one run op by op.
    Show {
        /// The run; the last one where it is `None`.
        run: Option<u64>,
    },
    /// Nothing but the facts, which have been said by then.
    Facts,
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
}

impl Order {
    /// The catalog and its choice, where the order has one.
    pub fn work(&self) -> Option<&Work> {
        match self {
            Self::Plan(work) | Self::Apply(work) | Self::Rehearse(work) => Some(work),
            Self::Rollback { .. } | Self::History | Self::Show { .. } | Self::Facts => None,
        }
    }

    /// True where a host may ask before it goes on, and change itself after a yes.
    pub fn may_change(&self) -> bool {
        matches!(self, Self::Apply(_) | Self::Rollback { forecast: false, .. })
    }
}

impl Work {
    /// Digests and sizes of the stored contents that the catalog names: what a host may want, and nothing else.
    pub fn contents(&self) -> BTreeMap<Digest, u64> {
        self.catalog.nodes().iter().flat_map(|node| Content::all_referred(&node.params)).collect()
    }
}
