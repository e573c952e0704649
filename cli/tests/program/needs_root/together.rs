//! Many at once on one state directory: one at a time has the host, the others say who has it, and who dies frees it.

use super::counts::{is_full, tell};
use crate::scratch::{Ran, Scratch};
use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::fs;
use std::thread;

/// Each run that gets the host writes who it is at the beginning and at the end: two at once would be seen in between.
const SITE: &str = r#"
[exec.alone]
command = ["/bin/sh", "-c", "echo in >> HOST/log; sleep 0.02; echo out >> HOST/log"]
[file."HOST/a"]
content = "a\n"
"#;

/// How many rounds of each size.
fn rounds() -> usize {
    if is_full() { 200 } else { 4 }
}

#[test]
fn one_at_a_time_has_the_host() {
    let mut count = 0;
    for (many, rounds) in [(2, rounds()), (8, rounds()), (32, rounds().div_ceil(4))] {
        for round in 0..rounds {
            let scratch = Scratch::of(SITE);
            let ran: Vec<Ran> = thread::scope(|scope| {
                let start = |_| scope.spawn(|| scratch.keel("apply", &["--yes"]));
                let all: Vec<_> = (0..many).map(start).collect();
                all.into_iter().map(|one| one.join().expect("no test panics inside")).collect()
            });
            check(&scratch, &ran, &format!("{many} at once, round {round}"));
            count += many as u64;
        }
    }
    tell("F-15", "runs started at once on one host", count);
}

#[track_caller]
fn check(scratch: &Scratch, ran: &[Ran], place: &str) {
    let fine = ran.iter().filter(|ran| ran.code == 0).count();
    assert!(fine >= 1, "{place}: {ran:?}");
    for locked in ran.iter().filter(|ran| ran.code != 0) {
        let said = format!("{}{}", locked.out, locked.err);
        assert!(locked.code == 6 && said.contains("another run has this host"), "{place}: {locked:?}");
    }
    let log = fs::read_to_string(scratch.host("log")).expect("somebody ran");
    assert_eq!(log, "in\nout\n".repeat(fine), "{place}: two at once");
    assert_eq!(fs::read(scratch.host("a")).expect("it is there"), b"a\n", "{place}");
    let history = scratch.fine("history", &[]);
    assert_eq!(
        history.out.lines().filter(|line| line.contains("apply")).count(),
        fine,
        "{place}: {history:?}"
    );
}

#[test]
fn who_dies_frees_the_host_at_once() {
    let rounds = if is_full() { 100 } else { 5 };
    for round in 0..rounds {
        let scratch = Scratch::of(SITE);
        let died = scratch.keel_at("journal.append=2:crash", "apply", &["--yes"]);
        assert_eq!(died.code, 137, "round {round}");
        // Its name is still in the file: that is nobody's lock.
        assert!(fs::metadata(scratch.state("lock")).is_ok_and(|meta| meta.len() > 0), "round {round}");
        let began = std::time::Instant::now();
        scratch.fine("apply", &["--yes"]);
        assert!(began.elapsed().as_secs() < 5, "round {round}: it waited for the dead");
    }
    tell("F-15", "holders that died", rounds);
}

#[test]
fn a_lock_that_names_another_process_is_nobodys() {
    let scratch = Scratch::of(SITE);
    fs::create_dir(scratch.state("")).expect("made");
    // Process 1 lives, and has never heard of it: a number that was given out again.
    let stale = r#"{"pid":1,"run":"7","since":"2020-01-01T00:00:00Z","command":"apply"}"#;
    for text in [stale, "", "\0\0\0\0", "garbage"] {
        fs::write(scratch.state("lock"), text).expect("written");
        scratch.fine("apply", &["--yes"]);
    }
    tell("F-15", "locks that were left", 4);
}

#[test]
fn who_is_started_and_stays_does_not_hold_the_host() {
    let scratch = Scratch::of(
        "[exec.daemon]\nshell = \"setsid sleep 30 </dev/null >/dev/null 2>&1 & echo $! > HOST/pid\"\ncreates = \"HOST/pid\"\n",
    );
    scratch.fine("apply", &["--yes"]);
    let pid = fs::read_to_string(scratch.host("pid")).expect("it was started");
    let ran = scratch.keel("apply", &["--yes"]);
    let pid = Pid::from_raw(pid.trim().parse().expect("a number"));
    // Where the run took it along to its end, there is nobody to hold anything.
    let ended = kill(pid, Signal::SIGKILL);
    assert!(matches!(ended, Ok(()) | Err(Errno::ESRCH)), "{ended:?}");
    assert_eq!(ran.code, 0, "{ran:?}");
}
