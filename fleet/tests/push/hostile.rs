//! Hosts that mean harm: what they say before the first frame is data, and ends in an error that is short and inert.

use crate::host::{As, Host, in_words};
use crate::scripted::Scripted;
use crate::told::Told;
use fleet::{Endpoint, Password};
use std::sync::atomic::AtomicBool;

const PROTOCOL: &str = "the host does not keep to the protocol while ";

/// What the script says, `{KEEL}` standing for its word, and what the user is told.
const LIES: &[(&str, &str)] = &[
    ("{KEEL} root\n{KEEL} run warm\n", "becoming root: an unknown word, `root`"),
    ("{KEEL} run warm\n", "becoming root: an unknown word, `run`"),
    ("{KEEL} here root\n{KEEL} run warm\n", "becoming root: an unknown word, `run`"),
    ("{KEEL} here sudo; reboot\n", "becoming root: an unknown word, `here`"),
    ("{KEEL} here root\n{KEEL} root\n{KEEL} \x1b[2Jboo\n", "becoming root: an unknown word, `\\u{1b}[2Jboo`"),
    (
        "{KEEL} here root\n{KEEL} root\n{KEEL} need x86_64\n{KEEL} need x86_64\n",
        "uploading the agent: an unknown word, `need`",
    ),
];

fn end(script: &str) -> String {
    let connect = |_: &Endpoint| -> Result<_, _> {
        let script = script.to_owned();
        Ok(Box::new(Scripted { script, words: Vec::new(), after: Vec::new() }) as _)
    };
    let told = Told::default();
    let (host, stop) = (Host::new(As::Root), AtomicBool::new(false));
    in_words(&host.push_by(&connect, (&told, &Password::never()), &stop))
}

#[test]
fn a_script_that_is_none_of_ours_is_left() {
    for (script, words) in LIES {
        assert_eq!(end(script), format!("{PROTOCOL}{words}"));
    }
}

#[test]
fn what_a_host_claims_to_be_is_no_path() {
    let words = end("{KEEL} here root\n{KEEL} root\n{KEEL} need ../../../etc/passwd\n");
    let want = "there is no agent for the host's machine, ../../../etc/passwd: ";
    assert!(words.starts_with(want) && words.ends_with("; there are agents for x86_64"), "{words}");
}

#[test]
fn what_a_host_says_is_cut_and_escaped() {
    let long = "\x1b[2J".repeat(1000);
    for script in [
        format!("{{KEEL}} here root\n{{KEEL}} root\n{{KEEL}} cannot {long}\n"),
        format!("{{KEEL}} here root\n{{KEEL}} root\n{{KEEL}} loose {long}\n"),
        format!("{{KEEL}} here root\n{{KEEL}} root\n{{KEEL}} tampered {long} {long}\n"),
    ] {
        let words = end(&script);
        assert!(words.chars().count() < 3000 && !words.contains('\x1b'), "{words}");
    }
    assert_eq!(end(&format!("{{KEEL}} here {}", "x".repeat(9000))), "a line of the script does not end");
}
