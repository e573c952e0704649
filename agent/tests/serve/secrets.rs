//! A secret that came down the pipe is on the host where it belongs, and nowhere else.

use crate::host::Host;
use model::Secrets;
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

#[test]
fn a_secret_is_where_it_belongs_and_nowhere_else() {
    let (host, mut secrets) = (Host::new(), Secrets::default());
    let content = secrets.keep("s".into(), CANARY.into());
    let params = serde_json::json!({ "content": content, "mode": "0600", "sensitive": true });
    let order = Order::Apply(host.work_of(vec![host.node("file", "a", params)]));
    let mut peer = host.start();
    peer.hear_until("hello");
    peer.side.orders(&order);
    send_order(peer.input.as_mut().unwrap(), VERSION, order, &secrets).unwrap();
    peer.hear_until("question");
    peer.answer(true);
    peer.hear_until("done");
    let talk = peer.finish();
    assert_eq!(talk.ending(), Some(&Ending::Changed), "{talk:?}");
    assert!(!serde_json::to_string(&talk.said).unwrap().contains(CANARY));
    assert_eq!(std::fs::read_to_string(host.file("a")).unwrap(), CANARY);
    // The agent itself is no place to look.
    std::fs::remove_dir_all(host.state("bin")).unwrap();
    assert_nowhere_below(&host.state(""));
}
