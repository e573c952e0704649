//! A secret that came down the pipe is on the host where it belongs, and nowhere else.

use crate::host::Host;
use model::Secrets;
use serde_json::json;
use std::path::Path;
use wire::{Ending, Order, VERSION, send_order};

const CANARY: &str = "canary-5c1f0e";

fn assert_nowhere_below(dir: &Path) {
    for entry in dir.read_dir().unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            assert_nowhere_below(&path);
        } else {
            let bytes = std::fs::read(&path).unwrap();
            let holds = bytes.windows(CANARY.len()).any(|window| window == CANARY.as_bytes());
            assert!(!holds, "{}", path.display());
        }
    }
}

/// One order with a secret, answered so; all that came back says nothing of it, and neither does the state.
fn done(
    host: &Host,
    kind: &str,
    params: &dyn Fn(serde_json::Value) -> serde_json::Value,
    answer: bool,
) -> Ending {
    let mut secrets = Secrets::default();
    let secret = secrets.keep("s".into(), CANARY.into());
    let order = Order::Apply(host.work_of(vec![host.node(kind, "a", params(secret))]));
    let mut peer = host.start();
    peer.hear_until("hello");
    peer.side.orders(&order);
    send_order(peer.input.as_mut().unwrap(), VERSION, order, &secrets).unwrap();
    peer.hear_until("question");
    peer.answer(answer);
    peer.hear_until("done");
    let talk = peer.finish();
    assert!(!serde_json::to_string(&talk.said).unwrap().contains(CANARY), "{kind}");
    assert!(!format!("{talk:?}").contains(CANARY), "{kind}");
    // The agent itself is no place to look.
    std::fs::remove_dir_all(host.state("bin")).unwrap();
    assert_nowhere_below(&host.state(""));
    talk.ending().unwrap().clone()
}

#[test]
fn a_secret_is_where_it_belongs_and_nowhere_else() {
    let host = Host::new();
    let file = |secret| json!({ "content": secret, "mode": "0600", "sensitive": true });
    assert_eq!(done(&host, "file", &file, true), Ending::Changed);
    assert_eq!(std::fs::read_to_string(host.file("a")).unwrap(), CANARY);
}

#[test]
fn a_secret_of_what_is_declined_is_gone() {
    let host = Host::new();
    assert_eq!(done(&host, "file", &|secret| json!({ "content": secret }), false), Ending::Declined);
    assert!(!host.file("a").exists());
}

#[test]
fn a_command_that_tells_its_secret_and_fails_is_not_quoted() {
    for tells in ["cat; exit 1", "cat >&2; exit 1"] {
        let exec = |secret| json!({ "command": ["/bin/sh", "-c", tells], "stdin": secret });
        assert_eq!(done(&Host::new(), "exec", &exec, true), Ending::Failed, "{tells}");
    }
    let told = |secret| json!({ "command": ["/bin/sh", "-c", "echo $0 $TOKEN; exit 1", secret], "env": { "TOKEN": secret } });
    assert_eq!(done(&Host::new(), "exec", &told, true), Ending::Failed);
}
