//! The unit of systemd that one of this program's roles runs in when it has to outlive whoever asked for it. Where systemd does not run the
//! host it is a process of its own, and nothing more. What the role does is not known here.

use super::boot_unit::BootUnit;
use super::role::Role;
use crate::drills::has_services;
use crate::os::child::Child;
use crate::state::{DEFAULT_ROOT, StateDir};
use model::Failure;
use rustix::process::geteuid;
use std::path::Path;
use std::time::Duration;

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

/// True where this process may have units started.
pub(super) fn has_units() -> bool {
    has_services() && geteuid().is_root()
}

/// True where the system is about to go down (systemctl(1), "is-system-running").
pub(super) fn is_going_down() -> bool {
    let mut call = Child::new(["systemctl", "is-system-running"]);
    call.timeout = Duration::from_secs(10);
    has_units() && call.run().is_ok_and(|said| said.stdout.beginning().starts_with(b"stopping"))
}

/// Starts the unit `name`, which plays `role`.
///
/// # Errors
/// It could not be started.
pub(super) fn start(state: &StateDir, (name, description): (&str, &str), role: &Role) -> Result<(), Failure> {
    let (unit, description) = (format!("--unit={name}"), format!("--description={description}"));
    let mut call = Child::new(["systemd-run", "--quiet", "--collect", &unit, &description]);
    call.argv.extend(PROPERTIES.iter().map(|property| format!("--property={property}").into()));
    call.argv.push("--".into());
    call.argv.extend(role.argv(&BootUnit::of(state).program()));
    call.timeout = Duration::from_secs(30);
    call.run()?.success().map(|_| ())
}

/// Starts a process of its own, which plays `role`.
///
/// # Errors
/// It could not be started.
pub(super) fn release(role: &Role) -> Result<(), Failure> {
    Child::new(role.argv(Path::new(RUNNING))).release()
}

/// `PREFIX`, told from that of other states: the state of a whole host has one of each, of other states there may be several.
pub(super) fn name(root: &Path, prefix: &str) -> String {
    match root == Path::new(DEFAULT_ROOT) {
        true => format!("{prefix}.service"),
        false => format!("{prefix}-{}.service", std::process::id()),
    }
}
