//! `command` with the programs of this machine.

use crate::scene::{look, said, spec};
use agent::os::host::Host;
use serde_json::{Value, json};
use std::sync::Arc;
use wire::NoBlobs;

fn seen(params: Value) -> String {
    said(&look(&spec("command", params), Some(&|| Arc::new(Host::new(Arc::new(NoBlobs))))))
}

#[test]
fn a_program_is_held_to_its_end_and_its_words() {
    let sh = |script: &str| json!(["sh", "-c", script]);
    for (params, says) in [
        (json!({ "argv": ["true"] }), "passed"),
        (
            json!({ "argv": sh("echo out; echo err >&2; exit 3"), "exit": 3, "stdout": { "equals": "out" }, "stderr": "err" }),
            "passed",
        ),
        (
            json!({ "argv": sh("echo no\u{1b}[2J >&2; exit 3") }),
            "exit: wanted 0, saw 3; it said `no\\u{1b}[2J`",
        ),
        (json!({ "argv": sh("kill -9 $$") }), "exit: wanted 0, saw the end by a signal; it said nothing"),
        (json!({ "argv": ["echo", "$HOME; `id`"], "stdout": { "equals": "$HOME; `id`" } }), "passed"),
        (json!({ "argv": ["no-such-program"] }), "unknown: `no-such-program` was not found"),
        (json!({ "argv": ["sleep", "20"] }), "unknown: `sleep 20` took longer than 1 s"),
        (json!({ "argv": ["true"], "user": "no-such-user" }), "unknown: user no-such-user does not exist"),
    ] {
        assert_eq!(seen(params.clone()), says, "{params}");
    }
}

#[test]
fn of_endless_words_only_the_beginning_is_known() {
    let endless = json!(["sh", "-c", "echo begin; head -c 300000 /dev/zero | tr '\\0' a; echo end"]);
    assert_eq!(seen(json!({ "argv": endless, "stdout": "begin" })), "passed");
    let said = seen(json!({ "argv": endless, "stdout": "end" }));
    assert_eq!(
        said,
        "unknown: cannot tell the state of stdout: it is longer than the 131072 bytes that were looked at"
    );
    // Whatever else it said, it is known to have failed.
    let said = seen(json!({ "argv": endless, "exit": 3, "stdout": "end" }));
    assert!(said.starts_with("exit: wanted 3, saw 0; it said `begin"), "{said}");
}
