//! What a controller takes from a host and when, word by word.

use model::{
    Catalog, CheckEnd, CheckResult, CheckSpec, Content, Digest, Event, EventBody, Facts, Plan, Report,
};
use wire::{ControllerSide, Ending, Heard, Hello, Order, Reply, Up, VERSION, Work};

fn hello(protocol: u32, hostname: &str) -> Up {
    let facts = Facts { hostname: hostname.into(), ..Facts::default() };
    Up::Hello(Box::new(Hello { protocol, agent: "0.1.0".into(), facts }))
}

fn event(body: EventBody) -> Up {
    Up::Event(Box::new(Event { at: String::new(), seq: 0, body }))
}

/// The events of a run, counted from 0.
fn numbered(up: Up, next: &mut u64) -> Up {
    let Up::Event(event) = up else { return up };
    *next += 1;
    Up::Event(Box::new(Event { seq: *next - 1, ..*event }))
}

fn work() -> Work {
    let params = serde_json::json!({ "deep": [{ "content": Content::reference(Digest::of(b"a"), 1) }] });
    let (id, origins) = (model::Id::new("file", "/a"), Vec::new());
    let node = model::Node { id, origins, params, common: model::Common::default() };
    Work { catalog: Catalog::new(vec![node], Vec::new()).unwrap(), ..Work::default() }
}

/// In a test's words the letter after this one must be refused.
const BREACH: char = '!';

/// Each letter is a message; `o` is the order and `y` the yes, which the controller says. How many were taken before a breach.
fn taken(order: &Order, words: &str) -> usize {
    let mut side = ControllerSide::default();
    let (wanted, mut seq) = (Digest::of(b"a"), 0);
    let words = words.chars().filter(|letter| *letter != BREACH);
    words
        .take_while(|letter| {
            let up = match letter {
                'o' => {
                    side.orders(order);
                    return true;
                }
                'y' => {
                    side.commits();
                    return true;
                }
                'h' => hello(VERSION, "h"),
                'p' => event(EventBody::Plan(Plan::default())),
                's' => event(EventBody::Started { run: "1".into() }),
                'r' => event(EventBody::Report(Report::default())),
                'w' => Up::Want(vec![wanted]),
                'x' => Up::Want(vec![Digest::of(b"x")]),
                'q' => Up::Question,
                'l' => Up::Reply(Box::new(Reply::History(Vec::new()))),
                'a' => Up::Alive,
                'c' => Up::Done(Ending::Changed),
                'u' => Up::Done(Ending::Unchanged),
                'v' => event(EventBody::Reverted { run: "1".into(), because: String::new() }),
                'R' => Up::Done(Ending::Reverted),
                _ => Up::Done(Ending::Declined),
            };
            side.take(Heard::Message(numbered(up, &mut seq))).is_ok()
        })
        .count()
}

#[test]
fn a_host_says_what_its_order_allows_and_nothing_else() {
    let (apply, plan, rehearse) = (Order::Apply(work()), Order::Plan(work()), Order::Rehearse(work()));
    for (order, all) in [
        (
            &apply,
            "haoawpqaysrc!d hoprd hopqyd had o !ao h!h h!p ho!q hop!s hop!c hopq!s hopqy!w \
                 hopqy!q how!w ho!x ho!l hopr!p hod!a hopqyr!v",
        ),
        (&plan, "howp!q hop!s"),
        (&rehearse, "howpsrd hops!c hop!q"),
        (&Order::History, "holu hod ho!u hol!l"),
        (&Order::Facts, "hou ho!l ho!R"),
        (&Order::Attach { run: None, from: 0 }, "hopsrvR hor!p ho!q"),
        (&Order::Confirm { run: 1 }, "hovR hou"),
    ] {
        for words in all.split(' ') {
            assert_eq!(taken(order, words), words.find(BREACH).unwrap_or(words.len()), "{words}");
        }
    }
}

#[test]
fn each_check_that_was_asked_for_has_a_result_and_the_end_says_no_better() {
    let spec = |name: &str| CheckSpec { name: name.into(), ..CheckSpec::default() };
    let told = |names: &[&str], end, ending| {
        let mut side = ControllerSide::default();
        side.take(Heard::Message(hello(VERSION, "h"))).unwrap();
        side.orders(&Order::Check(vec![spec("a"), spec("b")]));
        let result = |name: &&str| CheckResult { name: (*name).into(), end, ..CheckResult::default() };
        let reply = Reply::Checks(names.iter().map(result).collect());
        let replied = side.take(Heard::Message(Up::Reply(Box::new(reply)))).is_ok();
        (replied, replied && side.take(Heard::Message(Up::Done(ending))).is_ok())
    };
    let (passed, failed, unknown) = (CheckEnd::Passed, CheckEnd::Failed, CheckEnd::Unknown);
    for (names, end, ending, borne) in [
        (&["a", "b"][..], passed, Ending::Unchanged, (true, true)),
        (&["a", "b"], failed, Ending::Unchanged, (true, false)),
        (&["a", "b"], unknown, Ending::Unchanged, (true, false)),
        (&["a", "b"], unknown, Ending::Failed, (true, true)),
        (&["a"], passed, Ending::Unchanged, (false, false)),
        (&["b", "a"], passed, Ending::Unchanged, (false, false)),
        (&["a", "b", "c"], passed, Ending::Unchanged, (false, false)),
    ] {
        assert_eq!(told(names, end, ending.clone()), borne, "{names:?} {end} {ending:?}");
    }
}

#[test]
fn no_end_is_better_than_its_report() {
    let told = |report: Report, ending: Ending| {
        let mut side = ControllerSide::default();
        side.take(Heard::Message(hello(VERSION, "h"))).unwrap();
        side.orders(&Order::Attach { run: None, from: 0 });
        side.take(Heard::Message(event(EventBody::Report(report)))).unwrap();
        side.take(Heard::Message(Up::Done(ending))).is_ok()
    };
    let (failed, skipped, unknown, changed) = (
        Report { failed: 1, ..Report::default() },
        Report { skipped: 1, ..Report::default() },
        Report { unknown: 1, ..Report::default() },
        Report { changed: 1, ..Report::default() },
    );
    for (ending, borne) in [
        (Ending::Unchanged, [false, false, false, false]),
        (Ending::Changed, [false, false, false, true]),
        (Ending::Pending, [false, true, true, true]),
        (Ending::Declined, [true, true, true, true]),
        (Ending::Locked, [true, true, true, true]),
        (Ending::Failed, [true, true, true, true]),
    ] {
        let found = [&failed, &skipped, &unknown, &changed].map(|it| told(it.clone(), ending.clone()));
        assert_eq!(found, borne, "{ending:?}");
    }
}

#[test]
fn the_events_of_a_run_that_is_watched_come_each_once() {
    let told = |from, numbers: &[u64]| {
        let mut side = ControllerSide::default();
        side.take(Heard::Message(hello(VERSION, "h"))).unwrap();
        side.orders(&Order::Attach { run: Some(1), from });
        let note = |seq| Event { at: String::new(), seq, body: EventBody::Note { text: String::new() } };
        let says = |seq: &&u64| side.take(Heard::Message(Up::Event(Box::new(note(**seq))))).is_ok();
        numbers.iter().take_while(says).count()
    };
    for (from, numbers, taken) in [
        (0, &[0, 1, 2][..], 3),
        (7, &[7, 8], 2),
        (7, &[0], 0),
        (7, &[8], 0),
        (0, &[0, 1, 1], 2),
        (0, &[0, 2], 1),
    ] {
        assert_eq!(told(from, numbers), taken, "{from} {numbers:?}");
    }
}

#[test]
fn bytes_other_versions_and_endless_names_are_refused() {
    let hear = |heard| ControllerSide::default().take(heard).map_err(|error| error.to_string());
    for (heard, want) in [
        (Heard::Bytes(vec![1]), "out of order: bytes from a host"),
        (
            Heard::Message(hello(VERSION + 2, "h")),
            "the other side speaks version 3 of the protocol, and this one 1",
        ),
        (
            Heard::Message(hello(VERSION, &"x".repeat(70_000))),
            "the first words come to more than 65536 bytes",
        ),
    ] {
        assert_eq!(hear(heard).unwrap_err(), want);
    }
}
