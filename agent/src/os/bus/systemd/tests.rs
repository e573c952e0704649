//! A service manager that is played: what it may say, and what it may not.

use super::{Systemd, path_of};
use crate::os::bus::connection::Connection;
use crate::os::bus::message::Message;
use crate::os::bus::writing::Writing;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::thread::JoinHandle;

/// Plays a manager that greets and then, once something was asked, says `says` and hangs up.
fn manager(says: Vec<u8>) -> (UnixStream, JoinHandle<Vec<u8>>) {
    let (ours, mut theirs) = UnixStream::pair().unwrap();
    let playing = std::thread::spawn(move || {
        let mut line = [0; 64];
        let count = theirs.read(&mut line).unwrap();
        assert!(line[..count].starts_with(b"\0AUTH EXTERNAL 3") && line[..count].ends_with(b"\r\nBEGIN\r\n"));
        theirs.write_all(b"OK 0123\r\n").unwrap();
        let mut asked = vec![0; 4096];
        let count = theirs.read(&mut asked).unwrap();
        asked.truncate(count);
        theirs.write_all(&says).unwrap();
        asked
    });
    (ours, playing)
}

/// An answer of this kind to the call of this number.
fn answer(kind: u8, serial: u32, signature: &str, body: Vec<u8>) -> Vec<u8> {
    let mut head = Writing::default();
    head.byte(b'l').byte(kind).byte(1).byte(1).number(u32::try_from(body.len()).unwrap()).number(9);
    head.array(8, |fields| {
        fields.align(8).byte(5).signature("u").number(serial);
        if kind == 3 {
            fields.align(8).byte(4).signature("s").text("org.freedesktop.systemd1.LoadFailed");
        }
        fields.align(8).byte(8).signature("g").signature(signature);
    });
    head.align(8);
    [head.into_bytes(), body].concat()
}

fn properties(state: &str) -> Vec<u8> {
    let mut body = Writing::default();
    body.array(8, |all| {
        all.align(8).text("Job").signature("(uo)").align(8).number(0).text("/");
        all.align(8).text("CanReload").signature("b").number(1);
        all.align(8).text("ActiveState").signature("s").text(state);
    });
    body.into_bytes()
}

/// What is told of these units where the manager says `says`.
fn told(says: Vec<u8>, units: &[&str]) -> Result<Vec<String>, String> {
    let (ours, playing) = manager(says);
    let found = Systemd(Connection::over(ours).unwrap()).properties(units);
    playing.join().unwrap();
    let states = found.map_err(|failure| failure.to_string())?;
    Ok(states
        .iter()
        .map(|all| format!("{:?} {:?} {}", all["ActiveState"], all["CanReload"], all.len()))
        .collect())
}

#[test]
fn answers_are_told_apart_by_their_numbers() {
    let signal = [&[b'l', 4], &answer(2, 7, "s", Vec::new())[2..]].concat();
    let late = answer(2, 1, "a{sv}", properties("active"));
    let says = [answer(2, 2, "a{sv}", properties("failed")), signal, late].concat();
    let told = told(says, &["a.service", "b.service"]).unwrap();
    assert_eq!(told, ["Text(\"active\") Truth(true) 2", "Text(\"failed\") Truth(true) 2"]);
}

#[test]
fn what_is_no_answer_is_never_a_state() {
    let good = || answer(2, 1, "a{sv}", properties("active"));
    let refusal = [&7_u32.to_le_bytes()[..], b"too bad\0"].concat();
    let (cut, long) = (properties("active"), [properties("active"), vec![0]].concat());
    for (says, words) in [
        (answer(2, 2, "a{sv}", properties("active")), "it answers what nobody asked"),
        ([good(), good()].concat(), "it answers twice"),
        (answer(3, 1, "s", refusal), "too bad (org.freedesktop.systemd1.LoadFailed)"),
        (answer(2, 1, "a{ss}", properties("active")), "is no answer"),
        (answer(2, 1, "a{sv}", long), "is no answer"),
        (answer(2, 1, "a{sv}", cut[..cut.len() - 1].to_vec()), "is no answer"),
        (vec![b'x'; 64], "it does not speak D-Bus"),
        (good()[..40].to_vec(), "reset"),
    ] {
        let because = told(says, &["a.service"]).unwrap_err();
        assert!(because.contains(words), "{because}");
    }
}

#[test]
fn a_scope_is_asked_for_in_words_of_systemd() {
    let (ours, playing) = manager(answer(2, 1, "o", [&2_u32.to_le_bytes()[..], b"/j\0"].concat()));
    Systemd(Connection::over(ours).unwrap()).start_scope("x.scope", "Run", &[7, 8]).unwrap();
    let asked = playing.join().unwrap();
    let (message, length) = Message::take(&asked).unwrap().unwrap();
    assert_eq!((message.signature.as_str(), length), ("ssa(sv)a(sa(sv))", asked.len()));
    let mut body = message.body();
    assert_eq!((body.text(), body.text()), (Some("x.scope"), Some("fail")));
    assert_eq!(body.skip(b"a(sv)a(sa(sv))").and_then(|rest| body.skip(rest)), Some(&b""[..]));
    assert!(body.is_done() && asked.ends_with(&[7, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0]), "{asked:?}");
}

#[test]
fn a_unit_has_a_path() {
    for (unit, path) in [
        ("ssh.service", "ssh_2eservice"),
        ("getty@tty1.service", "getty_40tty1_2eservice"),
        ("7up.service", "_37up_2eservice"),
    ] {
        assert_eq!(path_of(unit), format!("/org/freedesktop/systemd1/unit/{path}"));
    }
}
