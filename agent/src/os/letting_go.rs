//! Files that have been replaced. What one holds is freed when its last descriptor is closed, which takes the file system as long as to make
//! a new one. Where they are many this is done beside what comes next; who needs the room, or starts a program that could find them in use, waits.
//! It must not be given what somebody still wants to read.

use std::fs::File;
use std::sync::{Mutex, PoisonError};
use std::thread::JoinHandle;

/// Fewer are closed at once.
const MANY: usize = 8;

/// Larger ones are not held, in bytes: their room may be wanted for the new one.
pub(super) const LARGEST: u64 = 64 << 10;

static UNDER_WAY: Mutex<Vec<JoinHandle<()>>> = Mutex::new(Vec::new());

/// Closes them.
pub(super) fn let_go(files: Vec<File>) {
    if files.len() < MANY || parallel::processors() < 2 {
        return;
    }
    // Without a thread they are closed here.
    let thread = parallel::beside(move || drop(files));
    UNDER_WAY.lock().unwrap_or_else(PoisonError::into_inner).extend(thread);
}

/// Returns when all that were let go of before are closed.
pub(super) fn wait() {
    let mut under_way = UNDER_WAY.lock().unwrap_or_else(PoisonError::into_inner);
    for thread in under_way.drain(..) {
        thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    }
}

#[expect(clippy::disallowed_methods, reason = "makes scratch files")]
#[cfg(test)]
mod tests {
    use super::{MANY, let_go, wait};
    use std::fs::File;
    use std::os::fd::AsRawFd as _;

    #[test]
    fn all_are_closed_for_who_waits() {
        for count in [0, 1, MANY, 10 * MANY] {
            let dir = tempfile::tempdir().unwrap();
            let path = |at| dir.path().join(format!("{at}"));
            let files: Vec<File> = (0..count).map(|at| File::create(path(at)).unwrap()).collect();
            let links: Vec<_> =
                files.iter().map(|file| format!("/proc/self/fd/{}", file.as_raw_fd())).collect();
            let_go(files);
            wait();
            let is_ours = |link: &String| std::fs::read_link(link).is_ok_and(|to| to.starts_with(dir.path()));
            assert!(!links.iter().any(is_ours), "{count}");
        }
    }
}
