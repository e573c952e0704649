//! Commands and their streams.

use crate::door::{Door, LONG, rest};
use crate::sshd::Sshd;
use fleet::Received;
use std::time::{Duration, Instant};

#[test]
fn a_command_ends_as_it_does() {
    let sshd = Sshd::start(&[]);
    let door = Door::knowing(&[]);
    for (command, said, status) in [
        ("echo in; exit 7", "in\n", Some(7)),
        ("true", "", Some(0)),
        ("kill -9 $$", "", None),
        ("kill -TERM $$", "", None),
        ("exec /nonexistent", "", Some(127)),
        ("test -t 0 || test -t 1 || echo none; echo \"agent:$SSH_AUTH_SOCK\"", "none\nagent:\n", Some(0)),
    ] {
        assert_eq!(door.run(&sshd.endpoint(), command).unwrap(), (said.to_owned(), status), "{command}");
    }
}

#[test]
fn much_goes_both_ways_at_once() {
    echo(&[]);
}

#[test]
fn keys_are_changed_in_the_middle_of_it() {
    echo(&["RekeyLimit 1M"]);
}

/// Ten megabytes go there and back.
fn echo(options: &[&str]) {
    let sshd = Sshd::start(options);
    let much: Vec<u8> = (0..10_000_000_u32).map(|n| (n / 7) as u8).collect();
    // Before and while it reads, it writes as much itself, on both streams.
    let command = "head -c 300000 /dev/zero >&2; cat; head -c 300000 /dev/zero >&2";
    let mut pipe = Door::knowing(&[]).connect(&sshd.endpoint()).unwrap().exec(command).unwrap();
    pipe.send(&much).unwrap();
    let mut came = Vec::new();
    let mut buffer = vec![0; 100_000];
    while came.len() < much.len() {
        match pipe.receive(&mut buffer, LONG).unwrap() {
            Received::Bytes(count) => came.extend_from_slice(&buffer[..count]),
            other => panic!("{other:?} after {} bytes", came.len()),
        }
    }
    assert!(came == much);
    assert_eq!(pipe.finish(LONG).unwrap(), Some(0));
}

#[test]
fn of_a_flood_of_errors_the_tail_is_kept() {
    let sshd = Sshd::start(&[]);
    let command = "head -c 5000000 /dev/zero | tr '\\0' x >&2; echo the end >&2; echo out";
    let mut pipe = Door::knowing(&[]).connect(&sshd.endpoint()).unwrap().exec(command).unwrap();
    assert_eq!(rest(&mut *pipe).unwrap(), b"out\n");
    assert_eq!(pipe.errors().len(), 64 << 10);
    assert!(pipe.errors().ends_with(b"xxthe end\n"));
    assert_eq!(pipe.finish(LONG).unwrap(), Some(0));
}

#[test]
fn nothing_is_waited_for_longer_than_one_likes() {
    let sshd = Sshd::start(&[]);
    let command = "cat; sleep 0.3; echo late; exec >&-; sleep 60";
    let mut pipe = Door::knowing(&[]).connect(&sshd.endpoint()).unwrap().exec(command).unwrap();
    let mut buffer = [0; 10];
    let start = Instant::now();
    assert_eq!(pipe.receive(&mut buffer, Duration::from_millis(200)).unwrap(), Received::Nothing);
    assert!((200..2000).contains(&start.elapsed().as_millis()));
    pipe.send(b"word").unwrap();
    assert_eq!(pipe.receive(&mut buffer, LONG).unwrap(), Received::Bytes(4));
    let said = pipe.finish(Duration::from_secs(1)).unwrap_err().to_string();
    assert!(said.contains("the command has not ended within 1 s"), "{said}");
}

#[test]
fn several_commands_go_over_one_connection() {
    let sshd = Sshd::start(&[]);
    let mut remote = Door::knowing(&[]).connect(&sshd.endpoint()).unwrap();
    for word in ["one", "two"] {
        let mut pipe = remote.exec(&format!("echo {word}")).unwrap();
        assert_eq!(rest(&mut *pipe).unwrap(), format!("{word}\n").into_bytes());
        assert_eq!(pipe.finish(LONG).unwrap(), Some(0));
    }
    // Sending to a command that has ended comes to an end, too.
    let mut pipe = remote.exec("exit 3").unwrap();
    let said = pipe.send(&vec![0; 20_000_000]).unwrap_err().to_string();
    assert!(said.contains("the command has ended"), "{said}");
    assert_eq!(rest(&mut *pipe).unwrap(), b"");
    assert_eq!(pipe.finish(LONG).unwrap(), Some(3));
}

#[test]
fn a_host_that_runs_nothing_says_so() {
    let sshd = Sshd::start(&["MaxSessions 0"]);
    let said = Door::knowing(&[]).run(&sshd.endpoint(), "true").unwrap_err().to_string();
    assert!(said.starts_with("127.0.0.1 lets ") && said.contains(" in but runs no command: "), "{said}");
}
