//! Programs that are started: what they get, what becomes of them, and of what they leave behind.

use super::{Cap, Child, Echo, RunAs};
use model::{Failure, Secret};
use rustix::process::{Pid, getegid, geteuid, test_kill_process};
use std::path::Path;
use std::time::{Duration, Instant};

fn sh(script: &str) -> Child {
    Child::new(["sh", "-c", script])
}

fn text(child: &Child) -> String {
    child.run().unwrap().success().unwrap().text().unwrap()
}

fn status(failure: &Failure) -> &str {
    let Failure::Command { status, .. } = failure else { panic!("{failure:?}") };
    status
}

#[test]
fn has_a_clean_environment_and_a_session_of_its_own() {
    let mut child = sh("env | sort; umask; pwd; ps -o sid= -p $$ | tr -d ' '; echo $$; cat");
    child.env.insert("EXTRA".into(), "1".into());
    child.umask = 0o077;
    let text = text(&child);
    let mut lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.pop(), lines.pop(), "the session's number is the process's");
    assert_eq!((lines.pop(), lines.pop()), (Some("/"), Some("0077")));
    assert!(lines.contains(&"EXTRA=1") && lines.contains(&"LC_ALL=C"));
    let names: Vec<&str> = lines.iter().filter_map(|line| line.split('=').next()).collect();
    let allowed = ["EXTRA", "HOME", "LC_ALL", "LOGNAME", "PATH", "PWD", "USER", "_", "SHLVL", "OLDPWD"];
    assert!(names.iter().all(|name| allowed.contains(name)), "{names:?}");
}

#[test]
fn feeds_more_than_a_pipe_holds_and_survives_a_reader_that_stops() {
    let input = vec![b'x'; 1 << 20];
    let mut child = sh("wc -c");
    child.stdin = Some(Secret::new(input.clone()));
    assert_eq!(text(&child).trim(), "1048576");
    let mut child = sh("head -c 3");
    child.stdin = Some(Secret::new(input));
    assert_eq!(text(&child), "xxx");
}

#[test]
fn tells_failures_apart() {
    let run = |argv: &[&str]| Child::new(argv).run().and_then(super::Output::success).unwrap_err();
    assert_eq!(status(&run(&["keel-no-such-program"])), "was not found");
    assert_eq!(status(&run(&["/etc/passwd"])), "is not executable, or its user may not run it");
    assert_eq!(status(&run(&["sh", "-c", "exit 3"])), "exited with 3");
    assert_eq!(status(&run(&["sh", "-c", "kill -9 $$"])), "was killed by signal 9");
    assert!(status(&run(&[])).contains("no program"));
    let mut child = sh("true");
    child.cwd = "/no/such/place".into();
    assert_eq!(status(&child.run().unwrap_err()), "was not started: there is no directory /no/such/place");
}

#[test]
fn shows_the_last_words_but_not_those_of_a_sensitive_command() {
    let mut child = sh("echo secret-word; printf '\\033[1mbad\\033[0m\\n' >&2; exit 1");
    let Failure::Command { argv, stderr, .. } = child.run().unwrap().failure() else { panic!() };
    assert!(argv.starts_with("sh -c echo secret-word"));
    assert_eq!(stderr, "bad");
    let script = Child::new(["sh", "-c", "exit 1\n# more\n", "one"]).run().unwrap().failure();
    assert_eq!(script.to_string(), "`sh -c exit 1… one` exited with 1");
    child.echo = Echo::Program;
    let failure = child.run().unwrap().failure();
    assert_eq!(failure.to_string(), "`sh` exited with 1");
}

#[test]
fn kills_the_whole_group_when_time_is_up() {
    let dir = tempfile::tempdir().unwrap();
    let mut child = sh("sleep 60 & echo $! > pid; wait");
    child.cwd = dir.path().into();
    child.timeout = Duration::from_millis(300);
    let start = Instant::now();
    let failure = child.run().unwrap_err();
    assert!(matches!(failure, Failure::Timeout { .. }), "{failure}");
    assert!(start.elapsed() < Duration::from_secs(3));
    assert_gone(&dir.path().join("pid"));
}

/// The environment has it that this process is a parent that does not end by itself.
#[test]
fn plays_the_parent() {
    if let Some(dir) = std::env::var_os("KEEL_TEST_PARENT") {
        let mut child = sh("echo $$ >new; mv new pid; exec sleep 60");
        child.cwd = dir.into();
        child.run_tied().unwrap();
    }
}

#[test]
fn one_that_is_tied_ends_with_a_parent_that_is_killed() {
    let dir = tempfile::tempdir().unwrap();
    let me = std::env::current_exe().unwrap();
    let mut parent =
        Child::new([me.as_os_str(), "--exact".as_ref(), "os::child::tests::plays_the_parent".as_ref()]);
    parent.env.insert("KEEL_TEST_PARENT".into(), dir.path().into());
    let parent = parent.start(super::Outlet::Piped).unwrap();
    let (pid, until) = (dir.path().join("pid"), Instant::now() + Duration::from_secs(20));
    while !pid.exists() {
        assert!(Instant::now() < until);
        std::thread::sleep(Duration::from_millis(5));
    }
    parent.kill().unwrap();
    assert_gone(&pid);
}

#[test]
fn kills_what_does_not_listen() {
    let mut child = sh("trap '' TERM; while :; do sleep 0.1; done");
    child.timeout = Duration::from_millis(100);
    let start = Instant::now();
    assert!(matches!(child.run(), Err(Failure::Timeout { .. })));
    let took = start.elapsed();
    assert!(took > Duration::from_secs(5) && took < Duration::from_secs(8), "{took:?}");
}

#[test]
fn does_not_wait_for_a_daemon_that_keeps_the_pipes() {
    let dir = tempfile::tempdir().unwrap();
    let mut child = sh("setsid sleep 30 & echo $! > pid; echo started");
    child.cwd = dir.path().into();
    let start = Instant::now();
    assert_eq!(text(&child), "started\n");
    assert!(start.elapsed() < Duration::from_secs(2));
    let pid = std::fs::read_to_string(dir.path().join("pid")).unwrap();
    let pid = Pid::from_raw(pid.trim().parse().unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).expect("the daemon was left alone");
}

#[test]
fn keeps_a_flood_within_its_cap() {
    let mut child = sh("yes | head -c 5000000; echo end");
    child.cap = Cap { head: 10, tail: 4 };
    let output = child.run().unwrap();
    assert_eq!(output.stdout.dropped(), 5_000_004 - 14);
    assert!(output.stdout.printable().ends_with("end\n"));
    assert!(matches!(output.text(), Err(Failure::Unknown { .. })));
}

#[test]
fn drops_all_rights_but_the_wanted_ones() {
    let mut child = sh("id -u; id -g; id -G; grep CapEff /proc/self/status");
    let (root, groups) = (geteuid().is_root(), vec![12345]);
    let other = RunAs { uid: 65534, gid: 65533, groups };
    let own = RunAs { uid: geteuid().as_raw(), gid: getegid().as_raw(), groups: Vec::new() };
    child.user = Some(if root { other } else { own.clone() });
    let text = text(&child);
    let lines: Vec<&str> = text.lines().collect();
    let expected = if root { (65534, 65533) } else { (own.uid, own.gid) };
    assert_eq!((lines[0], lines[1]), (&*expected.0.to_string(), &*expected.1.to_string()));
    assert!(!root || lines[2] == "65533 12345", "{text}");
    assert!(text.contains("CapEff:\t0000000000000000"), "{text}");
}

/// The process whose number is in the file is dead, or will be in a moment.
fn assert_gone(file: &Path) {
    let pid = Pid::from_raw(std::fs::read_to_string(file).unwrap().trim().parse().unwrap()).unwrap();
    let until = Instant::now() + Duration::from_secs(2);
    while test_kill_process(pid).is_ok() {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        if stat.contains(") Z ") {
            return;
        }
        assert!(Instant::now() < until, "still alive: {stat}");
        std::thread::sleep(Duration::from_millis(10));
    }
}
