//! The program by itself: its command line, and what it costs a host that is as it is to be.

use crate::host::Host;
use crate::peer::Peer;
use std::process::Command;
use std::time::{Duration, SystemTime};
use wire::{Ending, Order};

fn ran(words: &[&str]) -> (Option<i32>, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_keel-agent")).args(words).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn it_tells_its_version_and_nothing_else_is_understood() {
    let (code, out, _) = ran(&["--version"]);
    assert_eq!((code, out), (Some(0), format!("keel-agent {}\n", env!("CARGO_PKG_VERSION"))));
    for words in [&[][..], &["apply"], &["serve", "x"], &["--version", "x"], &["--help"]] {
        let (code, out, err) = ran(words);
        assert!(code == Some(3) && out.is_empty() && err.starts_with("usage: keel-agent serve"), "{words:?}");
    }
}

#[test]
fn an_older_agent_is_tidied_away_after_the_work() {
    let host = Host::new();
    let older = host.state("bin").join(format!("keel-agent-{}", "b".repeat(64)));
    let file = std::fs::File::create(&older).unwrap();
    file.set_modified(SystemTime::now() - Duration::from_secs(3600)).unwrap();
    let talk = host.start().talk(&Order::Facts, &[], true);
    assert_eq!((talk.code, talk.stderr.as_str()), (Some(0), ""));
    assert!(!older.exists() && host.agent().exists());
}

const STARTS_AND_CHANGES: &str =
    "trace=execve,execveat,fork,vfork,rename,renameat,renameat2,unlinkat,mkdirat";

#[test]
fn a_host_that_is_as_desired_costs_no_process_and_no_write() {
    let (host, bytes) = (Host::new(), &b"a"[..]);
    let work = host.work(&[("a", bytes)]);
    host.apply(&work, &[bytes]);
    let trace = host.file("trace");
    let mut strace = Command::new("strace");
    strace.args(["-f", "-qq", "-e", STARTS_AND_CHANGES]);
    strace.arg("-o").arg(&trace).arg(host.agent()).arg("serve");
    strace.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped());
    strace.stderr(std::process::Stdio::piped());
    // Without strace there is nothing to look with; the lab's hosts are watched as well.
    if Command::new("strace").arg("-V").output().is_err() {
        return;
    }
    let talk = Peer::start(&mut strace).talk(&Order::Apply(work), &[], true);
    assert_eq!(
        (talk.words().join(" ").as_str(), talk.ending()),
        ("hello plan report done", Some(&Ending::Unchanged))
    );
    let traced = std::fs::read_to_string(&trace).unwrap();
    // A thread that ends while strace gets hold of it is told of as `???`.
    let calls = traced.lines().filter(|line| !line.contains("???"));
    assert_eq!(calls.count(), 1, "{traced}");
}
