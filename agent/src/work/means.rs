//! What an order needs from outside. Who asked may be at the terminal of this machine, or at the other end of a pipe.

use crate::session::{Answer, Clock};
use crate::state::{StateDir, Watcher};
use model::{Digest, Failure, Plan, Secrets};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use wire::{Blobs, Reply};

/// Everything but the order itself.
pub struct Means<'a> {
    /// The secrets of the order's catalog.
    pub secrets: &'a Secrets,
    /// Its contents.
    pub blobs: Arc<dyn Blobs>,
    /// The host's state.
    pub state: &'a StateDir,
    /// Sees each event.
    pub watch: Watcher<'a>,
    /// Who asked.
    pub controller: &'a dyn Controller,
    /// The time.
    pub clock: Clock<'a>,
    /// Becomes true when the work is to stop at the next safe point.
    pub stop: &'a AtomicBool,
}

/// Who gave the order.
pub trait Controller {
    /// Has these contents, with their sizes in bytes, at hand until the order is done: nobody may be there to ask later.
    ///
    /// # Errors
    /// One of them cannot be had, or there is no room for it; nothing has changed, and nothing will.
    fn bring(&self, contents: &BTreeMap<Digest, u64>) -> Result<(), Failure>;

    /// Shall the plan be done? It has been told as an event. A yes is the commit point.
    ///
    /// # Errors
    /// There was no answer to be had; nothing has changed, and nothing will.
    fn ask(&self, plan: &Plan) -> Result<Answer, Failure>;

    /// Takes an answer that is no event.
    ///
    /// # Errors
    /// It could not be told.
    fn reply(&self, reply: Reply) -> Result<(), Failure>;

    /// True where a run that is only watched is to stop. To be gone is not to ask for that.
    fn wants_stop(&self) -> bool;
}
