//! Looks at the arguments and the environment of every process that there is meanwhile, as often as it can.

use super::spelling::Canary;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// A thread that looks.
pub struct Watch {
    over: Arc<AtomicBool>,
    thread: JoinHandle<BTreeSet<String>>,
}

impl Watch {
    /// From now on.
    pub fn begin(canaries: &[Arc<Canary>]) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        // Who was there before is none of ours; looked up here, for the thread may begin late.
        let (done, canaries, others) = (over.clone(), canaries.to_vec(), processes());
        let thread = std::thread::spawn(move || {
            let (mut found, mut known) = (BTreeSet::new(), BTreeSet::new());
            while !done.load(Ordering::Relaxed) {
                for path in processes().difference(&others) {
                    look(path, &canaries, (&mut known, &mut found));
                }
                std::thread::sleep(Duration::from_millis(1));
            }
            found
        });
        Self { over, thread }
    }

    /// What was seen: `argv of …` or `environ of …`, and how the arguments of the process begin.
    pub fn end(self) -> BTreeSet<String> {
        self.over.store(true, Ordering::Relaxed);
        self.thread.join().expect("it looked")
    }
}

fn processes() -> BTreeSet<PathBuf> {
    fs::read_dir("/proc").expect("it is mounted").flatten().map(|entry| entry.path()).collect()
}

/// What is `known` has been searched before.
fn look(
    path: &Path,
    canaries: &[Arc<Canary>],
    (known, found): (&mut BTreeSet<[Vec<u8>; 2]>, &mut BTreeSet<String>),
) {
    let Some((argv, environ)) = shown(path) else { return };
    if !known.insert([argv.clone(), environ.clone()]) {
        return;
    }
    for (what, bytes) in [("argv", &argv), ("environ", &environ)] {
        if canaries.iter().any(|canary| canary.is_in(bytes)) {
            let words = String::from_utf8_lossy(&argv).replace('\0', " ");
            found.insert(format!("{what} of {}", words.chars().take(24).collect::<String>()));
        }
    }
}

/// The arguments and the environment of one program: who becomes another between two looks is looked at again. Who has ended has
/// nothing to show.
fn shown(path: &Path) -> Option<(Vec<u8>, Vec<u8>)> {
    loop {
        let argv = fs::read(path.join("cmdline")).ok()?;
        let environ = fs::read(path.join("environ")).unwrap_or_default();
        // The kernel sets the environment before the arguments: who has none is just becoming another.
        let is_between = argv.is_empty() && !environ.is_empty();
        if !is_between && fs::read(path.join("cmdline")).ok()? == argv {
            return Some((argv, environ));
        }
    }
}

#[test]
fn a_secret_among_arguments_is_seen() {
    let canary = Arc::new(Canary::new("seen", "'"));
    let watch = Watch::begin(std::slice::from_ref(&canary));
    let mut child = std::process::Command::new("/bin/sleep");
    let mut child = child.arg("2").env("HELD", &canary.text).spawn().expect("it starts");
    child.wait().expect("it ends");
    let argv = std::process::Command::new("/bin/sh").args(["-c", "sleep 2", &canary.text]).status();
    assert!(argv.expect("it starts").success());
    let seen = watch.end();
    assert!(
        seen.contains("environ of /bin/sleep 2 ")
            && seen.iter().any(|one| one.starts_with("argv of /bin/sh")),
        "{seen:?}"
    );
}
