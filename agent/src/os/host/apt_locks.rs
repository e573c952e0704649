//! Waits until nobody else works with dpkg or apt, and says who does.
//!
//! The locks are fcntl(2) locks, which die with their process: a lock file is never removed, and here none is taken. Apt takes
//! them itself right after; `DPkg::Lock::Timeout` covers the moment between.

use super::attendance::Attendance;
use crate::os::capture::printable;
use crate::os::safe_path::{Follow, open_file, read_file};
use model::{EventBody, Failure};
use rustix::process::{Flock, FlockType, Pid, fcntl_getlk};
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// The locks of a transaction (dpkg's frontend and database, apt's archive).
pub(super) const TRANSACTION: [&str; 3] =
    ["/var/lib/dpkg/lock-frontend", "/var/lib/dpkg/lock", "/var/cache/apt/archives/lock"];
/// The lock of the package lists, which apt itself does not wait for.
pub(super) const LISTS: [&str; 1] = ["/var/lib/apt/lists/lock"];

/// How long somebody else's apt is waited for.
pub(super) const PATIENCE: Duration = Duration::from_secs(300);

const PAUSE: Duration = Duration::from_millis(250);

/// Waits until none of `files` is locked; tells at once who holds it, and again where that is another one.
pub(super) fn wait(files: &[&str], patience: Duration, attendance: &Attendance<'_>) -> Result<(), Failure> {
    let until = Instant::now() + patience;
    let mut known = None;
    while let Some((file, who)) = first_held(files)? {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            let what = format!("waiting for {file}, which is held by {who},");
            return Err(Failure::Timeout { what, seconds: patience.as_secs() });
        }
        if attendance.is_over() {
            let why = format!("stopped while {file} was held by {who}");
            return Err(Failure::refused(why, "run again when it has ended"));
        }
        if known.as_ref() != Some(&who) {
            let what = if LISTS.contains(&file) { "the package lists" } else { "the package manager" };
            let left = left.as_secs_f64().ceil() as u64;
            (attendance.tell)(EventBody::Waiting { what: what.to_owned(), who: who.clone(), left });
            known = Some(who);
        }
        sleep(PAUSE);
    }
    Ok(())
}

fn first_held<'a>(files: &[&'a str]) -> Result<Option<(&'a str, String)>, Failure> {
    for file in files {
        if let Some(who) = holder(Path::new(file))? {
            return Ok(Some((file, who)));
        }
    }
    Ok(None)
}

/// Who holds a lock on `file`; nobody where there is no such file.
fn holder(file: &Path) -> Result<Option<String>, Failure> {
    let Some((opened, _)) = open_file(file, Follow::Yes)? else { return Ok(None) };
    let asked = Flock::from(FlockType::WriteLock);
    let found =
        fcntl_getlk(&opened, &asked).map_err(|error| Failure::io("ask who locks", file.display(), error))?;
    let Some(lock) = found else { return Ok(None) };
    // A holder in another process namespace has no number here.
    Ok(Some(lock.pid.map_or_else(|| "a process outside this container".to_owned(), describe)))
}

/// Its number, its command and the unit that it belongs to, as far as these can be told.
fn describe(pid: Pid) -> String {
    let proc = |name: &str| {
        let path = format!("/proc/{}/{name}", pid.as_raw_nonzero());
        match read_file(Path::new(&path), Follow::Yes, 1 << 20) {
            Ok(Some((bytes, _))) => bytes,
            // It has ended by now.
            Ok(None) | Err(_) => Vec::new(),
        }
    };
    let command = proc("cmdline").split(|byte| *byte == 0).collect::<Vec<_>>().join(&b' ');
    let short: String = printable(&command).trim().chars().take(120).collect();
    let unit = unit_of(&printable(&proc("cgroup"))).map_or_else(String::new, |unit| format!(" of {unit}"));
    format!("process {} (`{short}`){unit}", pid.as_raw_nonzero())
}

/// The innermost unit in a process's cgroup: of version 2, or of systemd's own hierarchy (cgroups(7), `/proc/PID/cgroup`).
fn unit_of(cgroup: &str) -> Option<String> {
    let own = |line: &str| {
        let (_, rest) = line.split_once(':')?;
        rest.strip_prefix(':').or_else(|| rest.strip_prefix("name=systemd:")).map(str::to_owned)
    };
    let path = cgroup.lines().find_map(own)?;
    let is_unit = |name: &&str| [".service", ".scope"].iter().any(|end| name.ends_with(end));
    path.rsplit('/').find(is_unit).map(|name| name.chars().take(120).collect())
}

#[cfg(test)]
mod tests {
    use super::{describe, holder, unit_of, wait};
    use crate::os::host::Attendance;
    use std::path::Path;
    use std::time::Duration;

    #[test]
    fn nobody_holds_what_is_not_locked() {
        let file = tempfile::NamedTempFile::new().unwrap();
        assert_eq!(holder(file.path()).unwrap(), None);
        assert_eq!(holder(Path::new("/no/such/lock")).unwrap(), None);
        wait(&[file.path().to_str().unwrap()], Duration::ZERO, &Attendance::none()).unwrap();
    }

    #[test]
    fn names_the_innermost_unit() {
        for (cgroup, unit) in [
            ("0::/system.slice/apt-daily-upgrade.service\n", Some("apt-daily-upgrade.service")),
            ("12:pids:/user.slice\n1:name=systemd:/system.slice/a.service/b\n", Some("a.service")),
            ("0::/user.slice/user-0.slice/session-3.scope\n", Some("session-3.scope")),
            ("0::/\n", None),
            ("", None),
        ] {
            assert_eq!(unit_of(cgroup).as_deref(), unit);
        }
    }

    #[test]
    fn describes_a_process_by_its_command() {
        let this = describe(rustix::process::getpid());
        assert!(this.contains(&std::process::id().to_string()) && this.contains('`'), "{this}");
    }
}
