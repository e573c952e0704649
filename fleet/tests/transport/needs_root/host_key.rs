//! Is it the host? By known_hosts files; a session is never opened further than that with one that is not.
#![expect(clippy::disallowed_methods, reason = "a test writes its own known_hosts")]

use crate::door::Door;
use crate::sshd::{Sshd, keygen};
use fleet::{Endpoint, RecordedNames, UnknownKeys};
use std::fs;

/// An endpoint whose known_hosts has these lines, after their host.
fn knowing(sshd: &Sshd, lines: &[(&str, &str)]) -> Endpoint {
    let line = |(marker, key): &(&str, &str)| format!("{marker}[127.0.0.1]:{} {key}\n", sshd.port());
    fs::write(sshd.dir().join("known_hosts"), lines.iter().map(line).collect::<String>()).unwrap();
    Endpoint { host_keys: Vec::new(), ..sshd.endpoint() }
}

#[test]
fn only_the_right_host_is_logged_in_to() {
    let sshd = Sshd::start(&[]);
    keygen(&["-q", "-t", "ed25519", "-N", "", "-f"], &sshd.dir().join("another"));
    let (ed25519, ecdsa, another) =
        (sshd.host_key("host_ed25519"), sshd.host_key("host_ecdsa"), sshd.host_key("another"));
    for (known, outcome) in [
        (&[("", ed25519.as_str())][..], "in"),
        // libssh2 would ask for another type first.
        (&[("", ecdsa.as_str())], "in"),
        (&[("", &another), ("", &ecdsa)], "in"),
        (&[("", &another)], "REMOTE HOST IDENTIFICATION HAS CHANGED"),
        (&[("@revoked ", &ed25519), ("@revoked ", &ecdsa)], "REVOKED"),
        (&[], "its key is not known"),
    ] {
        let said = Door::knowing(&[]).enter(&knowing(&sshd, known));
        assert!(said.contains(outcome), "{known:?}: {said}");
        assert_eq!(said == "in", sshd.log().contains("Accepted"), "{known:?}");
        fs::write(sshd.dir().join("log"), "").unwrap();
    }
}

#[test]
fn a_key_that_nobody_knows_is_recorded_where_that_is_wanted() {
    let sshd = Sshd::start(&[]);
    let mut endpoint = knowing(&sshd, &[]);
    endpoint.unknown_keys = UnknownKeys::Record;
    endpoint.recorded_names = RecordedNames::Plain;
    let door = Door::knowing(&[]);
    assert_eq!((door.enter(&endpoint), door.enter(&endpoint)), ("in".to_owned(), "in".to_owned()));
    let notes = door.notes.lock().unwrap();
    assert_eq!(notes.len(), 1, "{notes:?}");
    assert!(notes[0].starts_with("127.0.0.1: recorded its "), "{notes:?}");
    endpoint.unknown_keys = UnknownKeys::Refuse;
    assert_eq!(door.enter(&endpoint), "in");
}

#[test]
fn a_host_that_has_nothing_in_common_with_libssh2_says_so() {
    for option in
        ["KexAlgorithms sntrup761x25519-sha512@openssh.com", "Ciphers 3des-cbc", "HostKeyAlgorithms ssh-rsa"]
    {
        let sshd = Sshd::start(&[option]);
        let said = Door::knowing(&[]).enter(&sshd.endpoint());
        assert!(
            said.contains("127.0.0.1 and libssh2 have no cipher, key exchange or type of host key in common"),
            "{option}: {said}"
        );
    }
}
