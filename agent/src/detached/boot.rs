//! What is done at boot: a run that waits to be confirmed is watched over again, and one that the machine went down for goes on.

use super::boot_unit::BootUnit;
use super::drill;
use super::posted::Posted;
use crate::os::child::Child;
use crate::os::clock;
use crate::session::{Ended, resume};
use crate::state::StateDir;
use model::Failure;
use signal_hook::consts::{SIGINT, SIGTERM};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

/// Goes on with what the last uptime left, and sees to it that nothing is started at the next boot that nobody needs.
pub(super) fn play(state: &StateDir) -> Result<(), Failure> {
    // A fault of the last uptime has no business in this one. One that cannot be taken back yet holds up nobody's way back.
    let drilled = drill::after_boot(state);
    // First, and before there is a network, which the run may have broken: nobody stays locked out. A run that goes on is waited for.
    if let Some(run) = state.awaited()? {
        Posted::of(state).start(run)?;
    }
    let resumed = go_on(state);
    BootUnit::of(state).release()?;
    // systemd starts this again, and it is tried again.
    resumed.and(drilled)
}

/// Waits for the network, where somebody can tell: what a run needs may come from there.
fn await_network() {
    let mut call = Child::new(["systemctl", "start", "network-online.target"]);
    call.timeout = Duration::from_secs(150);
    // What needs it will say so.
    drop(call.run());
}

fn go_on(state: &StateDir) -> Result<(), Failure> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        let registered = signal_hook::flag::register(signal, Arc::clone(&stop));
        registered.map_err(|error| Failure::io("handle", format!("signal {signal}"), error))?;
    }
    if state.goes_on()?.is_some() {
        await_network();
    }
    resume((state, &Posted::of(state)), &clock::now, &stop).map_err(|ended| match ended {
        Ended::Failed(failure) | Ended::Broken { failure, .. } => failure,
        Ended::Locked(_) | Ended::SoftLocked(_) | Ended::Declined(_) => {
            Failure::refused(ended.to_string(), "apply again when it is done")
        }
    })
}
