//! Faults on a host that is made up: what programs are run to put each, and to take it back, also where it was put by halves or not at all.

use agent::drills::{
    Begun, Cannot, Process, Room, Said, Signal, Tools, Whose, begin, decode, end, standing, undo,
};
use agent::state::StateDir;
use model::{Failure, Fault, Keeper};
use serde_json::{Value, json};
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::Path;

/// Programs answer as the first entry says that their command line begins with; all others are fine and silent.
#[derive(Default)]
struct Host<'a> {
    answers: Vec<(&'a str, Option<Said>)>,
    without_services: bool,
    memory: Option<u64>,
    done: RefCell<Vec<String>>,
}

impl Host<'_> {
    fn did(&self, what: String) {
        self.done.borrow_mut().push(what);
    }

    fn take(&self) -> String {
        std::mem::take(&mut *self.done.borrow_mut()).join("; ")
    }
}

fn says(out: &str) -> Option<Said> {
    Some(Said { fine: true, out: out.to_owned(), err: String::new() })
}

fn fails(err: &str) -> Option<Said> {
    Some(Said { fine: false, out: String::new(), err: err.to_owned() })
}

impl Tools for Host<'_> {
    fn run(&self, argv: &[&str], input: &str) -> Result<Said, Failure> {
        let line = argv.join(" ");
        self.did(format!(
            "{line}{}",
            input.split_whitespace().map(|word| format!(" {word}")).collect::<String>()
        ));
        let found = self.answers.iter().find(|(start, _)| line.starts_with(start));
        let missing =
            || Failure::Command { argv: line.clone(), status: "not found".into(), stderr: String::new() };
        found.map_or(Ok(Said { fine: true, ..Said::default() }), |(_, said)| said.clone().ok_or_else(missing))
    }
    fn has_services(&self) -> bool {
        !self.without_services
    }
    fn has_interface(&self, name: &str) -> bool {
        name == "eth0"
    }
    fn processes(&self) -> Result<Vec<Process>, Failure> {
        let unit = "nginx.service".to_owned();
        Ok(vec![Process { pid: 7, start: 1, name: "nginx".into(), unit }])
    }
    fn signal(&self, process: &Process, signal: Signal) -> Result<bool, Failure> {
        self.did(format!("{signal:?} {}", process.pid));
        Ok(true)
    }
    fn ssh_ports(&self) -> Result<BTreeSet<u16>, Failure> {
        Ok(BTreeSet::from([22, 2222]))
    }
    fn room(&self, _: &Path) -> Result<Room, Failure> {
        Ok(Room { free: 100 << 20, memory: self.memory, has_state: true })
    }
    fn fill(&self, path: &Path, bytes: u64) -> Result<(), Failure> {
        self.did(format!("fill {} {}", path.display(), bytes >> 20));
        Ok(())
    }
    fn remove(&self, path: &Path) -> Result<bool, Failure> {
        self.did(format!("remove {}", path.display()));
        Ok(true)
    }
    fn size(&self, _: &Path) -> Result<(u64, u64), Failure> {
        Ok((10, 4711))
    }
    fn append(&self, path: &Path, inode: u64, text: &str) -> Result<(), Failure> {
        self.did(format!("append {} {inode} {text}", path.display()));
        Ok(())
    }
    fn cut(&self, path: &Path, inode: u64, size: u64, text: &str) -> Result<bool, Failure> {
        self.did(format!("cut {} {inode} {size} {text}", path.display()));
        Ok(true)
    }
}

/// Puts a fault: what was done, or why not; and the note.
fn put(host: &Host<'_>, sort: &str, params: Value) -> (Result<String, Cannot>, Value) {
    let fault = decode(sort, &params).expect("there is such a sort").expect("it is right");
    match fault.prepare(host) {
        Ok(note) => {
            host.take();
            (fault.inject(&note, host), note)
        }
        Err(cannot) => (Err(cannot), Value::Null),
    }
}

/// Each sort with its keys; what is done to put it; what is done to take it back.
const FAULTS: &[(&str, &str, &str, &str)] = &[
    (
        "stop",
        r#"{"unit": "nginx"}"#,
        "systemctl stop -- nginx.service",
        "systemctl show --property=ActiveState --value -- nginx.service",
    ),
    (
        "kill",
        r#"{"process": "nginx", "signal": "STOP"}"#,
        "Stop 7",
        "Cont 7; systemctl show --property=ActiveState --value -- nginx.service",
    ),
    (
        "port",
        r#"{"number": 80}"#,
        "nft -f - table inet keel_drill { chain input { type filter hook input priority -300; policy accept; tcp dport 80 drop } }",
        "nft list table inet keel_drill; nft delete table inet keel_drill",
    ),
    ("disk", r#"{"path": "/srv"}"#, "fill /srv/.keel-drill 36", "remove /srv/.keel-drill"),
    ("file", r#"{"path": "/a", "text": "x"}"#, "append /a 4711 x", "cut /a 4711 10 x"),
    (
        "net",
        r#"{"interface": "eth0", "delay": "1s", "loss": "5%"}"#,
        "tc qdisc add dev eth0 root handle 6b65: netem delay 1000ms loss 5%",
        "tc qdisc show dev eth0 root; nft list table inet keel_drill; nft delete table inet keel_drill",
    ),
];

#[test]
fn faults_are_put_and_taken_back_by_these() {
    for (sort, params, done, undone) in FAULTS {
        let host = Host { answers: vec![("systemctl show", says("active\n"))], ..Host::default() };
        let (told, note) = put(&host, sort, serde_json::from_str(params).expect("it is JSON"));
        assert!(told.is_ok(), "{sort}: {told:?}");
        assert_eq!(host.take(), *done, "{sort}");
        undo(sort, &note, &host).expect("there is such a sort").expect("it went");
        assert_eq!(host.take(), *undone, "{sort}");
    }
}

/// What of queues and nftables a host has, as `tc` and `nft` answer; what is wanted of its interface; what is told then, or why not.
const MEANS: &[(&str, &str, Result<&str, &str>)] = &[
    (
        "netem tbf nft",
        r#"{"delay": "100ms", "loss": "5%", "rate": "1mbit"}"#,
        Ok("netem delay 100ms loss 5% rate 1000kbit"),
    ),
    (
        "tbf nft",
        r#"{"delay": "100ms", "loss": "5%"}"#,
        Ok(
            "loss of 5 % each way by nftables, tbf of 122 kbit/s in place of a delay (the kernel has no netem)",
        ),
    ),
    ("nft", r#"{"loss": "5%"}"#, Ok("loss of 5 % each way by nftables (the kernel has no netem)")),
    ("tbf", r#"{"rate": "1mbit"}"#, Ok("rate of 1000 kbit/s by tbf (the kernel has no netem)")),
    (
        "tbf",
        r#"{"delay": "1ms", "rate": "64kbit"}"#,
        Ok("tbf of 64 kbit/s in place of a delay (the kernel has no netem)"),
    ),
    ("tbf", r#"{"loss": "5%"}"#, Err("the kernel has no netem (Unknown kind.), and there is no nftables")),
    (
        "nft",
        r#"{"loss": "5%", "rate": "1mbit"}"#,
        Err("the kernel has neither netem (Unknown kind.) nor tbf (Unknown kind.)"),
    ),
];

#[test]
fn an_interface_is_told_to_be_slow_by_what_has_made_it_so() {
    let start = |queue: &str| format!("tc qdisc add dev eth0 root handle 6b65: {queue}");
    let (netem, tbf) = (start("netem"), start("tbf"));
    for (has, params, expected) in MEANS {
        let lacks = [
            ("netem", &*netem, fails("Unknown kind.")),
            ("tbf", &tbf, fails("Unknown kind.")),
            ("nft", "nft", None),
        ];
        let lacks = lacks.into_iter().filter(|(means, ..)| !has.contains(means));
        let host = Host { answers: lacks.map(|(_, start, said)| (start, said)).collect(), ..Host::default() };
        let mut params: Value = serde_json::from_str(params).expect("it is JSON");
        params["interface"] = "eth0".into();
        let (told, _) = put(&host, "net", params.clone());
        match (expected, told) {
            (Ok(expected), Ok(told)) => assert_eq!(told, format!("eth0: {expected}")),
            (Err(expected), Err(Cannot::Here(why))) => assert_eq!(why, *expected),
            (_, told) => panic!("{has}: {params}: {told:?}"),
        }
        assert_eq!(
            host.take().contains("iifname \"eth0\" numgen random mod 100 < 5 drop"),
            params["loss"] == "5%" && !has.contains("netem") && has.contains("nft")
        );
    }
}

#[test]
fn what_a_host_lacks_is_told_apart_from_what_is_refused() {
    let here = |cannot: &Cannot| matches!(cannot, Cannot::Here(_));
    let no_nft = Host { answers: vec![("nft", None)], ..Host::default() };
    let no_tc = Host { answers: vec![("tc", None)], ..Host::default() };
    let bare = Host { without_services: true, ..Host::default() };
    let small = Host { memory: Some(40 << 20), ..Host::default() };
    let other = Host { answers: vec![("tc qdisc show", says("qdisc tbf 8001: root\n"))], ..Host::default() };
    for (host, sort, params, is_here) in [
        (&no_nft, "port", json!({ "number": 80 }), true),
        (&no_tc, "net", json!({ "interface": "eth0", "loss": "5%" }), true),
        (&bare, "stop", json!({ "unit": "nginx" }), true),
        (&bare, "kill", json!({ "process": "none" }), true),
        (&small, "disk", json!({ "path": "/srv" }), true),
        (&other, "net", json!({ "interface": "eth0", "loss": "5%" }), false),
        (&no_tc, "net", json!({ "interface": "eth9", "loss": "5%" }), false),
        (&no_tc, "port", json!({ "number": 2222 }), false),
        (&no_tc, "stop", json!({ "unit": "nginx" }), false),
        (&no_tc, "kill", json!({ "process": "none" }), false),
        (&no_tc, "disk", json!({ "path": "/srv", "leave": "4M" }), false),
    ] {
        let (told, _) = put(host, sort, params.clone());
        let cannot = told.expect_err("it cannot be put");
        assert_eq!(here(&cannot), is_here, "{sort} {params}: {cannot:?}");
    }
}

#[test]
fn what_cannot_be_looked_at_is_not_taken_for_gone() {
    let host =
        Host { answers: vec![("nft list table", fails("Operation not permitted"))], ..Host::default() };
    assert!(undo("port", &json!({}), &host).expect("it is a sort").is_err());
    let host =
        Host { answers: vec![("nft list table", fails("No such file or directory"))], ..Host::default() };
    assert_eq!(undo("port", &json!({}), &host).expect("it is a sort"), Ok(String::new()));
}

#[test]
fn nobody_puts_what_the_way_back_needs() {
    for (sort, params) in [
        ("port", json!({ "number": 22 })),
        ("kill", json!({ "process": "sshd" })),
        ("kill", json!({ "process": "systemd" })),
        ("stop", json!({ "unit": "ssh" })),
        ("stop", json!({ "unit": "systemd-networkd" })),
        ("stop", json!({ "unit": "multi-user.target" })),
        ("stop", json!({ "unit": "-h" })),
        ("net", json!({ "interface": "eth0", "loss": "51%" })),
        ("net", json!({ "interface": "eth0", "delay": "3s" })),
        ("net", json!({ "interface": "eth0" })),
        ("disk", json!({ "path": "/srv", "leave": "0M" })),
        ("file", json!({ "path": "/a", "text": "" })),
    ] {
        assert!(decode(sort, &params).expect("there is such a sort").is_err(), "{sort} {params}");
    }
}

#[test]
fn who_asks_late_does_not_end_the_fault_of_another_drill() {
    let dir = tempfile::tempdir().expect("there is room");
    let (state, host, now) = (StateDir::new(dir.path()), Host::default(), "2026-01-01T00:00:00Z");
    let fault = Fault {
        name: "mine".to_owned(),
        sort: "file".to_owned(),
        params: json!({ "path": "/a", "text": "x" }),
        seconds: 60,
        by: "ann".to_owned(),
        keeper: Keeper::Any,
    };
    let begun = begin(&fault, (&state, &host), &|| Ok(()), now).expect("it was put");
    assert!(matches!(begun, Begun::Put(_)), "{begun:?}");
    for (name, by) in [("mine", "bob"), ("other", "ann")] {
        let told = end((&state, &host), Whose::Of { name, by }, "asked", now);
        assert_eq!(told, Ok(None), "{name} of {by}");
        assert!(standing(&state).expect("it is read").is_some(), "{name} of {by}");
    }
    let told = end((&state, &host), Whose::Of { name: "mine", by: "ann" }, "asked", now);
    assert!(matches!(told, Ok(Some(_))), "{told:?}");
    assert_eq!(standing(&state), Ok(None));
}
