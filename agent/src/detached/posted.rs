//! Starts the process that watches over a run, and has it started again: after a crash of its own by systemd, at the next boot by the boot
//! unit. Where systemd does not run the host it is a process of its own, and nothing more.
//!
//! What it does is `session::watch`; `watcher` is the process.

use super::boot_unit::{BootUnit, is_booted_with_systemd};
use super::role::Role;
use crate::os::child::Child;
use crate::os::host::unit_of_manager;
use crate::session::{Recall, Sentry};
use crate::state::{DEFAULT_ROOT, StateDir};
use model::Failure;
use rustix::process::geteuid;
use std::path::Path;
use std::time::Duration;

/// Whoever watches over the runs of one state directory.
#[derive(Clone, Debug)]
pub struct Posted {
    state: StateDir,
}

/// The running program, whatever became of its name.
const RUNNING: &str = "/proc/self/exe";

/// What the unit is: started again until it has ended well, out of the kernel's way when memory is short, and without those that it started
/// when it dies: a package manager is not to be cut off.
const PROPERTIES: [&str; 6] = [
    "Restart=on-failure",
    "RestartSec=1",
    "StartLimitIntervalSec=0",
    "KillMode=process",
    "OOMScoreAdjust=-900",
    "SendSIGHUP=no",
];

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
        if !has_units() {
            return Child::new(role.argv(Path::new(RUNNING))).release();
        }
        let program = BootUnit::of(&self.state).program();
        let name = unit_name(root, run);
        if is_up(&name)? {
            return Ok(());
        }
        let unit = format!("--unit={name}");
        let mut call = Child::new([
            "systemd-run",
            "--quiet",
            "--collect",
            &unit,
            "--description=Evenkeel watches over a run",
        ]);
        call.argv.extend(PROPERTIES.iter().map(|property| format!("--property={property}").into()));
        call.argv.push("--".into());
        call.argv.extend(role.argv(&program));
        call.timeout = Duration::from_secs(30);
        call.run()?.success().map(|_| ())
    }
}

impl Sentry for Posted {
    fn post(&self, run: u64) -> Result<(), Failure> {
        if has_units() {
            BootUnit::of(&self.state).enable()?;
        }
        self.start(run)
    }

    fn recall(&self) -> Result<Recall, Failure> {
        BootUnit::of(&self.state).enable().map(|()| Recall::AtBoot)
    }

    fn relieve(&self) -> Result<(), Failure> {
        if has_units() { BootUnit::of(&self.state).release() } else { Ok(()) }
    }
}

/// True where the unit is there already, or about to be started again.
fn is_up(unit: &str) -> Result<bool, Failure> {
    let state = unit_of_manager(unit)?;
    Ok(state.is_some_and(|unit| matches!(unit.active.as_str(), "active" | "activating" | "reloading")))
}

/// True where this process may have units started.
fn has_units() -> bool {
    is_booted_with_systemd() && geteuid().is_root()
}

/// The state of a whole host has one run of each number; of other states there may be several.
fn unit_name(root: &Path, run: u64) -> String {
    match root == Path::new(DEFAULT_ROOT) {
        true => format!("keel-watch-{run}.service"),
        false => format!("keel-watch-{run}-{}.service", std::process::id()),
    }
}
