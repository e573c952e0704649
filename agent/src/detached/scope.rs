//! The place of a run among the processes of a host. What is started over ssh belongs to a login session, and is killed with it: when
//! logind ends the session, with `KillUserProcesses=` when its last process leaves, with some units when sshd is stopped. From its
//! commit point on a run is the host's own, and goes to a scope (systemd.scope(5)) of its own: what it starts is born there.
//!
//! Nothing here decides whether there is a run. Where it cannot leave it runs all the same, where it is.

use super::boot_unit::is_booted_with_systemd;
use crate::os::bus::Systemd;
use crate::os::child::Child;
use crate::os::moving::Moving;
use crate::state::{DEFAULT_ROOT, StateDir};
use model::Failure;
use std::fs::read_to_string;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// What may stand between sshd and a run, and hands on the signals of the session's end.
const RELAYS: [&str; 2] = ["sudo", "doas"];

/// A run that has ended by then is not moved, if it has started nothing.
const SOON: Duration = Duration::from_millis(100);

/// How long systemd may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// The way of this process out of the login session that it was started in, with what it became root by.
pub struct Departure {
    unit: String,
    pids: Vec<u32>,
    moving: Moving,
}

/// Prepares the move out of the login session; `None` where that is none, or where nothing kills sessions. Nothing is started by
/// anybody else until the move has ended, or has been called off by the end of an [`Until`](crate::os::moving::Until).
///
/// # Errors
/// It cannot be told where this process is.
pub fn departure(state: &StateDir, run: u64) -> Result<Option<Departure>, Failure> {
    if !is_booted_with_systemd() || !is_of_login(&read_proc("self/cgroup")?) {
        return Ok(None);
    }
    let pids = std::iter::once(std::process::id()).chain(relays()?).collect();
    Ok(Some(Departure { unit: unit_name(state.root(), run), pids, moving: Moving::due() }))
}

impl Departure {
    /// Leaves, once a program is to be started or the run goes on for longer than most that change a few files: the move takes systemd as
    /// long as such a run does.
    ///
    /// # Errors
    /// systemd could not be asked, or refused: the run stays in the session, and ends with it.
    pub fn leave(self, run: u64) -> Result<(), Failure> {
        if !self.moving.is_to_begin(SOON) {
            return Ok(());
        }
        let left = call(&self.unit, &self.pids, run).and_then(|()| moved(&self.unit));
        drop(self.moving);
        left
    }
}

fn call(unit: &str, pids: &[u32], run: u64) -> Result<(), Failure> {
    let description = format!("Evenkeel run {run}");
    match Systemd::reach() {
        Some(mut manager) => manager.start_scope(unit, &description, pids),
        None => by_program(unit, &description, pids),
    }
}

fn by_program(unit: &str, description: &str, pids: &[u32]) -> Result<(), Failure> {
    let mut call = Child::new(["busctl", "call", "org.freedesktop.systemd1", "/org/freedesktop/systemd1"]);
    let pids: Vec<String> = pids.iter().map(u32::to_string).collect();
    let count = pids.len().to_string();
    let words =
        ["org.freedesktop.systemd1.Manager", "StartTransientUnit", "ssa(sv)a(sa(sv))", unit, "fail", "3"];
    let description = ["Description", "s", description, "CollectMode", "s", "inactive-or-failed"];
    call.argv.extend(words.into_iter().chain(description).chain(["PIDs", "au", &count]).map(Into::into));
    call.argv.extend(pids.iter().map(String::as_str).chain(["0"]).map(Into::into));
    call.timeout = PATIENCE;
    call.run_on_the_way()?.success().map(|_| ())
}

/// Waits until systemd has done what it said it would: a child that is born before that is born in the session.
fn moved(unit: &str) -> Result<(), Failure> {
    let start = Instant::now();
    while unit_of(&read_proc("self/cgroup")?) != Some(unit) {
        if start.elapsed() > PATIENCE {
            let what = format!("the move to {unit}");
            return Err(Failure::Timeout { what, seconds: PATIENCE.as_secs() });
        }
        sleep(Duration::from_millis(1));
    }
    Ok(())
}

/// The state of a whole host has one run of each number; of other states there may be several.
fn unit_name(root: &Path, run: u64) -> String {
    match root == Path::new(DEFAULT_ROOT) {
        true => format!("keel-run-{run}.scope"),
        false => format!("keel-run-{run}-{}.scope", std::process::id()),
    }
}

/// The ancestors of this process that relay signals to it, the nearest one first.
fn relays() -> Result<Vec<u32>, Failure> {
    let mut relays = Vec::new();
    let mut stat = read_proc("self/stat")?;
    while let Some(parent) = parent_of(&stat).filter(|parent| *parent > 1) {
        stat = read_proc(&format!("{parent}/stat"))?;
        if !name_of(&stat).is_some_and(|name| RELAYS.contains(&name)) {
            break;
        }
        relays.push(parent);
    }
    Ok(relays)
}

/// The name of a process, of its line in proc_pid_stat(5). It may hold blanks and brackets itself.
fn name_of(stat: &str) -> Option<&str> {
    Some(stat.split_once('(')?.1.rsplit_once(')')?.0)
}

/// Its parent.
fn parent_of(stat: &str) -> Option<u32> {
    stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}

/// True where a cgroup (cgroups(7), proc_pid_cgroup(5)) is one of a login session, or of sshd itself.
fn is_of_login(cgroups: &str) -> bool {
    let of_sshd = || unit_of(cgroups).is_some_and(|unit| unit.starts_with("ssh"));
    cgroups.lines().any(|line| line.contains(":/user.slice/")) || of_sshd()
}

/// The unit that systemd keeps the cgroup for: the last part of its path.
fn unit_of(cgroups: &str) -> Option<&str> {
    let is_systemd = |line: &&str| line.starts_with("0::") || line.contains(":name=systemd:");
    let line = cgroups.lines().filter(is_systemd).find(|line| !line.ends_with(":/"))?;
    line.rsplit_once('/').map(|(_, unit)| unit)
}

fn read_proc(path: &str) -> Result<String, Failure> {
    let path = format!("/proc/{path}");
    read_to_string(&path).map_err(|error| Failure::io("read", path, error))
}

#[cfg(test)]
mod tests {
    use super::{is_of_login, name_of, parent_of, unit_name, unit_of};
    use std::path::Path;

    #[test]
    fn a_login_is_told_from_a_service() {
        for (cgroups, unit, is_login) in [
            ("0::/user.slice/user-1000.slice/session-3.scope\n", Some("session-3.scope"), true),
            ("0::/user.slice/user-0.slice/user@0.service/app.slice/x.scope\n", Some("x.scope"), true),
            ("0::/system.slice/ssh.service\n", Some("ssh.service"), true),
            ("0::/system.slice/keel-run-3.scope\n", Some("keel-run-3.scope"), false),
            ("0::/system.slice/evenkeel-boot.service\n", Some("evenkeel-boot.service"), false),
            (
                "3:cpu:/\n1:name=systemd:/user.slice/user-0.slice/session-c1.scope\n0::/\n",
                Some("session-c1.scope"),
                true,
            ),
            ("0::/\n", None, false),
            ("", None, false),
        ] {
            assert_eq!((unit_of(cgroups), is_of_login(cgroups)), (unit, is_login), "{cgroups}");
        }
    }

    #[test]
    fn a_process_is_read_whatever_it_calls_itself() {
        let stat = "4242 (a) (1 S 7) S 17 4242 4242 0 -1";
        assert_eq!((name_of(stat), parent_of(stat)), (Some("a) (1 S 7"), Some(17)));
        assert_eq!((name_of("4242"), parent_of("4242 (sudo) S x")), (None, None));
    }

    #[test]
    fn a_scope_is_named_after_its_run() {
        assert_eq!(unit_name(Path::new("/var/lib/evenkeel"), 7), "keel-run-7.scope");
        assert_eq!(unit_name(Path::new("/x"), 7), format!("keel-run-7-{}.scope", std::process::id()));
    }
}
