//! A command that one call leaves for the next, or its own that stays. Calls are processes of their own: what they leave is started when they have ended.
#![expect(clippy::disallowed_methods, reason = "a test starts its own programs")]

use super::kept::{Desk, door};
use crate::door::{LONG, rest};
use fleet::{Endpoint, Received, Spare};
use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// What is left: it says that it is there, waits for four bytes, and then for its end.
const COMMAND: &str = "echo $$ >>{dir}/up; echo up; head -c 4; echo on; exec cat";

fn spare(dir: &Path) -> Spare {
    let command = COMMAND.replace("{dir}", &dir.display().to_string());
    Spare { label: "label".to_owned(), nonce: "nonce".to_owned(), command, word: b"word".to_vec() }
}

/// The command line has it that this process is a call: directory and endpoint follow, and its own command where that is to stay.
#[test]
fn plays_a_call() {
    let words: Vec<String> = std::env::args().skip_while(|word| word != "call-from").collect();
    if let [_, dir, endpoint, command @ ..] = &words[..] {
        let endpoint: Endpoint = serde_json::from_str(endpoint).unwrap();
        let mut remote = door(&Path::new(dir).join("keep")).connect(&endpoint).unwrap();
        let mut pipe = remote.exec(command.first().map_or("echo in", String::as_str)).unwrap();
        assert_eq!(pipe.receive(&mut [0; 3], LONG).unwrap(), Received::Bytes(3));
        remote.leave(spare(Path::new(dir)));
        if !command.is_empty() {
            remote.stay();
        }
    }
}

impl Desk {
    /// A call in another process leaves one, and it runs.
    fn leaves(&self, endpoint: &Endpoint) {
        self.calls(endpoint, None);
    }

    /// The same, and this command of its own is to stay.
    fn calls(&self, endpoint: &Endpoint, own: Option<&str>) {
        let mut call = Command::new(std::env::current_exe().unwrap());
        call.args(["--exact", "needs_root::spare::plays_a_call", "--", "call-from"]);
        call.arg(self.dir.path()).arg(serde_json::to_string(endpoint).unwrap()).args(own);
        let called = call.output().unwrap();
        assert!(called.status.success(), "{called:?}");
        self.waits_for_seats(1);
    }

    fn waits_for(&self, file: &str) -> String {
        let start = Instant::now();
        loop {
            match fs::read_to_string(self.dir.path().join(file)) {
                Ok(text) if text.ends_with('\n') => return text,
                _ => assert!(start.elapsed() < LONG, "no {file}"),
            }
            sleep(Duration::from_millis(5));
        }
    }

    /// One more call, which takes what was left: what that says, and how the call's own command goes.
    fn takes(&self, label: &str) -> (Option<String>, String) {
        let mut remote = self.door().connect(&self.sshd.endpoint()).unwrap();
        let taken = remote.take(&["other", label]);
        let said = taken.map(|mut taken| {
            assert_eq!(taken.label, "label");
            // Its lines are known by the nonce; one that has stayed says none.
            assert_eq!(taken.nonce.is_some(), self.dir.path().join("up").exists());
            taken.pipe.send(b" and more").unwrap();
            let (mut came, mut buffer) = (String::new(), [0; 100]);
            while !came.ends_with("more") {
                let Ok(Received::Bytes(count)) = taken.pipe.receive(&mut buffer, LONG) else { break };
                came.push_str(std::str::from_utf8(&buffer[..count]).unwrap());
            }
            assert_eq!(taken.pipe.finish(LONG).unwrap(), Some(0));
            came
        });
        let own = rest(&mut *remote.exec("echo own").unwrap()).unwrap();
        (said, String::from_utf8(own).unwrap())
    }
}

#[test]
fn the_next_call_finds_what_the_last_one_has_left() {
    let desk = Desk::with(&[]);
    for _ in 0..2 {
        desk.leaves(&desk.sshd.endpoint());
        desk.waits_for("up");
        let said = "up\nwordon\n and more";
        assert_eq!(desk.takes("label"), (Some(said.to_owned()), "own\n".to_owned()));
        fs::remove_file(desk.dir.path().join("up")).unwrap();
        desk.waits_for_seats(1);
    }
    // It was taken: there is none for another call.
    assert_eq!(desk.takes("label"), (None, "own\n".to_owned()));
    assert_eq!(desk.logins(), 1);
}

/// What the calls' own command is, whether it is there for the next one, and what that hears of it.
type Stay = (&'static str, &'static str);

const STAYS: &[Stay] = &[
    ("echo in; head -c 4; echo on; exec cat", "wordon\n and more"),
    // It has ended by itself: what was left is started.
    ("echo in", "up\nwordon\n and more"),
];

#[test]
fn the_calls_own_command_stays_where_it_can() {
    for (own, said) in STAYS {
        let desk = Desk::with(&[]);
        for _ in 0..2 {
            desk.calls(&desk.sshd.endpoint(), Some(own));
            if said.starts_with("up") {
                desk.waits_for("up");
            }
            assert_eq!(desk.takes("label"), (Some((*said).to_owned()), "own\n".to_owned()));
            fs::remove_file(desk.dir.path().join("up")).ok();
            desk.waits_for_seats(1);
        }
        assert_eq!(desk.logins(), 1);
    }
}

#[test]
fn one_that_has_stayed_and_speaks_unasked_is_not_taken() {
    let desk = Desk::with(&[]);
    desk.calls(&desk.sshd.endpoint(), Some("echo in; sleep 0.2; echo noise; exec cat"));
    sleep(Duration::from_millis(500));
    assert_eq!(desk.takes("label"), (None, "own\n".to_owned()));
    assert_eq!(desk.logins(), 1);
}

/// What becomes of it, or of the connection, before the next call.
type Fate = (&'static str, &'static str, usize, fn(&Desk));

const FATES: &[Fate] = &[
    ("it is not the one that is wanted", "another", 1, |_| ()),
    ("it ends", "label", 1, |desk| {
        let pid = desk.waits_for("up");
        assert!(Command::new("kill").args(["-KILL", pid.trim()]).status().unwrap().success());
        sleep(Duration::from_millis(100));
    }),
    ("the host ends the connection", "label", 2, |desk| desk.sshd.end_sessions()),
    ("the host falls silent", "label", 2, |desk| desk.sshd.still_sessions()),
    ("the keeper is killed", "label", 2, Desk::kill_keepers),
];

#[test]
fn whatever_becomes_of_it_the_next_call_goes_well() {
    for (fate, label, logins, befall) in FATES {
        let desk = Desk::with(&[]);
        desk.leaves(&desk.sshd.endpoint());
        desk.waits_for("up");
        befall(&desk);
        let start = Instant::now();
        assert_eq!(desk.takes(label), (None, "own\n".to_owned()), "{fate}");
        assert!(start.elapsed() < Duration::from_secs(8), "{fate}: {:?}", start.elapsed());
        assert_eq!(desk.logins(), *logins, "{fate}");
    }
}

#[test]
fn it_ends_with_its_connection() {
    let desk = Desk::with(&[]);
    desk.leaves(&Endpoint { keep: Duration::from_secs(1), ..desk.sshd.endpoint() });
    let there = Path::new("/proc").join(desk.waits_for("up").trim());
    let start = Instant::now();
    while there.exists() {
        assert!(start.elapsed() < LONG);
        sleep(Duration::from_millis(5));
    }
}

#[test]
fn none_is_started_while_the_call_goes_on_elsewhere() {
    let desk = Desk::with(&[]);
    let mut remote = desk.door().connect(&desk.sshd.endpoint()).unwrap();
    remote.leave(spare(desk.dir.path()));
    drop(remote);
    desk.waits_for_seats(1);
    sleep(Duration::from_millis(200));
    assert!(!desk.dir.path().join("up").exists());
    assert_eq!(desk.takes("label"), (None, "own\n".to_owned()));
}

#[test]
fn a_host_that_allows_one_command_at_a_time_is_no_worse_off() {
    let desk = Desk::with(&["MaxSessions 1"]);
    for own in [None, Some("echo in; exec cat"), None, Some("echo in; exec cat")] {
        desk.calls(&desk.sshd.endpoint(), own);
        // Whether it is started is for sshd to say, which may count the last command for a moment still.
        sleep(Duration::from_millis(100));
        assert_eq!(desk.takes("label"), (None, "own\n".to_owned()));
        desk.waits_for_seats(1);
    }
    assert_eq!(desk.logins(), 1);
}
