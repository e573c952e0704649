//! What is done at boot: a run that the machine went down for goes on, then one that waits to be confirmed is watched over again.

use super::boot_unit::BootUnit;
use super::posted::Posted;
use crate::os::clock;
use crate::session::{Ended, resume};
use crate::state::StateDir;
use model::Failure;
use signal_hook::consts::{SIGINT, SIGTERM};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Goes on with what the last uptime left, and sees to it that nothing is started at the next boot that nobody needs.
pub(super) fn play(state: &StateDir) -> Result<(), Failure> {
    let resumed = go_on(state);
    // Whatever became of that: nobody stays locked out.
    if let Some(pending) = state.pending()? {
        Posted::of(state).start(pending.run)?;
    }
    BootUnit::of(state).release()?;
    resumed
}

fn go_on(state: &StateDir) -> Result<(), Failure> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        let registered = signal_hook::flag::register(signal, Arc::clone(&stop));
        registered.map_err(|error| Failure::io("handle", format!("signal {signal}"), error))?;
    }
    resume((state, &Posted::of(state)), &clock::now, &stop).map_err(|ended| match ended {
        Ended::Failed(failure) | Ended::Broken { failure, .. } => failure,
        Ended::Locked(_) | Ended::SoftLocked(_) | Ended::Declined(_) => {
            Failure::refused(ended.to_string(), "apply again when it is done")
        }
    })
}
