//! Failpoints: named places at which a test makes the program crash or a system call fail.
//! It must never decide anything outside tests: without the feature `failpoints` every hook is an empty inline function.
//! The hooks are hit in `os` and `journal`; the binary's main reads `KEEL_FAILPOINT` and hands it to `from_spec`.

use std::io;

/// Says "this place was reached" and lets a failpoint that is set there act.
///
/// # Errors
/// The error that the failpoint carries; none without the feature `failpoints`.
#[inline]
pub fn hit(name: &str) -> io::Result<()> {
    #[cfg(any(test, feature = "failpoints"))]
    return active::hit(name);
    #[cfg(not(any(test, feature = "failpoints")))]
    {
        let _ = name;
        Ok(())
    }
}

#[cfg(any(test, feature = "failpoints"))]
pub use active::{Action, Guard, When, clear, from_spec, set, set_here};

/// Without the feature `failpoints` there is nothing to set: the text is not looked at.
///
/// # Errors
/// None.
#[cfg(not(any(test, feature = "failpoints")))]
pub fn from_spec(spec: &str) -> Result<(), String> {
    let _ = spec;
    Ok(())
}

#[cfg(any(test, feature = "failpoints"))]
mod active {
    use std::collections::BTreeMap;
    use std::io;
    use std::sync::{Mutex, PoisonError};
    use std::thread::ThreadId;

    use rustix::process::{Signal, getpid, kill_process};

    /// What happens at a failpoint.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum Action {
        /// The process dies at once, as from SIGKILL: no destructor runs.
        Crash,
        /// The hook returns this errno, as if the system call that follows it had failed.
        Error(i32),
    }

    /// Which of the hits act, counted from 1.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum When {
        /// This one only.
        Nth(u64),
        /// This one and all after it.
        From(u64),
    }

    struct Point {
        when: When,
        action: Action,
        thread: Option<ThreadId>,
        hits: u64,
    }

    static POINTS: Mutex<BTreeMap<String, Point>> = Mutex::new(BTreeMap::new());

    fn points() -> std::sync::MutexGuard<'static, BTreeMap<String, Point>> {
        POINTS.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets a failpoint for all threads.
    pub fn set(name: &str, when: When, action: Action) {
        points().insert(name.to_owned(), Point { when, action, thread: None, hits: 0 });
    }

    /// Removes all failpoints.
    pub fn clear() {
        points().clear();
    }

    /// Sets a failpoint that only the calling thread meets, until the guard is dropped; two threads must not use one name at a time.
    #[must_use]
    pub fn set_here(name: &str, when: When, action: Action) -> Guard {
        let thread = std::thread::current().id();
        let key = format!("{name}@{thread:?}");
        points().insert(key.clone(), Point { when, action, thread: Some(thread), hits: 0 });
        Guard(key)
    }

    /// Removes the failpoint of `set_here` when dropped.
    pub struct Guard(String);

    impl Drop for Guard {
        fn drop(&mut self) {
            points().remove(&self.0);
        }
    }

    /// Sets failpoints from text: `NAME=NTH:crash` or `NAME=NTH:error:ERRNO`, several separated by `;`.
    /// `NTH` counts from 1 and with a `+` after it means that hit and all later ones.
    ///
    /// # Errors
    /// The part of the text that could not be read.
    pub fn from_spec(spec: &str) -> Result<(), String> {
        for part in spec.split(';').filter(|part| !part.is_empty()) {
            let (name, when, action) = parse(part).ok_or_else(|| format!("not a failpoint: {part}"))?;
            set(name, when, action);
        }
        Ok(())
    }

    fn parse(part: &str) -> Option<(&str, When, Action)> {
        let (name, rest) = part.split_once('=')?;
        let (nth, action) = rest.split_once(':')?;
        let when = match nth.strip_suffix('+') {
            Some(from) => When::From(from.parse().ok()?),
            None => When::Nth(nth.parse().ok()?),
        };
        let action = match action.split_once(':') {
            None if action == "crash" => Action::Crash,
            Some(("error", errno)) => Action::Error(errno_named(errno)?),
            _ => return None,
        };
        Some((name, when, action))
    }

    fn errno_named(name: &str) -> Option<i32> {
        use rustix::io::Errno;
        let errno = match name {
            "EACCES" => Errno::ACCESS,
            "EBUSY" => Errno::BUSY,
            "EDQUOT" => Errno::DQUOT,
            "EIO" => Errno::IO,
            "EMFILE" => Errno::MFILE,
            "ENOSPC" => Errno::NOSPC,
            "EPERM" => Errno::PERM,
            "EROFS" => Errno::ROFS,
            number => return number.parse().ok(),
        };
        Some(errno.raw_os_error())
    }

    pub(super) fn hit(name: &str) -> io::Result<()> {
        let thread = std::thread::current().id();
        let mut points = points();
        let here = format!("{name}@{thread:?}");
        let key = if points.contains_key(&here) { here.as_str() } else { name };
        let Some(point) = points.get_mut(key) else { return Ok(()) };
        if point.thread.is_some_and(|only| only != thread) {
            return Ok(());
        }
        point.hits += 1;
        let acts = match point.when {
            When::Nth(nth) => point.hits == nth,
            When::From(first) => point.hits >= first,
        };
        match point.action {
            _ if !acts => Ok(()),
            Action::Error(errno) => Err(io::Error::from_raw_os_error(errno)),
            Action::Crash => {
                kill_process(getpid(), Signal::KILL)?;
                std::process::abort()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Action, When, from_spec, hit, set_here};

    #[test]
    fn acts_on_the_nth_hit_only() {
        let _point = set_here("test.nth", When::Nth(2), Action::Error(28));
        assert!(hit("test.nth").is_ok());
        assert_eq!(hit("test.nth").unwrap_err().raw_os_error(), Some(28));
        assert!(hit("test.nth").is_ok());
    }

    #[test]
    fn is_met_by_its_own_thread_alone() {
        let _point = set_here("test.thread", When::From(1), Action::Error(5));
        assert!(std::thread::spawn(|| hit("test.thread").is_ok()).join().unwrap());
        assert!(hit("test.thread").is_err());
    }

    #[test]
    fn reads_a_spec() {
        from_spec("test.spec=1+:error:ENOSPC").unwrap();
        assert_eq!(hit("test.spec").unwrap_err().raw_os_error(), Some(28));
        assert_eq!(hit("test.spec").unwrap_err().raw_os_error(), Some(28));
        for bad in ["x", "x=1", "x=a:crash", "x=1:error:EWHAT", "x=1:melt"] {
            assert_eq!(from_spec(bad), Err(format!("not a failpoint: {bad}")));
        }
    }
}
