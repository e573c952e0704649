//! What `known_hosts::judge` thinks of a real host's key is what the real ssh thinks.

use crate::sshd::{Sshd, keygen};
use fleet::known_hosts::{HostKey, Judgement, judge, record};
use fleet::{Endpoint, UnknownKeys};
use std::fs;
use std::path::Path;
use std::process::Command;

/// `NAME` is the host with its port, `{ED}` and `{EC}` its keys, `{X}` another one; whether it is let in where new keys are taken too.
const FILES: &[(&str, bool, bool)] = &[
    ("", false, true),
    ("NAME {ED}", true, true),
    ("NAME {EC}", true, true),
    ("NAME {X}", false, false),
    ("NAME {X}\nNAME {ED}", true, true),
    ("127.0.0.1 {ED}", true, true),
    ("127.0.0.1 {X}", false, true),
    ("other,NAME {ED} comment", true, true),
    ("* {X}\n!NAME,* {ED}", false, false),
    ("* {ED}", true, true),
    ("@revoked * {ED}\nNAME {ED}", false, false),
    ("NAME {ED}\n@revoked NAME {ED}", false, false),
    ("@revoked 127.0.0.1 {X}\nNAME {ED}", true, true),
    ("@cert-authority * {X}", false, true),
    ("@cert-authority * {ED}\nNAME {X}", false, false),
    ("NAME ssh-ed25519 AAAA\nnonsense\n@what NAME {X}\nNAME {ED}", true, true),
];

#[test]
fn the_real_ssh_thinks_the_same() {
    let sshd = Sshd::start(&[]);
    keygen(&["-q", "-t", "ed25519", "-N", "", "-f"], &sshd.dir().join("x"));
    let file = sshd.dir().join("known_hosts");
    for (text, known, taken) in FILES {
        let name = format!("[127.0.0.1]:{}", sshd.port());
        let text = text.replace("NAME", &name).replace("{ED}", &sshd.host_key("host_ed25519"));
        let text = text.replace("{EC}", &sshd.host_key("host_ecdsa")).replace("{X}", &sshd.host_key("x"));
        for (unknown_keys, option, expected) in
            [(UnknownKeys::Refuse, "yes", known), (UnknownKeys::Record, "accept-new", taken)]
        {
            fs::write(&file, &text).unwrap();
            assert_eq!(&ours(&sshd, &file, unknown_keys), expected, "{text} {option}");
            fs::write(&file, &text).unwrap();
            assert_eq!(&ssh(&sshd, &file, option), expected, "ssh: {text} {option}");
        }
    }
}

#[test]
fn what_is_recorded_is_known_to_the_real_ssh() {
    let sshd = Sshd::start(&[]);
    let file = sshd.dir().join("new/known_hosts");
    let endpoint = Endpoint { known_hosts: vec![file.clone()], host_keys: Vec::new(), ..sshd.endpoint() };
    assert!(!ssh(&sshd, &file, "yes"));
    record(&endpoint, &HostKey::from_text(&sshd.host_key("host_ecdsa")).unwrap()).unwrap();
    assert!(ssh(&sshd, &file, "yes"));
}

/// By the key that is agreed on: one of those that are known, if there are any.
fn ours(sshd: &Sshd, file: &Path, unknown_keys: UnknownKeys) -> bool {
    let known_hosts = vec![file.to_owned()];
    let endpoint = Endpoint { known_hosts, unknown_keys, host_keys: Vec::new(), ..sshd.endpoint() };
    let preferred = fleet::known_hosts::algorithms(&endpoint).unwrap();
    let ecdsa = preferred.first().is_some_and(|first| first.starts_with("ecdsa"));
    let key = sshd.host_key(if ecdsa { "host_ecdsa" } else { "host_ed25519" });
    match judge(&endpoint, &HostKey::from_text(&key).unwrap()) {
        Ok(Judgement::Known) => true,
        Ok(Judgement::ToRecord) => unknown_keys == UnknownKeys::Record,
        Err(_) => false,
    }
}

fn ssh(sshd: &Sshd, file: &Path, checking: &str) -> bool {
    let mut command = Command::new("ssh");
    command.args(["-F", "none", "-o", "BatchMode=yes", "-o", "IdentitiesOnly=yes", "-i"]).arg(sshd.key());
    command.args([
        "-o",
        "GlobalKnownHostsFile=none",
        "-o",
        &format!("UserKnownHostsFile={}", file.display()),
    ]);
    command.args(["-o", &format!("StrictHostKeyChecking={checking}"), "-p", &sshd.port().to_string()]);
    command.args(["127.0.0.1", "true"]).output().unwrap().status.success()
}
