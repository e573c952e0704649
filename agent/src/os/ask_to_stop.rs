//! Telling another process to stop at its next safe point, where it is surely the one that is meant: numbers of processes come again.

use super::lock::{Holder, holder};
use model::Failure;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use std::fs::{metadata, read_dir, read_to_string};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Sends SIGTERM to the process that has the lock on `path` for `run`; false where none has it, so that there is nothing to stop.
///
/// # Errors
/// It cannot be told who has it, or it cannot be told to stop.
pub fn ask_to_stop(path: &Path, run: u64) -> Result<bool, Failure> {
    let Some(by) = of_run(path, run)? else { return Ok(false) };
    let failed = |error: io::Error| Failure::io("stop", format!("process {}", by.pid), error);
    let gone = || Err(io::ErrorKind::NotFound.into());
    let pid = i32::try_from(by.pid).ok().and_then(Pid::from_raw);
    let process = pid.map_or_else(gone, |pid| Ok(pidfd_open(pid, PidfdFlags::empty())?)).map_err(failed)?;
    // From here on the number stands for that process, if it still has the lock.
    if !has_locked(by.pid, path).map_err(failed)? || of_run(path, run)?.as_ref() != Some(&by) {
        return Ok(false);
    }
    pidfd_send_signal(process, Signal::TERM).map_err(|errno| failed(errno.into()))?;
    Ok(true)
}

fn of_run(path: &Path, run: u64) -> Result<Option<Holder>, Failure> {
    let held = holder(path)?.transpose();
    let held = held.map_err(|why| Failure::unknown(format!("who has {}", path.display()), why))?;
    Ok(held.filter(|by| by.run == run.to_string()))
}

/// True where one of the process's files is this one, with a lock by flock(2) on it (proc_pid_fdinfo(5)).
fn has_locked(pid: u32, path: &Path) -> io::Result<bool> {
    let wanted = metadata(path)?;
    for entry in read_dir(format!("/proc/{pid}/fd"))? {
        let entry = entry?;
        // It may be closed by now, or be none that can be looked at: then it is not the one.
        let Ok(found) = metadata(entry.path()) else { continue };
        if (found.dev(), found.ino()) == (wanted.dev(), wanted.ino()) {
            let info = read_to_string(format!("/proc/{pid}/fdinfo/{}", entry.file_name().display()))?;
            if info.lines().any(|line| line.starts_with("lock:") && line.contains("FLOCK")) {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::{ask_to_stop, has_locked};
    use crate::os::lock::{Attempt, Holder, try_lock};

    #[test]
    fn only_who_has_the_lock_for_that_run_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        assert!(!ask_to_stop(&path, 7).unwrap());
        let pid = std::process::id();
        let holder = Holder { pid, run: "8".to_owned(), since: String::new(), command: String::new() };
        let Attempt::Taken(lock) = try_lock(&path, &holder).unwrap() else { panic!("it is free") };
        assert!(!ask_to_stop(&path, 7).unwrap(), "another run has it");
        assert!(
            has_locked(pid, &path).unwrap()
                && !has_locked(std::os::unix::process::parent_id(), &path).unwrap()
        );
        drop(lock);
        assert!(!ask_to_stop(&path, 8).unwrap() && !has_locked(pid, &path).unwrap());
    }

    /// A number that has gone to another process since.
    #[test]
    fn a_stranger_is_never_told() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        let pid = std::os::unix::process::parent_id();
        let holder = Holder { pid, run: "7".to_owned(), since: String::new(), command: String::new() };
        let Attempt::Taken(_lock) = try_lock(&path, &holder).unwrap() else { panic!("it is free") };
        assert!(!ask_to_stop(&path, 7).unwrap());
    }
}
