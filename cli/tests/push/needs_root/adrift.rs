//! Connections that break after the yes, and controllers that die: nothing is told twice, nothing is missing, and the exit code is the run's.

use crate::hosts::{Hosts, Ran};
use serde_json::Value;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

/// Something is told before, while and after the connection is cut.
const ROLE: &str = "[file.\"/srv/a\"]\ncontent = \"a\\n\"\n\
    [exec.wait]\ncommand = [\"sh\", \"-c\", \"touch /srv/begun; until test -e /srv/go; do sleep 0.1; done\"]\nrequire = [\"file./srv/a\"]\n\
    [file.\"/srv/b\"]\ncontent = \"b\\n\"\nrequire = [\"exec.wait\"]\n";

fn soon(what: &str, is: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !is() {
        assert!(Instant::now() < deadline, "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// An apply whose run has begun and waits.
fn begun(hosts: &Hosts, words: &[&str]) -> Child {
    let mut keel = hosts.command(words);
    let child = keel.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("keel starts");
    soon("it begins", || hosts.on(1, "/srv/begun").exists());
    child
}

fn go(hosts: &Hosts) {
    std::fs::write(hosts.on(1, "/srv/go"), "").expect("written");
}

/// Lines of JSON, without what is said of the connection.
fn events(ran: &Ran) -> Vec<Value> {
    let lines = ran.out.lines().map(|line| serde_json::from_str::<Value>(line).expect(line));
    lines.filter(|line| !matches!(line["event"].as_str(), Some("push" | "fleet"))).collect()
}

/// The run's own record.
fn record(hosts: &Hosts) -> Vec<Value> {
    let text = std::fs::read_to_string(hosts.on(1, "/var/lib/evenkeel/runs/000001/events"));
    text.expect("a record").lines().map(|line| serde_json::from_str(line).expect(line)).collect()
}

fn assert_told(told: &[Value], hosts: &Hosts) {
    let bare = |event: &Value| {
        let mut event = event.clone();
        event.as_object_mut().expect("an object").remove("host");
        event
    };
    assert_eq!(told.iter().map(bare).collect::<Vec<_>>(), record(hosts));
}

#[test]
fn a_run_is_followed_over_a_new_connection() {
    let hosts = Hosts::new(1, ROLE);
    let keel = begun(&hosts, &["apply", "web1", "--yes", "--format", "json"]);
    hosts.cut(1);
    std::thread::sleep(Duration::from_millis(500));
    hosts.cut(1);
    go(&hosts);
    let ran = hosts.ran(keel.wait_with_output().expect("it ends"));
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.out.contains("run 1 goes on there, and is attached to again"), "{ran:?}");
    assert_told(&events(&ran), &hosts);
}

#[test]
fn what_a_controller_had_not_told_when_it_died_is_told_by_attach() {
    let hosts = Hosts::new(1, ROLE);
    let mut keel = begun(&hosts, &["apply", "web1", "--yes", "--format", "json"]);
    soon("what it was told is kept", || {
        hosts.kept().contains("\"next\":5") || hosts.kept().contains("\"next\":6")
    });
    keel.kill().expect("it is ours");
    let first = hosts.ran(keel.wait_with_output().expect("it ends"));
    let remark =
        "note: run 1 on web1 (apply web1) was lost sight of: `keel attach 1 web1` tells what becomes of it";
    let ran = hosts.keel("plan gone");
    assert!(ran.err.contains(remark), "{ran:?}");
    go(&hosts);
    let second = hosts.keel("attach web1 --format json");
    assert_eq!(second.code, 0, "{second:?}");
    assert_told(&[events(&first), events(&second)].concat(), &hosts);
    assert_eq!(hosts.kept(), "");
    let all = hosts.keel("attach 1 web1 --all --format json");
    assert_told(&events(&all), &hosts);
}

#[test]
fn an_apply_sees_the_end_of_what_was_lost_before_it_begins() {
    let hosts = Hosts::new(1, ROLE);
    let mut keel = begun(&hosts, &["apply", "web1", "--yes"]);
    keel.kill().and_then(|()| keel.wait().map(drop)).expect("it is ours");
    let again = begun(&hosts, &["apply", "web1", "--yes"]);
    std::thread::sleep(Duration::from_secs(1));
    go(&hosts);
    let ran = hosts.ran(again.wait_with_output().expect("it ends"));
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(
        ran.err.contains("run 1 was lost sight of here (apply web1); it is attached to first"),
        "{ran:?}"
    );
    assert!(ran.out.contains("web1: run 1: 3 changed\n") && ran.out.contains("web1: "), "{ran:?}");
}

#[test]
fn where_nothing_can_be_kept_the_work_goes_on() {
    let hosts = Hosts::new(1, "[file.\"/srv/a\"]\ncontent = \"a\\n\"\n");
    let mut keel = hosts.command(&["apply", "web1", "--yes"]);
    keel.env("XDG_STATE_HOME", "/proc/nothing");
    let ran = hosts.ran(keel.output().expect("keel starts"));
    assert!(ran.code == 0 && ran.err.contains("a later call will not know of this run"), "{ran:?}");
}
