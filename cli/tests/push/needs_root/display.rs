//! Several hosts at once: what is printed, for people and for programs, and who is asked.

use crate::hosts::{Hosts, terminal};
use std::io::{Read, Write};
use std::process::Stdio;

const ROLE: &str = "[file.\"/srv/a\"]\ncontent = \"a\\n\"\n";
const GONE: &str = "unreachable: gone: 127.0.0.1:1 refused the connection: no sshd listens on that port, or a firewall rejects it\n";

#[test]
fn what_is_the_same_is_told_once_and_every_host_has_one_ending() {
    let hosts = Hosts::new(3, ROLE);
    // The agent is brought by the first call, which says so.
    assert!(hosts.keel("facts web*").err.starts_with("note: web[1-3]: bringing the agent, "));
    let ran = hosts.keel("plan web* gone");
    let expected = "3 hosts: same 1 change to come: web[1-3]\n  + file./srv/a  (roles/web.toml:1:7)\n      \
                    write_file /srv/a 0644 root:root (content: absent -> 2 bytes sha256:87428fc52280)\n        \
                    @@ -0,0 +1 @@\n        +a\n\nto change    web[1-3]\nunreachable  gone\n4 hosts: 3 to change, 1 unreachable\n";
    assert_eq!((ran.out.as_str(), ran.err.as_str(), ran.code), (expected, GONE, 4));
    assert_eq!(hosts.keel("apply web2 --yes").code, 0);
    let ran = hosts.keel("apply web* --yes --parallel 1");
    let expected = "web1: run 1: 1 changed\nweb3: run 1: 1 changed\n2 hosts: same 1 change: web1, web3\n";
    assert!(ran.code == 0 && ran.out.starts_with(expected), "{ran:?}");
    let expected = "unchanged    web2\nchanged      web1, web3\n3 hosts: 1 unchanged, 2 changed\n";
    assert!(ran.out.ends_with(expected), "{ran:?}");
    let ran = hosts.keel("apply @web --yes");
    assert_eq!((ran.out.as_str(), ran.err.as_str()), ("unchanged    web[1-3]\n3 hosts: 3 unchanged\n", ""));
}

#[test]
fn each_line_of_json_names_its_host_and_the_last_one_has_them_all() {
    let hosts = Hosts::new(2, ROLE);
    let ran = hosts.keel("apply web* gone --yes --format json");
    assert_eq!(ran.code, 4, "{ran:?}");
    let mut lines: Vec<&str> = ran.out.lines().collect();
    let last = "{\"event\":\"fleet\",\"unchanged\":[],\"changed\":[\"web1\",\"web2\"],\"failed\":[],\
                \"unreachable\":[\"gone\"],\"skipped\":[],\"reverted\":[]}";
    assert_eq!(lines.pop(), Some(last));
    for host in ["web1", "web2", "gone"] {
        let begin = format!("{{\"host\":\"{host}\",");
        let own = lines.iter().filter(|line| line.starts_with(&begin));
        let own = own.map(|line| serde_json::from_str::<serde_json::Value>(line).expect("JSON"));
        let own: Vec<_> = own.filter(|event| event["event"] != "push").collect();
        assert!(own.iter().enumerate().all(|(seq, event)| event["seq"] == seq), "{own:?}");
        assert_eq!(own.last().expect("lines")["event"], "report");
        assert_eq!(own.iter().any(|event| event["event"] == "error"), host == "gone");
    }
    assert!(lines.iter().all(|line| line.starts_with("{\"host\":")), "{lines:?}");
}

/// Answers with `answer` at a terminal. What comes on standard output, and the exit code.
fn asked(hosts: &Hosts, words: &[&str], answer: &str) -> (String, i32) {
    let (mut terminal, slave) = terminal();
    let mut keel = hosts.command(words);
    let mut child = keel.stdin(slave).stdout(Stdio::piped()).spawn().expect("keel starts");
    let mut out = child.stdout.take().expect("a pipe");
    // A terminal that goes takes with it what was typed: it stays until the end.
    terminal.write_all(answer.as_bytes()).expect("it listens");
    let mut text = String::new();
    out.read_to_string(&mut text).expect("UTF-8");
    (text, child.wait().expect("it ends").code().unwrap_or(-1))
}

#[test]
fn all_plans_are_shown_and_one_question_is_asked() {
    let hosts = Hosts::new(3, ROLE);
    let (text, code) = asked(&hosts, &["apply", "web*", "gone"], "n\n");
    assert!(code == 4 && text.contains("3 hosts: same 1 change to come: web[1-3]\n"), "{code} {text}");
    assert!(
        text.ends_with("unreachable  gone\nskipped      web[1-3]\n4 hosts: 1 unreachable, 3 skipped\n"),
        "{text}"
    );
    assert!(!hosts.on(1, "/srv/a").exists());
    let (text, code) = asked(&hosts, &["apply", "web*", "--parallel", "1"], "y\n");
    assert!(code == 0 && text.ends_with("changed      web[1-3]\n3 hosts: 3 changed\n"), "{code} {text}");
    assert!((1..=3).all(|number| hosts.on(number, "/srv/a").exists()));
}
