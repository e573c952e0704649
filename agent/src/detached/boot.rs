//! What is done at boot: what the end of the machine's last uptime interrupted goes on.

use super::boot_unit::BootUnit;
use super::posted::Posted;
use crate::state::StateDir;
use model::Failure;

/// Goes on with what the last uptime left, and sees to it that nothing is started at the next boot that nobody needs.
pub(super) fn play(state: &StateDir) -> Result<(), Failure> {
    if let Some(pending) = state.pending()? {
        Posted::of(state).start(pending.run)?;
    }
    BootUnit::of(state).release()
}
