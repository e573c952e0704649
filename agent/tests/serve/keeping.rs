//! What the agent that keeps a host has written down is told as it stands, what is damaged is no answer, and a pause is put and ended.

use crate::host::Host;
use crate::peer::Talk;
use model::EventBody;
use serde_json::json;
use wire::{Ending, Keeping, Order, Pause, Reply, Terms, Up, Work};

fn ask(host: &Host, order: &Order) -> (Option<Keeping>, Ending) {
    let Talk { said, .. } = host.start().talk(order, &[], true);
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
    assert_eq!(ask(&host, &Order::Keeping), (Some(Keeping::default()), Ending::Unchanged));
    for folder in ["agent", "orders"] {
        std::fs::create_dir_all(host.state(folder)).unwrap();
    }
    std::fs::write(host.state("agent/status"), r#"{"mode":"observe"}"#).unwrap();
    std::fs::write(host.state("orders/pause"), "").unwrap();
    let (keeping, ending) = ask(&host, &Order::Keeping);
    let wanted = Keeping { running: None, status: Some(json!({ "mode": "observe" })), pause: None };
    assert_eq!((keeping, ending), (Some(wanted), Ending::Unchanged));
    std::fs::write(host.state("agent/status"), "{").unwrap();
    let (keeping, ending) = ask(&host, &Order::Keeping);
    assert!(keeping.is_none() && matches!(ending, Ending::Refused(_)), "{ending:?}");
}

#[test]
fn its_settings_are_told_as_they_are_written() {
    let host = Host::new();
    let path = host.state("agent.toml");
    let ask = || {
        let order = Order::Settings { path: path.display().to_string() };
        let Talk { said, .. } = host.start().talk(&order, &[], true);
        let told = said.iter().find_map(|up| match up {
            Up::Reply(reply) => match &**reply {
                Reply::Settings(text) => Some(text.clone()),
                _ => None,
            },
            _ => None,
        });
        (told, matches!(said.last(), Some(Up::Done(Ending::Unchanged))))
    };
    assert_eq!(ask(), (Some(None), true));
    std::fs::write(&path, "# mine\n").unwrap();
    assert_eq!(ask(), (Some(Some("# mine\n".to_owned())), true));
    std::fs::remove_file(&path).unwrap();
    std::fs::create_dir(&path).unwrap();
    assert_eq!(ask(), (None, false), "what cannot be read is no settings");
}

#[test]
fn a_pause_stands_by_the_hosts_clock_until_it_is_ended() {
    let host = Host::new();
    let pause = |reason: &str, seconds: u64| {
        let (by, reason, since) = ("ann@laptop".to_owned(), reason.to_owned(), "1970".to_owned());
        Order::Pause(Pause { by, reason, since, seconds })
    };
    let (keeping, ending) = ask(&host, &pause("moving", 7200));
    let told = keeping.and_then(|keeping| keeping.pause).unwrap();
    assert_eq!(
        (&told["reason"], &told["seconds"], ending),
        (&json!("moving"), &json!(7200), Ending::Unchanged)
    );
    assert!(told["since"].as_str().unwrap().starts_with("20"), "{told}");
    for wrong in [pause("", 60), pause("two\nlines", 60), pause("no end", 0), pause("no end", u64::MAX)] {
        assert!(matches!(ask(&host, &wrong), (None, Ending::Refused(_))), "{wrong:?}");
    }
    assert_eq!(ask(&host, &Order::Keeping).0.unwrap().pause, Some(told), "a refusal altered it");
    assert_eq!(ask(&host, &Order::Resume), (Some(Keeping::default()), Ending::Unchanged));
    std::fs::write(host.state("orders/pause"), "{").unwrap();
    assert_eq!(ask(&host, &Order::Resume), (Some(Keeping::default()), Ending::Unchanged));
}

#[test]
fn what_a_part_of_a_scope_leaves_out_is_no_orphan() {
    let host = Host::new();
    host.apply(&host.work_of(vec![host.link("a"), host.link("b")]), &[]);
    let orphans = |order: &dyn Fn(Work) -> Order, is_part: bool| {
        let terms = Terms { is_part, ..Terms::default() };
        let work = Work { terms, ..host.work_of(vec![host.link("a")]) };
        let told = |up: &Up| match up {
            Up::Event(event) => match &event.body {
                EventBody::Plan(plan) => Some(plan.orphans.len()),
                _ => None,
            },
            _ => None,
        };
        host.start().talk(&order(work), &[], true).said.iter().find_map(told)
    };
    assert_eq!(orphans(&Order::Apply, true), Some(0));
    assert_eq!(orphans(&Order::Plan, true), Some(0));
    assert_eq!(orphans(&Order::Plan, false), Some(1), "it was forgotten");
}
