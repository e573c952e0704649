//! What one conversation is for. It must not know what follows from its end.

use crate::push::Progress;
use wire::Order;

/// What is asked of the host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Task {
    /// What the controller wants of it.
    Wanted,
    /// The events of a run, from the first that has not been seen.
    Attach {
        /// The run; the last one where it is `None`.
        run: Option<u64>,
        /// The first event that is wanted.
        from: u64,
    },
    /// To keep what this run did.
    Confirm(u64),
}

impl Task {
    /// To hear on of the run that `progress` has seen.
    pub fn attach(progress: &Progress<'_>) -> Self {
        let (run, from) = progress.attachment();
        Self::Attach { run, from }
    }

    /// The order, where it needs nobody to make it.
    pub fn own_order(&self) -> Option<Order> {
        match self {
            Self::Wanted => None,
            Self::Attach { run, from } => Some(Order::Attach { run: *run, from: *from }),
            Self::Confirm(run) => Some(Order::Confirm { run: *run }),
        }
    }
}
