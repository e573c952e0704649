//! Ctrl-C: what is under way is brought to an end, and nothing else is begun.

use crate::hosts::{Hosts, terminal};
use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::io::{Read as _, Write as _};
use std::process::Stdio;
use std::time::{Duration, Instant};

const ROLE: &str = "[exec.wait]\ncommand = [\"sh\", \"-c\", \"touch /srv/begun; sleep 3\"]\n\
                    [exec.next]\ncommand = [\"touch\", \"/srv/next\"]\nrequire = [\"exec.wait\"]\n";

#[test]
fn a_run_ends_at_its_next_safe_point_and_no_host_is_begun_any_more() {
    let hosts = Hosts::new(2, ROLE);
    let words = ["apply", "web*", "--yes", "--parallel", "1"];
    let mut keel = hosts.command(&words);
    let child = keel.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("keel starts");
    let deadline = Instant::now() + Duration::from_secs(60);
    while !hosts.on(1, "/srv/begun").exists() {
        assert!(Instant::now() < deadline, "it never begins");
        std::thread::sleep(Duration::from_millis(20));
    }
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw).expect("a process");
    kill_process(pid, Signal::INT).expect("it is there");
    let ran = hosts.ran(child.wait_with_output().expect("it ends"));
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.err.contains("stopping each host after what is under way there"), "{ran:?}");
    assert!(ran.out.contains("web1: run 1: 1 changed, 1 skipped\n"), "{ran:?}");
    assert!(
        ran.out.ends_with("failed       web1\nskipped      web2\n2 hosts: 1 failed, 1 skipped\n"),
        "{ran:?}"
    );
    assert!(!hosts.on(1, "/srv/next").exists() && !hosts.on(2, "/srv/begun").exists());
}

/// An apply at a terminal whose run waits; Ctrl-C is pressed, and `answer` typed. What came on standard output, the exit code.
fn left(hosts: &Hosts, answer: &str, then: impl FnOnce()) -> (String, i32) {
    let (terminal, slave) = terminal();
    let mut keel = hosts.command(&["apply", "web1", "--yes"]);
    let mut child =
        keel.stdin(slave).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("keel starts");
    let deadline = Instant::now() + Duration::from_secs(60);
    while !hosts.on(1, "/srv/begun").exists() {
        assert!(Instant::now() < deadline, "it never begins");
        std::thread::sleep(Duration::from_millis(20));
    }
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw).expect("a process");
    let press = || kill_process(pid, Signal::INT).expect("it is there");
    press();
    // What was asked is seen before it is answered.
    let (mut asked, mut err) = (String::new(), child.stderr.take().expect("a pipe"));
    let mut byte = [0];
    while !asked.ends_with("[d/s/c] ") && err.read(&mut byte).is_ok_and(|count| count == 1) {
        asked.push(char::from(byte[0]));
    }
    assert!(asked.ends_with("[d/s/c] "), "{asked}");
    if answer == "^C" {
        press()
    } else {
        (&terminal).write_all(answer.as_bytes()).expect("it listens")
    }
    then();
    let mut text = String::new();
    err.read_to_string(&mut text).expect("UTF-8");
    let ran = hosts.ran(child.wait_with_output().expect("it ends"));
    (ran.out + &text, ran.code)
}

/// Lets the run go on. What was typed takes its time.
fn go(hosts: &Hosts) {
    std::thread::sleep(Duration::from_secs(1));
    fs::write(hosts.on(1, "/srv/go"), "").expect("written");
}

#[test]
fn ctrl_c_asks_what_is_meant() {
    let waits = ROLE.replace("sleep 3", "until test -e /srv/go; do sleep 0.1; done");
    for (answer, says, code) in [
        ("d\n", "left: web1: run 1 goes on there", 1),
        ("^C", "goes on there by itself, and `keel attach 1 web1` tells how it ends", 1),
        ("x\ns\n", "web1: run 1: 1 changed, 1 skipped\n", 1),
        ("c\n", "web1: run 1: 2 changed\n", 0),
    ] {
        let hosts = Hosts::new(1, &waits);
        let stays = answer.contains(['s', 'c']);
        let (text, found) = left(&hosts, answer, || {
            if stays {
                go(&hosts)
            }
        });
        assert!(found == code && text.contains(says), "{answer}: {found} {text}");
        if !stays {
            go(&hosts);
            let ran = hosts.keel("attach web1");
            assert!(ran.code == 0 && ran.out.ends_with("web1: run 1: 2 changed\n"), "{ran:?}");
        }
    }
}
