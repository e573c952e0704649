//! The process that waits for the end of a fault: it is there before the fault is, and needs neither whoever asked for it nor a connection.
//! systemd starts it again after a crash of its own, and the boot unit does its work after a power failure. Where systemd does not run the
//! host it is a process of its own, and nothing more.

use super::boot_unit::BootUnit;
use super::role::Role;
use super::unit;
use crate::drills::{Here, Whose, end, is_over, standing, turn};
use crate::os::clock;
use crate::os::lock::{Attempt, Holder, holder, lock_within};
use crate::state::StateDir;
use model::Failure;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How long the process may take to come up.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often it looks whether somebody has taken the fault back.
const AGAIN: Duration = Duration::from_millis(200);
/// The pause before what could not be taken back is tried again.
const PAUSE: Duration = Duration::from_secs(2);

/// Starts it, and is sure that it waits.
///
/// # Errors
/// It could not be started: no fault may be put.
pub fn post_drill(state: &StateDir) -> Result<(), Failure> {
    let role = Role::Drill { state: state.root().to_owned() };
    if unit::has_units() {
        BootUnit::of(state).enable()?;
        // Each call of a controller has one, and the one before may still be about to end.
        let name = unit::name(state.root(), &format!("keel-drill-{}", std::process::id()));
        unit::start(state, (&name, "Evenkeel takes back the fault of a drill"), &role)?;
    } else {
        unit::release(&role)?;
    }
    let since = Instant::now();
    while holder(&post(state))?.is_none() {
        if since.elapsed() > PATIENCE {
            let what = "the process that takes the fault back".to_owned();
            return Err(Failure::Timeout { what, seconds: PATIENCE.as_secs() });
        }
        sleep(Duration::from_millis(10));
    }
    Ok(())
}

/// Nothing is to be started at the next boot that nobody needs.
///
/// # Errors
/// It could not be removed.
pub fn relieve_drill(state: &StateDir) -> Result<(), Failure> {
    if !unit::has_units() {
        return Ok(());
    }
    // Not while somebody puts the next fault, for which it has just been enabled.
    let _turn = turn(state)?;
    BootUnit::of(state).release()
}

/// What the process holds while it waits.
fn post(state: &StateDir) -> PathBuf {
    state.root().join("drill-post.lock")
}

/// Waits until the fault was taken back, and takes it back when its time is over, or when this process is told to end.
pub(super) fn play(state: &StateDir) -> Result<(), Failure> {
    let told = Arc::new(AtomicBool::new(false));
    for (signal, flag) in [(SIGTERM, &told), (SIGINT, &told), (SIGHUP, &Arc::default())] {
        signal_hook::flag::register(signal, Arc::clone(flag))
            .map_err(|error| Failure::io("handle", format!("signal {signal}"), error))?;
    }
    let (pid, command) = (std::process::id(), "waiting for the end of a drill".to_owned());
    let us = Holder { pid, run: String::new(), since: clock::now(), command };
    // Who waited for the fault before may just be about to end.
    let Attempt::Taken(post) = lock_within(&post(state), &us, PATIENCE)? else { return Ok(()) };
    while let Some(fault) = standing(state)? {
        let why = match told.load(Ordering::SeqCst) {
            true => "who waited for its end was told to stop",
            false if is_over(&fault)? => "its time is over",
            false => {
                sleep(AGAIN);
                continue;
            }
        };
        if let Err(failure) = end((state, &Here { state }), Whose::Any, why, &clock::now()) {
            // A system that goes down starts nothing any more. It is not held up: the boot unit takes the fault back.
            if told.load(Ordering::SeqCst) && unit::is_going_down() {
                return Ok(());
            }
            // Into the journal of the unit.
            let text = format!("the fault of {} stays for now: {failure}\n", fault.fault.name);
            drop(std::io::stderr().write_all(text.as_bytes()));
            sleep(PAUSE);
        }
    }
    // Who waits for the next one may want it.
    drop(post);
    relieve_drill(state)
}

/// Takes back what an earlier uptime has left.
///
/// # Errors
/// It could not be taken back.
pub(super) fn after_boot(state: &StateDir) -> Result<(), Failure> {
    end((state, &Here { state }), Whose::Any, "the machine was booted", &clock::now()).map(|_| ())
}
