//! The process that watches over a run.

use super::posted::Posted;
use crate::os::clock;
use crate::os::host::Host;
use crate::session::{Watch, watch};
use crate::state::StateDir;
use model::Failure;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Watches over `run` to its end. A signal ends the process with a failure, so that systemd starts it again unless it was systemd that sent it.
pub(super) fn play(run: u64, state: &StateDir) -> Result<(), Failure> {
    let stop = Arc::new(AtomicBool::new(false));
    let on = |signal, flag: &Arc<AtomicBool>| {
        signal_hook::flag::register(signal, Arc::clone(flag))
            .map_err(|error| Failure::io("handle", format!("signal {signal}"), error))
    };
    on(SIGTERM, &stop)?;
    on(SIGINT, &stop)?;
    on(SIGHUP, &Arc::new(AtomicBool::new(false)))?;
    // What is brought back comes out of the host's own store.
    let host = Host::new(Arc::new(state.store()));
    let sentry = Posted::of(state);
    watch(&Watch { run, system: &host, state, sentry: &sentry, clock: &clock::now, stop: &stop })
}
