//! A run on this machine that has to be confirmed: who sits at the terminal says whether all is in order.

use crate::hosts::terminal;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

/// Applies in `dir`, where `answer` is typed; what is said, and the exit code.
fn applied(dir: &Path, answer: &str) -> (String, Option<i32>) {
    let (mut terminal, slave) = terminal();
    let mut keel = Command::new(env!("CARGO_BIN_EXE_keel"));
    keel.args(["apply", "--local", "--yes", "--confirm", "6s", "-f", "a.toml", "--state-dir", "state"]);
    keel.env_clear().env("HOME", dir).env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").current_dir(dir);
    let child = keel.stdin(slave).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("keel starts");
    terminal.write_all(answer.as_bytes()).expect("it listens");
    let output = child.wait_with_output().expect("it ends");
    let said = [output.stdout, output.stderr].concat();
    (String::from_utf8_lossy(&said).into_owned(), output.status.code())
}

#[test]
fn without_a_yes_at_the_terminal_it_is_undone() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("f");
    let text = format!("[file.\"{}\"]\ncontent = \"x\\n\"\n", file.display());
    fs::write(dir.path().join("a.toml"), text).expect("written");
    for (answer, code, says) in [
        ("n\n", Some(5), "! run 1 was undone: nobody confirmed it within 6 s"),
        ("", Some(5), "! run 3 was undone: nobody confirmed it within 6 s"),
        ("y\n", Some(0), "run 5 is confirmed, and stays"),
    ] {
        let (said, found) = applied(dir.path(), answer);
        assert!(found == code && said.contains(says), "{answer}: {found:?} {said}");
        assert_eq!(file.exists(), code == Some(0), "{answer}");
    }
}
