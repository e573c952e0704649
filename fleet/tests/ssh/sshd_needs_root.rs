//! The sshd that other tests build on lets its key in, and nobody else.

use crate::sshd::{Sshd, keygen};
use std::process::{Command, Output};

#[test]
fn its_key_is_let_in_and_no_other() {
    let sshd = Sshd::start(&[]);
    let output = ssh(&sshd, "id_ed25519");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "hello\n", "{output:?}\n{}", sshd.log());
    keygen(&["-q", "-t", "ed25519", "-N", "", "-f"], &sshd.dir().join("other"));
    let output = ssh(&sshd, "other");
    assert!(String::from_utf8_lossy(&output.stderr).contains("Permission denied (publickey"), "{output:?}");
}

fn ssh(sshd: &Sshd, key: &str) -> Output {
    let mut command = Command::new("ssh");
    for option in ["BatchMode=yes", "StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null"] {
        command.args(["-o", option]);
    }
    command.args(["-F", "none", "-o", "IdentitiesOnly=yes", "-i"]).arg(sshd.dir().join(key));
    command.args(["-p", &sshd.port().to_string(), "127.0.0.1", "echo hello"]).output().unwrap()
}
