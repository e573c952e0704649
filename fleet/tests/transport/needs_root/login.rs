//! Who is let in, with what, and what is said to those who are not.
#![expect(clippy::disallowed_methods, reason = "a test makes keys that are not as they should be")]

use crate::door::{Agent, Door, authorized, fresh};
use crate::sshd::{PASSWORD, Sshd, user};
use fleet::{Endpoint, Passwords};
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::thread;

/// It takes nothing but keys.
const KEYS: [&str; 2] = ["PasswordAuthentication no", "KbdInteractiveAuthentication no"];
const SEALED: [&str; 4] = ["-N", "open sesame", "-a", "1"];

fn with_keys(sshd: &Sshd, keys: &[&Path]) -> Endpoint {
    let mut endpoint = sshd.endpoint();
    endpoint.identities = keys.iter().map(|key| key.to_path_buf()).collect();
    endpoint
}

#[test]
fn keys_of_every_format_are_taken() {
    let sshd = Sshd::start(&KEYS);
    for (name, arguments, asks) in [
        ("ed25519", &["-t", "ed25519", "-N", ""][..], 0),
        ("rsa", &["-t", "rsa", "-b", "2048", "-N", ""], 0),
        ("rsa-pem", &["-t", "rsa", "-b", "2048", "-m", "PEM", "-N", ""], 0),
        ("rsa-pkcs8", &["-t", "rsa", "-b", "2048", "-m", "PKCS8", "-N", ""], 0),
        ("ecdsa", &["-t", "ecdsa", "-N", ""], 0),
        ("ecdsa-521", &["-t", "ecdsa", "-b", "521", "-N", ""], 0),
        ("ecdsa-pem", &["-t", "ecdsa", "-m", "PEM", "-N", ""], 0),
        ("sealed-ed25519", &[&["-t", "ed25519"], &SEALED[..]].concat(), 1),
        ("sealed-rsa", &[&["-t", "rsa", "-b", "2048"], &SEALED[..]].concat(), 1),
        ("sealed-ecdsa", &[&["-t", "ecdsa"], &SEALED[..]].concat(), 1),
        ("sealed-521", &[&["-t", "ecdsa", "-b", "521"], &SEALED[..]].concat(), 1),
        ("sealed-521-again", &[&["-t", "ecdsa", "-b", "521"], &SEALED[..]].concat(), 1),
        ("sealed-gcm", &[&["-t", "ed25519", "-Z", "aes256-gcm@openssh.com"], &SEALED[..]].concat(), 1),
        ("sealed-cbc", &[&["-t", "ed25519", "-Z", "aes256-cbc"], &SEALED[..]].concat(), 1),
        ("sealed-pem", &["-t", "rsa", "-b", "2048", "-m", "PEM", "-N", "open sesame"], 1),
        ("sealed-pkcs8", &["-t", "ecdsa", "-m", "PKCS8", "-N", "open sesame"], 1),
    ] {
        let key = authorized(&sshd, name, arguments);
        let door = Door::knowing(&["open sesame"]);
        assert_eq!(door.enter(&with_keys(&sshd, &[&key])), "in", "{name}\n{}", sshd.log());
        assert_eq!(door.asked.lock().unwrap().len(), asks, "{name}");
    }
}

/// The questions that were asked for two connections with a key, and how both ended.
fn asked(format: &str, answers: &[&'static str]) -> (Vec<String>, [String; 2]) {
    let sshd = Sshd::start(&KEYS);
    let arguments = ["-t", "rsa", "-b", "2048", "-m", format, "-N", "right", "-a", "1"];
    let endpoint = with_keys(&sshd, &[&authorized(&sshd, "sealed", &arguments)]);
    let door = Door::knowing(answers);
    let ends = [door.enter(&endpoint), door.enter(&endpoint)];
    let short = |text: &String| text.replace(sshd.dir().to_str().unwrap(), "DIR");
    (door.asked.lock().unwrap().iter().map(short).collect(), ends.map(|end| short(&end)))
}

#[test]
fn a_passphrase_is_asked_for_once_and_at_most_three_times() {
    let (once, again) =
        ("Passphrase for the key DIR/sealed", "That is not it. Passphrase for the key DIR/sealed");
    let refused = "was not let in; tried key DIR/sealed (needs ";
    let spent = "another passphrase than the 3 that were given)";
    for format in ["RFC4716", "PEM"] {
        for (answers, questions, end) in [
            (&["right"][..], &[once][..], ["in", ""]),
            (&["wrong", "right"], &[once, again], ["in", ""]),
            (&["no", "nor this", "nor that", "right"], &[once, again, again], [refused, spent]),
            (&[], &[once], [refused, "a passphrase, which was not given)"]),
        ] {
            let (asked, ends) = asked(format, answers);
            assert_eq!(asked, questions, "{format} {answers:?}");
            assert!(ends.iter().all(|one| end.iter().all(|part| one.contains(part))), "{format}: {ends:?}");
        }
    }
}

fn write(path: &Path, text: &str, mode: u32) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

#[test]
fn what_is_wrong_with_a_key_is_said() {
    let sshd = Sshd::start(&KEYS);
    let dir = sshd.dir();
    write(&dir.join("open"), &fs::read_to_string(sshd.key()).unwrap(), 0o644);
    write(&dir.join("junk"), "junk", 0o600);
    let broken = "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n";
    write(&dir.join("broken"), broken, 0o600);
    fs::copy(dir.join("id_ed25519.pub"), dir.join("half.pub")).unwrap();
    fresh(&sshd, "other", &["-t", "ed25519", "-N", ""]);
    for (name, why) in [
        ("other", "other; the host takes publickey"),
        ("open", "open (is not used: its mode 0644 lets others at it (chmod 600)); the host takes publickey"),
        ("junk", "junk (is not a private key); "),
        ("broken", "broken (cannot be read: "),
        ("none", "none (is not there); "),
        ("half", "half (is only a public key); "),
        ("", "/ (cannot be read: Is a directory (os error 21)); "),
        ("id_ecdsa", " was not let in; tried nothing: there is no key and no agent; "),
    ] {
        let said = Door::knowing(&[]).enter(&with_keys(&sshd, &[&dir.join(name)]));
        assert!(said.contains(why) && said.starts_with(&user()), "{name}: {said}");
    }
}

#[test]
fn an_agent_lets_in_as_far_as_it_may() {
    let sshd = Sshd::start(&[&KEYS[..], &["MaxAuthTries 3"]].concat());
    let good = authorized(&sshd, "good", &["-t", "ed25519", "-N", ""]);
    let others: Vec<_> =
        (0..6).map(|n| fresh(&sshd, &format!("other{n}"), &["-t", "ed25519", "-N", ""])).collect();
    let paths: Vec<_> = others.iter().map(std::path::PathBuf::as_path).chain([good.as_path()]).collect();
    let agent = Agent::start(sshd.dir(), &paths);
    fs::remove_file(&good).unwrap();
    let public = good.with_extension("pub");
    let mut endpoint = sshd.endpoint();
    endpoint.agent = Some(agent.socket.clone());
    let few =
        "other1 of the agent, key other2 of the agent; the host takes no more: it has ended the connection";
    for (identity, only, outcome) in [
        (&good, true, "in"),
        (&good, false, "in"),
        (&public, true, "in"),
        (&others[0].with_extension("pub"), false, few),
        (&sshd.dir().join("id_rsa"), true, "nothing: there is no key and no agent; the host takes publickey"),
    ] {
        endpoint.identities = vec![identity.clone()];
        endpoint.identities_only = only;
        let said = Door::knowing(&[]).enter(&endpoint);
        assert!(said.contains(outcome), "{identity:?} {only}: {said}");
    }
}

#[test]
fn an_agent_that_is_gone_is_said_and_no_reason_to_give_up() {
    let sshd = Sshd::start(&KEYS);
    let mut endpoint = sshd.endpoint();
    endpoint.agent = Some(sshd.dir().join("gone"));
    assert_eq!(Door::knowing(&[]).enter(&endpoint), "in");
    endpoint.identities.clear();
    let said = Door::knowing(&[]).enter(&endpoint);
    assert!(said.contains("/gone (failed connecting with agent)"), "{said}");
}

/// Two logins without a key to a host that takes these: how both ended, and how often somebody was asked.
fn without_a_key(methods: [&str; 2], passwords: Passwords, answers: &[&'static str]) -> ([String; 2], usize) {
    let sshd = Sshd::with_password(&methods);
    let mut endpoint = sshd.endpoint();
    endpoint.identities.clear();
    let mut door = Door::knowing(answers);
    door.passwords = passwords;
    let ends = [door.enter(&endpoint), door.enter(&endpoint)];
    (ends, door.asked.lock().unwrap().len())
}

#[test]
fn a_password_is_asked_for_only_where_it_is_wanted_and_once() {
    let both = |said: &str| [said.to_owned(), said.to_owned()];
    let refused = |tried: &str, methods: &str| {
        both(&format!("{} was not let in; tried {tried}; the host takes publickey,{methods}", user()))
    };
    for (method, options) in [
        ("password", ["KbdInteractiveAuthentication no", "PasswordAuthentication yes"]),
        ("keyboard-interactive", ["KbdInteractiveAuthentication yes", "PasswordAuthentication no"]),
    ] {
        let way = if method == "password" { "password" } else { "password, keyboard-interactive" };
        let nothing = "nothing: there is no key and no agent";
        for (passwords, answers, asked, ends) in [
            (Passwords::Never, &[PASSWORD][..], 0, refused(nothing, method)),
            (Passwords::Ask, &[], 1, refused("password (which was not given)", method)),
            (Passwords::Ask, &["wrong"], 1, refused(way, method)),
            (Passwords::Ask, &[PASSWORD], 1, both("in")),
        ] {
            assert_eq!(without_a_key(options, passwords, answers), (ends, asked), "{method} {answers:?}");
        }
    }
}

#[test]
fn a_host_may_want_a_key_and_a_password() {
    let methods = ["AuthenticationMethods publickey,password", "PasswordAuthentication yes"];
    let sshd = Sshd::with_password(&methods);
    let mut door = Door::knowing(&[PASSWORD]);
    let said = door.enter(&sshd.endpoint());
    assert!(said.ends_with("id_ed25519; the host takes password"), "{said}");
    door.passwords = Passwords::Ask;
    assert_eq!(door.enter(&sshd.endpoint()), "in");
}

#[test]
fn many_hosts_ask_once() {
    let sshd = Sshd::start(&KEYS);
    let key = authorized(&sshd, "sealed", &[&["-t", "ed25519"], &SEALED[..]].concat());
    let endpoint = with_keys(&sshd, &[&key]);
    let door = Door::knowing(&["open sesame"]);
    let ends: Vec<String> = thread::scope(|scope| {
        let started: Vec<_> = (0..12).map(|_| scope.spawn(|| door.enter(&endpoint))).collect();
        started.into_iter().map(|one| one.join().unwrap()).collect()
    });
    assert!(ends.iter().all(|end| end == "in"), "{ends:?}");
    assert_eq!(door.asked.lock().unwrap().len(), 1);
}
