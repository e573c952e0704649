//! What has to be ready before a machine goes down in the middle of a run. The engine asks for it; `session` knows what the run needs.

use model::Failure;
use std::time::Duration;

/// Sees to it that a run goes on after a reboot.
pub trait Comeback: Sync {
    /// Makes all that the run needs to go on durable. The machine may take `patience` to go down, and again to be up.
    ///
    /// # Errors
    /// The run could not go on: the machine must not go down.
    fn prepare(&self, patience: Duration) -> Result<(), Failure>;

    /// The machine did not go down: nothing is to go on later.
    fn withdraw(&self);
}
