//! Waits until nobody else works with dpkg or apt, and says who does if that takes too long.
//!
//! The locks are fcntl(2) locks, which die with their process: a lock file is never removed, and here none is taken. Apt takes
//! them itself right after; `DPkg::Lock::Timeout` covers the moment between.

use crate::os::capture::printable;
use crate::os::safe_path::{Follow, open_file, read_file};
use model::Failure;
use rustix::process::{Flock, FlockType, Pid, fcntl_getlk};
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// The locks of a transaction (dpkg's frontend and database, apt's archive).
pub(super) const TRANSACTION: [&str; 3] =
    ["/var/lib/dpkg/lock-frontend", "/var/lib/dpkg/lock", "/var/cache/apt/archives/lock"];
/// The lock of the package lists, which apt itself does not wait for.
pub(super) const LISTS: [&str; 1] = ["/var/lib/apt/lists/lock"];

const PAUSE: Duration = Duration::from_millis(250);

/// Waits until none of `files` is locked.
pub(super) fn wait(files: &[&str], patience: Duration) -> Result<(), Failure> {
    let until = Instant::now() + patience;
    loop {
        let mut held = None;
        for file in files {
            held = held.or(holder(Path::new(file))?.map(|who| (*file, who)));
        }
        let Some((file, who)) = held else { return Ok(()) };
        if Instant::now() >= until {
            let what = format!("waiting for {file}, which is held by {who},");
            return Err(Failure::Timeout { what, seconds: patience.as_secs() });
        }
        sleep(PAUSE);
    }
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

fn describe(pid: Pid) -> String {
    let path = format!("/proc/{}/cmdline", pid.as_raw_nonzero());
    let command = match read_file(Path::new(&path), Follow::Yes, 1 << 20) {
        Ok(Some((bytes, _))) => printable(&bytes.split(|byte| *byte == 0).collect::<Vec<_>>().join(&b' ')),
        // It has ended by now.
        Ok(None) | Err(_) => String::new(),
    };
    let short: String = command.trim().chars().take(120).collect();
    format!("process {} (`{short}`)", pid.as_raw_nonzero())
}

#[cfg(test)]
mod tests {
    use super::{describe, holder, wait};
    use std::path::Path;
    use std::time::Duration;

    #[test]
    fn nobody_holds_what_is_not_locked() {
        let file = tempfile::NamedTempFile::new().unwrap();
        assert_eq!(holder(file.path()).unwrap(), None);
        assert_eq!(holder(Path::new("/no/such/lock")).unwrap(), None);
        wait(&[file.path().to_str().unwrap()], Duration::ZERO).unwrap();
    }

    #[test]
    fn describes_a_process_by_its_command() {
        let this = describe(rustix::process::getpid());
        assert!(this.contains(&std::process::id().to_string()) && this.contains('`'), "{this}");
    }
}
