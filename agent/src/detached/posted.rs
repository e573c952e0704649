//! Starts the process that watches over a run, and has it started again: after a crash of its own by systemd, at the next boot by the boot
//! unit. Where systemd does not run the host it is a process of its own, and nothing more.
//!
//! What it does is `session::watch`; `watcher` is the process.

use super::boot_unit::BootUnit;
use super::role::Role;
use super::unit;
use crate::os::host::unit_of_manager;
use crate::session::{Recall, Sentry};
use crate::state::StateDir;
use model::Failure;

/// Whoever watches over the runs of one state directory.
#[derive(Clone, Debug)]
pub struct Posted {
    state: StateDir,
}

impl Posted {
    /// For the runs of `state`.
    pub fn of(state: &StateDir) -> Self {
        Self { state: state.clone() }
    }

    /// Starts the watcher alone: for the boot unit, which is there already.
    ///
    /// # Errors
    /// It could not be started.
    pub fn start(&self, run: u64) -> Result<(), Failure> {
        let root = self.state.root();
        let role = Role::Watch { run, state: root.to_owned() };
        if !unit::has_units() {
            return unit::release(&role);
        }
        let name = unit::name(root, &format!("keel-watch-{run}"));
        if is_up(&name)? {
            return Ok(());
        }
        unit::start(&self.state, (&name, "Evenkeel watches over a run"), &role)
    }
}

impl Sentry for Posted {
    fn post(&self, run: u64) -> Result<(), Failure> {
        if unit::has_units() {
            BootUnit::of(&self.state).enable()?;
        }
        self.start(run)
    }

    fn recall(&self) -> Result<Recall, Failure> {
        BootUnit::of(&self.state).enable().map(|()| Recall::AtBoot)
    }

    fn relieve(&self) -> Result<(), Failure> {
        if unit::has_units() { BootUnit::of(&self.state).release() } else { Ok(()) }
    }
}

/// True where the unit is there already, or about to be started again.
fn is_up(unit: &str) -> Result<bool, Failure> {
    let state = unit_of_manager(unit)?;
    Ok(state.is_some_and(|unit| matches!(unit.active.as_str(), "active" | "activating" | "reloading")))
}
