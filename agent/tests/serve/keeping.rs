//! What the agent that keeps a host has written down is told as it stands, and what is damaged is no answer.

use crate::host::Host;
use crate::peer::Talk;
use serde_json::json;
use wire::{Ending, Keeping, Order, Reply, Up};

fn ask(host: &Host) -> (Option<Keeping>, Ending) {
    let Talk { said, .. } = host.start().talk(&Order::Keeping, &[], true);
    let reply = |up: &Up| match up {
        Up::Reply(reply) => match &**reply {
            Reply::Keeping(keeping) => Some((**keeping).clone()),
            _ => None,
        },
        _ => None,
    };
    let Some(Up::Done(ending)) = said.last() else { panic!("{said:?}") };
    (said.iter().find_map(reply), ending.clone())
}

#[test]
fn it_is_told_as_it_stands() {
    let host = Host::new();
    assert_eq!(ask(&host), (Some(Keeping::default()), Ending::Unchanged));
    for folder in ["agent", "orders"] {
        std::fs::create_dir_all(host.state(folder)).unwrap();
    }
    std::fs::write(host.state("agent/status"), r#"{"mode":"observe"}"#).unwrap();
    std::fs::write(host.state("orders/pause"), "").unwrap();
    let (keeping, ending) = ask(&host);
    let wanted = Keeping { running: None, status: Some(json!({ "mode": "observe" })), pause: None };
    assert_eq!((keeping, ending), (Some(wanted), Ending::Unchanged));
    std::fs::write(host.state("agent/status"), "{").unwrap();
    let (keeping, ending) = ask(&host);
    assert!(keeping.is_none() && matches!(ending, Ending::Refused(_)), "{ending:?}");
}
