//! The agent that a push has left for the next one: it is taken where it is just what that push would start, and else it is as if there were none.

use crate::host::{As, Host, in_words};
use crate::shell::Shell;
use crate::told::Told;
use fleet::{End, Endpoint, Password, Pipe, Remote, Spare, Taken, Trouble};
use model::{Failure, Secret, Secrets};
use std::fs;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use wire::{Ending, Order, Terms, Up, VERSION, Work};

/// What outlives a call.
#[derive(Default)]
struct Line {
    left: Mutex<Option<Spare>>,
    /// How many agents were to stay.
    stayed: AtomicUsize,
    /// How many commands the calls have started themselves, and taken.
    started: AtomicUsize,
    taken: AtomicUsize,
}

/// A connection that is kept.
struct Kept(Shell, Arc<Line>);

impl Remote for Kept {
    fn exec(&mut self, command: &str) -> Result<Box<dyn Pipe>, Trouble> {
        self.1.started.fetch_add(1, Ordering::SeqCst);
        self.0.exec(command)
    }

    fn keeps(&self) -> Option<Duration> {
        Some(Duration::from_secs(60))
    }

    fn leave(&mut self, spare: Spare) {
        *self.1.left.lock().unwrap() = Some(spare);
    }

    fn stay(&mut self) {
        self.1.stayed.fetch_add(1, Ordering::SeqCst);
    }

    fn take(&mut self, labels: &[&str]) -> Option<Taken> {
        let spare = self.1.left.lock().unwrap().take();
        let Spare { label, nonce, command, word } = spare.filter(|it| labels.contains(&it.label.as_str()))?;
        self.1.taken.fetch_add(1, Ordering::SeqCst);
        let mut pipe = self.0.exec(&command).unwrap();
        // One that has ended hears nothing.
        pipe.send(&word).ok();
        Some(Taken { label, nonce: Some(nonce), pipe })
    }
}

impl Line {
    /// One more call: how it ended, and what it noted.
    fn push(self: &Arc<Self>, host: &Host, password: &Password<'_>) -> (String, Vec<String>) {
        let told = Told::default();
        let end = self.push_as(host, &told, password);
        (in_words(&end), told.all("note "))
    }

    /// One more call, as `told` has it.
    fn push_as(self: &Arc<Self>, host: &Host, told: &Told, password: &Password<'_>) -> End {
        let connect = |_: &Endpoint| -> Result<Box<dyn Remote>, Trouble> {
            Ok(Box::new(Kept(host.shell(), Arc::clone(self))))
        };
        host.push_by(&connect, (told, password), &AtomicBool::new(false))
    }

    /// How many commands were started by calls, and taken.
    fn counts(&self) -> (usize, usize) {
        (self.started.load(Ordering::SeqCst), self.taken.load(Ordering::SeqCst))
    }
}

fn ended() -> (String, Vec<String>) {
    ("Unchanged".to_owned(), Vec::new())
}

#[test]
fn the_next_push_takes_what_the_last_one_has_left() {
    let users: [(As, &[(&str, &str)]); 3] = [
        (As::Root, &[]),
        (As::User, &[("sudo", "shift 2; touch {dir}/mark; exec \"$@\"")]),
        (
            As::User,
            &[
                ("sudo", "echo 'sudo: a password is required' >&2; exit 1"),
                ("doas", "shift; touch {dir}/mark; exec \"$@\""),
            ],
        ),
    ];
    for (user, tools) in users {
        let (host, line) = (Host::new(user), Arc::new(Line::default()));
        tools.iter().for_each(|(name, script)| host.tool(name, script));
        line.push(&host, &Password::never());
        let (first, _) = line.counts();
        for call in 1..3 {
            // Of a user, that root has been here is not to help.
            if user == As::User {
                fs::remove_file(host.path("mark")).unwrap();
            }
            assert_eq!(line.push(&host, &Password::never()), ended());
            assert_eq!(line.counts(), (first, call));
        }
    }
}

#[test]
fn what_is_no_good_is_as_if_it_were_not_there() {
    for command in [
        "exit 1",
        "kill -9 $$",
        "printf 'KEEL-%s here root\\nKEEL-%s root\\n' NONCE NONCE",
        "printf 'KEEL-%s here root\\nKEEL-%s root\\nKEEL-%s run warm\\n' NONCE NONCE NONCE",
        "printf 'KEEL-%s here root\\nKEEL-%s root\\nKEEL-%s tampered a b\\n' NONCE NONCE NONCE",
        "printf 'KEEL-%s here root\\nKEEL-%s run warm\\nxxx' NONCE NONCE",
        "while :; do echo noise; done",
    ] {
        let (host, line) = (Host::new(As::Root), Arc::new(Line::default()));
        line.push(&host, &Password::never());
        for left in line.left.lock().unwrap().iter_mut() {
            left.command = command.replace("NONCE", &left.nonce);
        }
        assert_eq!(line.push(&host, &Password::never()), ended(), "{command}");
        assert_eq!(line.counts(), (2, 1), "{command}");
        // That one has left another.
        assert_eq!(line.push(&host, &Password::never()), ended(), "{command}");
        assert_eq!(line.counts(), (2, 2), "{command}");
    }
}

#[test]
fn of_another_build_none_is_taken() {
    let (host, line) = (Host::new(As::Root), Arc::new(Line::default()));
    line.push(&host, &Password::never());
    host.agent("cat hello done; exec cat >/dev/null");
    assert_eq!(line.push(&host, &Password::never()).0, "Unchanged");
    assert_eq!((line.counts(), host.installed().len()), ((2, 0), 2));
}

#[test]
fn an_agent_that_is_gone_is_brought_by_the_push_and_not_ahead_of_it() {
    let (host, line) = (Host::new(As::Root), Arc::new(Line::default()));
    line.push(&host, &Password::never());
    fs::remove_file(host.installed_agent()).unwrap();
    let (end, notes) = line.push(&host, &Password::never());
    assert_eq!((end.as_str(), notes.len(), line.counts()), ("Unchanged", 1, (2, 1)));
    assert!(notes[0].starts_with("bringing the agent, "), "{notes:?}");
}

#[test]
fn a_damaged_agent_is_refused_as_ever() {
    let (host, line) = (Host::new(As::Root), Arc::new(Line::default()));
    line.push(&host, &Password::never());
    fs::write(host.installed_agent(), "x").unwrap();
    let (end, _) = line.push(&host, &Password::never());
    assert!(end.starts_with("the agent on the host was tampered with or damaged, and was not run"), "{end}");
    assert_eq!((line.counts(), line.left.lock().unwrap().is_none()), ((2, 1), true));
}

#[test]
fn where_sudo_wants_a_password_nothing_is_left() {
    let ask = || Some(Secret::new("open sesame".to_owned()));
    let (host, line) = (Host::new(As::User), Arc::new(Line::default()));
    host.tool(
        "sudo",
        "[ \"$1\" = -S ] || { echo 'sudo: a password is required' >&2; exit 1; }\n\
         printf %s \"$4\" >&2; read -r given; shift 5; touch {dir}/mark; exec \"$@\"",
    );
    assert_eq!(line.push(&host, &Password::asked_with(&ask)).0, "Unchanged");
    assert!(line.left.lock().unwrap().is_none());
    assert_eq!(line.stayed.load(Ordering::SeqCst), 0);
}

#[test]
fn an_agent_stays_where_the_host_is_as_it_was() {
    let refusal = Failure::refused("it is not to be", "let it be");
    for (ending, stays) in [(Ending::Unchanged, 1), (Ending::Locked, 0), (Ending::Refused(refusal), 0)] {
        let (host, line) = (Host::new(As::Root), Arc::new(Line::default()));
        // It hears with the order for how long: a little longer than the connection is kept.
        let terms = Terms { login: Some("ada".to_owned()), stay: Some(65), ..Terms::default() };
        let mut due = Vec::new();
        let order = Order::Plan(Work { terms, ..Work::default() });
        wire::send_order(&mut due, VERSION, order, &Secrets::default()).unwrap();
        host.says("done", &[Up::Done(ending.clone())]);
        host.agent(&format!("cat hello; head -c {} >heard; cat done; cat >/dev/null", due.len()));
        let told = Told { order: Ok(Order::Plan(Work::default())), ..Told::default() };
        assert_eq!(line.push_as(&host, &told, &Password::never()), End::Ended(ending));
        assert_eq!(line.stayed.load(Ordering::SeqCst), stays);
        assert_eq!(fs::read(host.path("heard")).unwrap(), due);
    }
}
