//! Faults on a host that is made up: what programs are run to put each, and to take it back, also where it was put by halves or not at all.

use agent::drills::{
    Begun, Cannot, Cut, NAME, Process, Room, Said, Signal, Tools, Whose, begin, decode, end, standing, undo,
};
use agent::state::{Pending, Phase, StateDir};
use model::{Failure, Fault, Keeper};
use serde_json::{Value, json};
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Programs answer as the first entry says that their command line begins with; all others are fine and silent.
#[derive(Default)]
struct Host<'a> {
    answers: Vec<(&'a str, Option<Said>)>,
    without_services: bool,
    memory: Option<u64>,
    is_filled: bool,
    mount: Option<&'a str>,
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
    fn mtu(&self, interface: &str) -> Result<Option<u64>, Failure> {
        Ok([("eth0", 1500), ("lo", 65_536)].iter().find(|(name, _)| *name == interface).map(|(_, mtu)| *mtu))
    }
    fn mounted_at(&self, _: &Path) -> Result<Option<PathBuf>, Failure> {
        Ok(self.mount.map(PathBuf::from))
    }
    fn processes(&self) -> Result<Vec<Process>, Failure> {
        let process = |pid, name: &str| {
            let unit = format!("{name}.service");
            Process { pid, start: 1, name: name.to_owned(), unit }
        };
        Ok(vec![process(7, "nginx"), process(8, "db")])
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
    fn size(&self, path: &Path) -> Result<(u64, u64), Failure> {
        match path.ends_with(".keel-drill") && !self.is_filled {
            true => Err(Failure::Missing { what: path.display().to_string() }),
            false => Ok((10, 4711)),
        }
    }
    fn append(&self, path: &Path, inode: u64, text: &str) -> Result<(), Failure> {
        self.did(format!("append {} {inode} {text}", path.display()));
        Ok(())
    }
    fn cut(&self, path: &Path, inode: u64, size: u64, text: &str) -> Result<Cut, Failure> {
        self.did(format!("cut {} {inode} {size} {text}", path.display()));
        Ok(Cut::Done)
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
        "nft -f - table inet keel_drill { chain prerouting { type filter hook prerouting priority -300; policy accept; fib daddr type local tcp dport 80 drop } chain input { type filter hook input priority -300; policy accept; tcp dport 80 drop } chain output { type filter hook output priority -300; policy accept; fib daddr type local tcp dport 80 drop } }",
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

/// How systemd is asked what a unit is, and what is stopped with it.
const STATE: &str = "systemctl show --property=ActiveState --value -- ";
const ALONG: &str =
    "systemctl show --property=RequiredBy,RequisiteOf,BoundBy,ConsistsOf,PropagatesStopTo --value -- ";

#[test]
fn faults_are_put_and_taken_back_by_these() {
    for (sort, params, done, undone) in FAULTS {
        let host = Host { answers: vec![(STATE, says("active\n"))], ..Host::default() };
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
fn a_bucket_holds_the_longest_packet_of_its_interface() {
    let netem = "tc qdisc add dev lo root handle 6b65: netem";
    let host = Host { answers: vec![(netem, fails("Unknown kind."))], ..Host::default() };
    put(&host, "net", json!({ "interface": "lo", "delay": "100ms" })).0.expect("it is put");
    let done = host.take();
    assert!(done.ends_with("tbf rate 5244kbit burst 65550 latency 2s"), "{done}");
}

/// `app` needs `db`, and `worker`, which does not run, needs `app`.
fn host_of_units<'a>(state: &'static str, needs_db: &'static str, names: &'a [String; 3]) -> Host<'a> {
    let [db, app, worker] = names;
    let answers = vec![
        (db.as_str(), says(needs_db)),
        (app, says("worker.service db.service\n")),
        (worker, says("inactive\n")),
        (STATE, says(state)),
    ];
    Host { answers, ..Host::default() }
}

#[test]
fn what_is_stopped_with_a_unit_is_started_with_it() {
    let names =
        [format!("{ALONG}db.service"), format!("{ALONG}app.service"), format!("{STATE}worker.service")];
    for (sort, params) in [("stop", json!({ "unit": "db" })), ("kill", json!({ "process": "db" }))] {
        let up = host_of_units("active\n", "\n\napp.service multi-user.target\n", &names);
        let (told, note) = put(&up, sort, params);
        let said = "db.service was stopped, and with it app.service, multi-user.target";
        assert!(sort == "kill" || told == Ok(said.to_owned()), "{told:?}");
        let down = host_of_units("inactive\n", "", &names);
        let done = undo(sort, &note, &down).expect("there is such a sort");
        assert_eq!(done, Ok("db.service was started, app.service was started".to_owned()), "{sort}");
    }
    let up = host_of_units("active\n", "app.service ssh.service\n", &names);
    let why = format!("{:?}", put(&up, "stop", json!({ "unit": "db" })).0);
    assert!(why.starts_with("Err(") && why.contains("ssh.service would be stopped with db.service"), "{why}");
}

#[test]
fn one_that_cannot_be_started_holds_up_no_other() {
    let host = Host { answers: vec![("systemctl start -- a.service", fails("no"))], ..Host::default() };
    assert!(
        undo("stop", &json!({ "units": ["a.service", "b.service"] }), &host).is_some_and(|it| it.is_err())
    );
    assert!(host.take().ends_with("systemctl start -- b.service"));
}

#[test]
fn a_file_system_that_is_not_mounted_yet_is_waited_for() {
    fn mounted(mount: Option<&str>) -> Host<'_> {
        Host { mount, ..Host::default() }
    }
    let (_, note) = put(&mounted(Some("/srv")), "disk", json!({ "path": "/srv" }));
    let back = |mount: Option<&str>| undo("disk", &note, &mounted(mount)).expect("there is such a sort");
    assert!(back(None).is_err_and(|why| why.to_string().contains("/srv is not mounted")));
    assert_eq!(back(Some("/srv")), Ok("/srv/.keel-drill is gone".to_owned()));
    let host = Host { memory: Some(1 << 40), ..mounted(Some("/srv")) };
    let (_, note) = put(&host, "disk", json!({ "path": "/srv" }));
    assert!(undo("disk", &note, &mounted(None)).expect("there is such a sort").is_ok());
}

#[test]
fn a_file_that_was_there_before_the_drill_is_not_taken_for_its_own() {
    let host = Host { is_filled: true, ..Host::default() };
    let told = put(&host, "disk", json!({ "path": "/srv" })).0;
    assert!(matches!(told, Err(Cannot::Failed(why)) if why.to_string().contains("is there already")));
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
        ("kill", json!({ "process": "systemd-network" })),
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

const NOW: &str = "2026-01-01T00:00:00Z";

fn fault(name: &str) -> Fault {
    Fault {
        name: name.to_owned(),
        sort: "file".to_owned(),
        params: json!({ "path": "/a", "text": "x" }),
        seconds: 60,
        by: "ann".to_owned(),
        keeper: Keeper::Any,
    }
}

#[test]
fn who_was_to_take_a_fault_back_and_was_killed_holds_up_nobody_for_ever() {
    let dir = tempfile::tempdir().expect("there is room");
    let (state, host) = (StateDir::new(dir.path()), Host::default());
    let begun = |name: &str| begin(&fault(name), (&state, &host), &|| Ok(()), NOW).expect("it was tried");
    assert!(matches!(begun("mine"), Begun::Put(_)));
    assert_eq!(begun("other"), Begun::Locked("the drill mine of ann is under way".to_owned()));
    let mut left: Value = serde_json::from_slice(&state.read(NAME).unwrap().unwrap()).unwrap();
    left["until"] = json!(0);
    state.write(NAME, left.to_string().as_bytes()).unwrap();
    assert!(matches!(begun("other"), Begun::Put(_)));
    let told = String::from_utf8(state.read("drills").unwrap().unwrap()).unwrap();
    assert!(told.contains("mine ends, its time is over: /a has its own end again"), "{told}");
}

#[test]
fn a_host_with_a_run_that_waits_to_be_confirmed_is_left_alone() {
    let dir = tempfile::tempdir().expect("there is room");
    let (state, host) = (StateDir::new(dir.path()), Host::default());
    state.make().unwrap();
    let pending = Pending { run: 7, window: 60, because: Vec::new(), phase: Phase::Waiting };
    state.lock_pending("a test").unwrap().put(&pending).unwrap();
    let begun = begin(&fault("mine"), (&state, &host), &|| Ok(()), NOW);
    assert_eq!(begun, Ok(Begun::Locked("run 7 waits to be confirmed".to_owned())));
}

#[test]
fn who_asks_late_does_not_end_the_fault_of_another_drill() {
    let dir = tempfile::tempdir().expect("there is room");
    let (state, host, now) = (StateDir::new(dir.path()), Host::default(), NOW);
    let fault = fault("mine");
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
