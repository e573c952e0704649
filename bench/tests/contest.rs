//! Contests as they are held on a host: JSON in, JSON out.
#![expect(clippy::disallowed_methods, reason = "it starts the program under test")]

use serde_json::{Value, json};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

fn held(contest: &Value) -> Value {
    let mut bench = Command::new(env!("CARGO_BIN_EXE_bench"))
        .arg("contest")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    bench.stdin.take().expect("a pipe").write_all(contest.to_string().as_bytes()).expect("it reads");
    let output = bench.wait_with_output().expect("it ends");
    assert!(output.status.success(), "{}", output.status);
    serde_json::from_slice(&output.stdout).expect("JSON")
}

/// One that leaves a line in a file of its name whenever it runs.
fn contender(directory: &Path, name: &str, then: &str) -> Value {
    let script = format!("cd '{}'; echo ran >>{name}; {then}", directory.display());
    json!({"name": name, "argv": ["sh", "-c", script], "role": "Floor", "follows": false, "page": null})
}

#[test]
fn what_has_rested_runs_once_more_and_that_run_does_not_count() {
    let directory = tempfile::tempdir().expect("scratch");
    let at = directory.path();
    let contenders = [contender(at, "quick", ":"), contender(at, "slow", "sleep 2.1")];
    let outcomes =
        held(&json!({"runs": 1, "least": 1, "limit": 30.0, "spoil": "", "proof": "", "before": "",
        "after": "", "hosts": [], "contenders": contenders}));
    let counted = |index: usize| outcomes[index]["samples"].as_array().expect("samples").len();
    let ran = |name: &str| std::fs::read_to_string(at.join(name)).expect("it ran").lines().count();
    assert_eq!([counted(0), counted(1)], [1, 1]);
    assert_eq!([ran("quick"), ran("slow")], [3, 2]);
}
