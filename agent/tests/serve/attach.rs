//! Watching a run that another agent carries out: from any of its events on, while it goes, after it, and when it died.

use crate::host::Host;
use crate::peer::{Peer, Talk};
use model::{Event, EventBody};
use rustix::process::{Pid, Signal, kill_process};
use std::io::Write;
use std::time::{Duration, Instant};
use wire::{Down, Ending, Order, Up};

/// Waits until `go` is there, or the host is gone with the test; then makes `done`.
fn held(host: &Host) -> Order {
    let go = host.file("go").display().to_string();
    let wait = ["sh", "-c", "while [ -d \"${1%/*}\" ] && [ ! -e \"$1\" ]; do sleep 0.05; done", "sh", &go];
    let done = ["touch", &host.file("done").display().to_string()].map(str::to_owned);
    let node =
        |name: &str, argv: serde_json::Value| host.node("exec", name, serde_json::json!({ "command": argv }));
    let nodes = vec![node("a-wait", serde_json::json!(wait)), node("b-done", serde_json::json!(done))];
    Order::Apply(host.work_of(nodes))
}

/// A run that waits for `go`, and whoever carries it out.
fn begun(host: &Host) -> Peer {
    let mut peer = host.start();
    peer.hear_until("hello");
    peer.order(&held(host));
    peer.hear_until("question");
    peer.answer(true);
    peer.hear_until("working");
    peer
}

fn go(host: &Host) {
    std::fs::write(host.file("go"), "").unwrap();
}

fn attach(host: &Host, run: Option<u64>, from: u64) -> Peer {
    let mut peer = host.start();
    peer.hear_until("hello");
    peer.order(&Order::Attach { run, from });
    peer
}

fn events(talk: &Talk) -> Vec<Event> {
    let event = |up: &Up| if let Up::Event(event) = up { Some((**event).clone()) } else { None };
    talk.said.iter().filter_map(event).collect()
}

/// What stands in the run's own record.
fn recorded(host: &Host) -> Vec<Event> {
    let text = std::fs::read_to_string(host.state("runs/000001/events")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_run_is_watched_from_any_of_its_events_on_by_many() {
    let host = Host::new();
    let peer = begun(&host);
    let mut watching =
        [(None, 0), (Some(1), 0), (Some(1), 2)].map(|(run, from)| (attach(&host, run, from), from));
    watching.iter_mut().for_each(|(peer, _)| drop(peer.hear_until("working")));
    go(&host);
    let own = peer.finish();
    for (peer, from) in watching {
        let talk = peer.finish_at_the_end();
        assert_eq!(talk.ending(), Some(&Ending::Changed), "{talk:?}");
        assert_eq!(events(&talk), recorded(&host)[from as usize..]);
    }
    assert_eq!(events(&own), recorded(&host));
}

#[test]
fn a_run_that_lost_its_controller_is_told_to_the_next_one_none_twice_and_none_missing() {
    let host = Host::new();
    let mut peer = begun(&host);
    drop((peer.input.take(), peer.output.take()));
    let lost = events(&peer.heard_so_far());
    let mut again = attach(&host, None, lost.len() as u64);
    go(&host);
    again.hear_until("done");
    let both = [lost, events(&again.finish())].concat();
    assert_eq!(both, recorded(&host));
    assert!(host.file("done").exists());
    for from in 0..=both.len() {
        let mut after = attach(&host, Some(1), from as u64);
        after.hear_until("done");
        let talk = after.finish();
        assert_eq!((talk.ending(), events(&talk)), (Some(&Ending::Changed), both[from..].to_vec()));
    }
}

#[test]
fn a_run_that_died_is_told_to_be_cut_off() {
    for torn in [false, true] {
        let host = Host::new();
        let peer = begun(&host);
        let watching = attach(&host, Some(1), 0);
        kill_process(Pid::from_child(&peer.child), Signal::KILL).unwrap();
        peer.finish();
        if torn {
            let events = host.state("runs/000001/events");
            std::fs::OpenOptions::new()
                .append(true)
                .open(events)
                .unwrap()
                .write_all(b"{\"at\":\"20")
                .unwrap();
        }
        for peer in [watching, attach(&host, None, 0)] {
            let talk = peer.finish_at_the_end();
            assert_eq!(talk.words().join(" "), "hello plan started working error report done");
            assert_eq!(talk.ending(), Some(&Ending::Failed));
            assert_eq!(talk.errors(), ["run 1 was cut off; the next run takes up what it left"]);
            let Some(EventBody::Report(report)) = events(&talk).pop().map(|it| it.body) else { panic!() };
            assert_eq!((report.unknown, report.run.as_deref()), (2, Some("1")));
        }
    }
}

#[test]
fn a_run_that_the_machine_goes_down_for_is_not_cut_off() {
    let host = Host::new();
    let peer = begun(&host);
    let goes_on = host.state("runs/000001/goes-on");
    std::fs::write(&goes_on, "").unwrap();
    kill_process(Pid::from_child(&peer.child), Signal::KILL).unwrap();
    peer.finish();
    let (mut watching, since) = (attach(&host, Some(1), 0), Instant::now());
    watching.hear_until("started");
    let later = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_secs(1));
        std::fs::remove_file(goes_on).unwrap();
    });
    let talk = watching.finish_at_the_end();
    later.join().unwrap();
    assert!(since.elapsed() >= Duration::from_secs(1), "it waited for the run to go on");
    assert_eq!(talk.ending(), Some(&Ending::Failed));
}

#[test]
fn a_stop_is_passed_on_and_the_end_of_a_connection_is_none() {
    let host = Host::new();
    let peer = begun(&host);
    let mut gone = attach(&host, None, 0);
    gone.hear_until("working");
    assert_eq!(gone.finish().code, Some(0));
    let mut killed = attach(&host, None, 0);
    killed.hear_until("working");
    kill_process(Pid::from_child(&killed.child), Signal::TERM).unwrap();
    let talk = killed.finish_at_the_end();
    assert!(matches!(talk.ending(), Some(Ending::Refused(_))), "{talk:?}");
    let mut stopping = attach(&host, None, 0);
    stopping.hear_until("working");
    (0..3).for_each(|_| stopping.say(&Down::Stop));
    // Nothing tells that it was passed on.
    std::thread::sleep(Duration::from_secs(2));
    go(&host);
    for talk in [stopping.finish_at_the_end(), peer.finish()] {
        let words = "hello plan question started working node node report done".replace("question ", "");
        assert_eq!(talk.words().join(" ").replace("question ", ""), words);
        assert_eq!((talk.ending(), host.file("done").exists()), (Some(&Ending::Failed), false));
    }
}

#[test]
fn what_became_of_a_run_afterwards_is_told_after_its_report() {
    let host = Host::new();
    go(&host);
    let Order::Apply(work) = held(&host) else { panic!() };
    host.apply(&work, &[]);
    let event = |body| Event { at: String::new(), seq: recorded(&host).len() as u64, body };
    let reverted = event(EventBody::Reverted { run: "1".into(), because: "nobody confirmed it".into() });
    let mut line = serde_json::to_vec(&reverted).unwrap();
    line.push(b'\n');
    let path = host.state("runs/000001/events");
    std::fs::OpenOptions::new().append(true).open(path).unwrap().write_all(&line).unwrap();
    let talk = attach(&host, None, 0).finish_at_the_end();
    assert!(talk.words().ends_with(&["report", "reverted", "done"]), "{talk:?}");
    assert_eq!(talk.ending(), Some(&Ending::Reverted));
}

#[test]
fn events_that_could_not_be_written_are_made_up_for_by_the_journal() {
    let host = Host::new();
    go(&host);
    let Order::Apply(work) = held(&host) else { panic!() };
    host.apply(&work, &[]);
    let path = host.state("runs/000001/events");
    let text = std::fs::read_to_string(&path).unwrap();
    let some: Vec<&str> = text.split_inclusive('\n').take(3).collect();
    std::fs::write(&path, some.concat()).unwrap();
    let talk = attach(&host, None, 0).finish_at_the_end();
    assert_eq!(talk.words().join(" "), "hello plan started working note report done");
    let missing = "missing, the ends of 2 resources among them";
    assert!(
        events(&talk)
            .iter()
            .any(|it| matches!(&it.body, EventBody::Note { text } if text.ends_with(missing))),
        "{talk:?}"
    );
    assert_eq!(talk.ending(), Some(&Ending::Changed));
}

#[test]
fn a_run_that_is_none_is_refused_and_nobody_waits_for_a_plan() {
    let host = Host::new();
    for (run, words) in [(None, "there has been no run"), (Some(7), "there is no run 7")] {
        let talk = attach(&host, run, 0).finish_at_the_end();
        let Some(Ending::Refused(why)) = talk.ending() else { panic!("{talk:?}") };
        assert!(why.to_string().starts_with(words), "{why}");
    }
    // Somebody plans, and nobody answers.
    let mut planning = host.start();
    planning.hear_until("hello");
    planning.order(&held(&host));
    planning.hear_until("question");
    let start = Instant::now();
    let talk = attach(&host, None, 0).finish_at_the_end();
    assert!(matches!(talk.ending(), Some(Ending::Refused(_))) && start.elapsed() < Duration::from_secs(30));
    planning.finish();
}
