//! Connections that are kept for the next call. The process that keeps them is this test binary, started for the one test that plays it.
#![expect(clippy::disallowed_methods, reason = "a test writes its own files and ends what it has started")]

use crate::door::{Door, LONG, authorized, rest};
use crate::sshd::Sshd;
use fleet::{Endpoint, Keep, Keeper, Pipe, Received, Trouble};
use std::ffi::OsString;
use std::fs;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// The command line has it that this process keeps connections.
#[test]
fn plays_the_keeper() {
    let mut words = std::env::args_os().skip_while(|word| word != "keep-connections");
    if let Some(dir) = words.nth(1) {
        Keeper::run(dir.into()).unwrap();
    }
}

/// A machine on which one call comes after the other.
pub struct Desk {
    pub dir: TempDir,
    pub sshd: Sshd,
}

impl Desk {
    fn new() -> Self {
        Self::with(&[])
    }

    /// With these lines of sshd_config(5).
    pub fn with(options: &[&str]) -> Self {
        Self { dir: tempfile::tempdir().unwrap(), sshd: Sshd::start(options) }
    }

    pub fn dir(&self) -> PathBuf {
        self.dir.path().join("keep")
    }

    /// One more call.
    pub fn door(&self) -> Door {
        door(&self.dir())
    }

    /// One more call, which says what came, and ends.
    fn says(&self, endpoint: &Endpoint, command: &str) -> String {
        self.door().run(endpoint, command).unwrap().0
    }

    pub fn logins(&self) -> usize {
        self.sshd.log().matches("Accepted ").count()
    }

    /// The sockets at which kept connections wait.
    fn seats(&self) -> Vec<PathBuf> {
        let Ok(entries) = fs::read_dir(self.dir()) else { return Vec::new() };
        let paths = entries.map(|entry| entry.unwrap().path());
        paths.filter(|path| path.extension().is_none()).collect()
    }

    /// Waits until so many wait there.
    pub fn waits_for_seats(&self, count: usize) {
        let start = Instant::now();
        while self.seats().len() != count {
            assert!(start.elapsed() < LONG, "{:?} in place of {count}", self.seats());
            sleep(Duration::from_millis(5));
        }
    }

    /// The processes that keep its connections.
    fn keepers(&self) -> Vec<String> {
        let dir = self.dir();
        let command_line = |pid: &String| fs::read(Path::new("/proc").join(pid).join("cmdline"));
        let ends = |line: Vec<u8>| {
            line.strip_suffix(b"\0").is_some_and(|line| line.ends_with(dir.as_os_str().as_encoded_bytes()))
        };
        let all =
            fs::read_dir("/proc").unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        all.filter(|pid| pid.parse::<u32>().is_ok()).filter(|pid| command_line(pid).is_ok_and(ends)).collect()
    }

    pub fn kill_keepers(&self) {
        self.signal_keepers("-KILL");
    }

    fn signal_keepers(&self, signal: &str) {
        let keepers = self.keepers();
        assert!(!keepers.is_empty());
        let sent = Command::new("kill").arg(signal).args(&keepers).status().unwrap();
        assert!(sent.success());
    }
}

/// A call that keeps its connections in `dir`.
pub fn door(dir: &Path) -> Door {
    let me = std::env::current_exe().unwrap().into_os_string();
    let words = ["--exact", "needs_root::kept::plays_the_keeper"].map(OsString::from);
    let program = std::iter::once(me).chain(words).collect();
    Door { keep: Some(Keep::new(dir, program)), ..Door::knowing(&[]) }
}

#[test]
fn calls_share_one_login() {
    let desk = Desk::new();
    let endpoint = desk.sshd.endpoint();
    for call in 0..3 {
        let door = desk.door();
        let mut remote = door.connect(&endpoint).unwrap();
        for (command, said, status) in [
            ("echo in; echo no >&2; exit 7", "in\n", Some(7)),
            ("kill -9 $$", "", None),
            ("cat", "", Some(0)),
        ] {
            let mut pipe = remote.exec(command).unwrap();
            if command == "cat" {
                pipe.finish(LONG).unwrap();
            }
            assert_eq!(rest(&mut *pipe).unwrap(), said.as_bytes(), "{command} in call {call}");
            assert_eq!(pipe.finish(LONG).unwrap(), status, "{command} in call {call}");
            assert_eq!(pipe.errors(), if status == Some(7) { &b"no\n"[..] } else { b"" });
        }
        drop(remote);
        desk.waits_for_seats(1);
    }
    assert_eq!(desk.logins(), 1);
}

#[test]
fn much_goes_both_ways_at_once() {
    let desk = Desk::new();
    let much: Vec<u8> = (0..10_000_000_u32).map(|n| (n / 7) as u8).collect();
    for _ in 0..2 {
        let command = "head -c 300000 /dev/zero >&2; cat; head -c 300000 /dev/zero >&2";
        let mut pipe = desk.door().connect(&desk.sshd.endpoint()).unwrap().exec(command).unwrap();
        pipe.send(&much).unwrap();
        let (mut came, mut buffer) = (Vec::new(), vec![0; 100_000]);
        while came.len() < much.len() {
            match pipe.receive(&mut buffer, LONG).unwrap() {
                Received::Bytes(count) => came.extend_from_slice(&buffer[..count]),
                other => panic!("{other:?} after {} bytes", came.len()),
            }
        }
        assert!(came == much);
        assert_eq!(pipe.finish(LONG).unwrap(), Some(0));
        assert_eq!(pipe.errors().len(), 64 << 10);
        drop(pipe);
        desk.waits_for_seats(1);
    }
    assert_eq!(desk.logins(), 1);
}

/// What becomes of a kept connection between two calls.
type Fate = (&'static str, fn(&Desk));

const FATES: &[Fate] = &[
    ("the keeper is killed", Desk::kill_keepers),
    ("the host ends it", |desk| {
        desk.sshd.end_sessions();
        desk.waits_for_seats(0);
    }),
    ("the host falls silent", |desk| desk.sshd.still_sessions()),
];

#[test]
fn a_connection_that_is_no_more_is_made_anew() {
    for (fate, befall) in FATES {
        let desk = Desk::new();
        let endpoint = desk.sshd.endpoint();
        assert_eq!(desk.says(&endpoint, "echo one"), "one\n");
        desk.waits_for_seats(1);
        befall(&desk);
        let (start, runs) = (Instant::now(), desk.dir.path().join("runs"));
        assert_eq!(
            desk.says(&endpoint, &format!("echo x >>{}; echo two", runs.display())),
            "two\n",
            "{fate}"
        );
        assert!(start.elapsed() < Duration::from_secs(8), "{fate}: {:?}", start.elapsed());
        assert_eq!(fs::read(runs).unwrap(), b"x\n", "{fate}");
        assert_eq!(desk.logins(), 2, "{fate}");
    }
}

#[test]
fn it_ends_by_itself_some_time_after_its_last_use_and_nothing_of_it_stays() {
    let desk = Desk::new();
    let endpoint = Endpoint { keep: Duration::from_secs(1), ..desk.sshd.endpoint() };
    for _ in 0..2 {
        desk.says(&endpoint, "true");
        desk.waits_for_seats(1);
    }
    assert_eq!((desk.logins(), desk.keepers().len()), (1, 1));
    desk.waits_for_seats(0);
    // It is a child of this process, which lives on.
    let start = Instant::now();
    while !desk.keepers().is_empty() {
        assert!(start.elapsed() < LONG);
        sleep(Duration::from_millis(5));
    }
    assert_eq!(fs::read_dir(desk.dir()).unwrap().count(), 0);
}

#[test]
fn who_comes_right_after_a_sleep_that_was_longer_finds_none() {
    let desk = Desk::new();
    let keep = Duration::from_secs(3);
    let endpoint = Endpoint { keep, ..desk.sshd.endpoint() };
    desk.says(&endpoint, "true");
    desk.waits_for_seats(1);
    desk.signal_keepers("-STOP");
    std::thread::scope(|scope| {
        let call = scope.spawn(|| desk.says(&endpoint, "echo in"));
        sleep(keep);
        desk.signal_keepers("-CONT");
        assert_eq!(call.join().unwrap(), "in\n");
    });
    assert_eq!(desk.logins(), 2);
}

#[test]
fn a_fresh_connection_is_a_login_and_ends_what_was_kept() {
    let desk = Desk::new();
    let endpoint = desk.sshd.endpoint();
    desk.says(&endpoint, "true");
    desk.waits_for_seats(1);
    desk.says(&endpoint.fresh(), "true");
    desk.waits_for_seats(0);
    assert_eq!(desk.logins(), 2);
    desk.says(&endpoint, "true");
    assert_eq!(desk.logins(), 3);
}

#[test]
fn a_host_whose_key_is_not_known_any_more_is_asked_for_it_again() {
    let desk = Desk::new();
    let known = desk.sshd.dir().join("known_hosts");
    let host = format!("[127.0.0.1]:{}", desk.sshd.port());
    fs::write(&known, format!("{host} {}\n", desk.sshd.host_key("host_ed25519"))).unwrap();
    let endpoint = Endpoint { host_keys: Vec::new(), ..desk.sshd.endpoint() };
    desk.says(&endpoint, "true");
    desk.waits_for_seats(1);
    fs::write(&known, "").unwrap();
    let refused = desk.door().run(&endpoint, "true").unwrap_err();
    assert!(matches!(refused, Trouble::HostKey(_)), "{refused}");
    desk.waits_for_seats(0);
}

#[test]
fn who_leaves_a_command_behind_leaves_no_connection() {
    let desk = Desk::new();
    let up = |command: &str| {
        let mut pipe = desk.door().connect(&desk.sshd.endpoint()).unwrap().exec(command).unwrap();
        assert_eq!(pipe.receive(&mut [0; 3], LONG).unwrap(), Received::Bytes(3));
    };
    // One that ends with its input has ended in order.
    up("echo up; cat");
    desk.waits_for_seats(1);
    up("echo up; exec sleep 20");
    desk.waits_for_seats(0);
    assert_eq!(desk.logins(), 1);
    assert_eq!(desk.says(&desk.sshd.endpoint(), "echo on"), "on\n");
    assert_eq!(desk.logins(), 2);
}

#[test]
fn troubles_are_the_same_as_without() {
    let desk = Desk::new();
    let endpoint = desk.sshd.endpoint();
    let dead = crate::sshd::free_port();
    let key = crate::door::fresh(&desk.sshd, "other", &["-t", "ed25519", "-N", ""]);
    for endpoint in [
        Endpoint { port: dead, ..endpoint.clone() },
        Endpoint { identities: vec![key], ..endpoint.clone() },
        Endpoint { host_keys: vec![desk.sshd.host_key("id_ed25519")], ..endpoint.clone() },
        Endpoint { host_keys: Vec::new(), ..endpoint.clone() },
    ] {
        let plain = Door::knowing(&[]).run(&endpoint, "true").unwrap_err();
        assert_eq!(desk.door().run(&endpoint, "true").unwrap_err(), plain);
    }
    assert_eq!(desk.seats(), Vec::<PathBuf>::new());
}

#[test]
fn whoever_is_asked_is_asked_here_and_nothing_is_kept() {
    let desk = Desk::new();
    let key = authorized(&desk.sshd, "sealed", &["-t", "ed25519", "-N", "open sesame"]);
    let endpoint = Endpoint { identities: vec![key], ..desk.sshd.endpoint() };
    for agent in [None, Some(desk.dir.path().join("no-agent"))] {
        let door = Door { answers: vec!["open sesame"].into(), ..desk.door() };
        let endpoint = Endpoint { agent, ..endpoint.clone() };
        assert_eq!(door.enter(&endpoint), "in");
        assert_eq!(door.asked.lock().unwrap().len(), 1);
        assert_eq!(desk.seats(), Vec::<PathBuf>::new());
    }
}

#[test]
fn a_command_whose_keeper_is_killed_is_lost() {
    let desk = Desk::new();
    let mut pipe: Box<dyn Pipe> =
        desk.door().connect(&desk.sshd.endpoint()).unwrap().exec("echo up; cat").unwrap();
    assert_eq!(pipe.receive(&mut [0; 3], LONG).unwrap(), Received::Bytes(3));
    desk.kill_keepers();
    assert!(matches!(pipe.receive(&mut [0; 3], LONG).unwrap_err(), Trouble::Lost { .. }));
    assert!(pipe.send(b"x").is_err() && pipe.finish(LONG).is_err());
}

#[test]
fn what_sits_there_and_says_nothing_is_not_waited_for_without_an_end() {
    let desk = Desk::new();
    let endpoint = desk.sshd.endpoint();
    desk.says(&endpoint, "true");
    desk.waits_for_seats(1);
    let seat = desk.seats().remove(0);
    // Somebody takes the one place there is, and says nothing.
    let _mute = UnixStream::connect(&seat).unwrap();
    desk.waits_for_seats(0);
    let start = Instant::now();
    assert_eq!(desk.says(&endpoint, "echo in"), "in\n");
    assert!(start.elapsed() < Duration::from_secs(8));
    assert_eq!(desk.logins(), 2);
}
