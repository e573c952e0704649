//! The controller's end of a conversation with the agent; it holds the agent to the protocol.

use model::{Digest, EventBody, Failure, Secrets};
use std::io::{Cursor, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command};
use wire::{Blobs, ControllerSide, Down, Ending, Inbox, Order, Up, VERSION, send, send_content, send_order};

/// A running agent and what is known of it.
pub struct Peer {
    pub child: Child,
    pub input: Option<ChildStdin>,
    pub output: Option<ChildStdout>,
    inbox: Inbox<Up>,
    pub side: ControllerSide,
    talk: Talk,
}

/// What the agent said.
#[derive(Debug, Default)]
pub struct Talk {
    pub said: Vec<Up>,
    pub code: Option<i32>,
    pub stderr: String,
}

impl Talk {
    pub fn ending(&self) -> Option<&Ending> {
        self.said.iter().find_map(|up| if let Up::Done(ending) = up { Some(ending) } else { None })
    }

    /// A word for each message, but for signs of life.
    pub fn words(&self) -> Vec<&'static str> {
        self.said.iter().map(word).filter(|word| !word.is_empty()).collect()
    }

    pub fn errors(&self) -> Vec<String> {
        let bodies =
            self.said.iter().filter_map(|up| if let Up::Event(it) = up { Some(&it.body) } else { None });
        bodies
            .filter_map(|it| if let EventBody::Error { text } = it { Some(text.clone()) } else { None })
            .collect()
    }
}

fn word(up: &Up) -> &'static str {
    match up {
        Up::Hello(_) => "hello",
        Up::Want(_) => "want",
        Up::Question => "question",
        Up::Reply(_) => "reply",
        Up::Alive => "",
        Up::Done(_) => "done",
        Up::Event(event) => match event.body {
            EventBody::Plan(_) => "plan",
            EventBody::Started { .. } => "started",
            EventBody::Working { .. } => "working",
            EventBody::Node { .. } => "node",
            EventBody::Waiting { .. } => "waiting",
            EventBody::Armed { .. } => "armed",
            EventBody::Confirmed { .. } => "confirmed",
            EventBody::Rebooting { .. } => "rebooting",
            EventBody::Resumed { .. } => "resumed",
            EventBody::Reverted { .. } => "reverted",
            EventBody::Note { .. } => "note",
            EventBody::Rehearsal(_) => "rehearsal",
            EventBody::Error { .. } => "error",
            EventBody::Report(_) => "report",
        },
    }
}

/// Contents by their digest.
struct Held<'a>(&'a [&'a [u8]]);

impl Blobs for Held<'_> {
    fn open(&self, digest: &Digest) -> Result<Box<dyn Read>, Failure> {
        let found = self.0.iter().find(|bytes| Digest::of(bytes) == *digest);
        let found = found.ok_or_else(|| Failure::Missing { what: "it".into() })?;
        Ok(Box::new(Cursor::new(found.to_vec())))
    }
}

impl Peer {
    pub fn start(command: &mut Command) -> Self {
        let mut child = command.spawn().unwrap();
        let (input, output) = (child.stdin.take(), child.stdout.take());
        let (inbox, side, talk) = (Inbox::default(), ControllerSide::default(), Talk::default());
        Self { child, input, output, inbox, side, talk }
    }

    /// The next message that is no sign of life; `None` at the end.
    pub fn hear(&mut self) -> Option<Up> {
        loop {
            let heard = self.inbox.hear(self.output.as_mut().unwrap()).unwrap()?;
            let up = self.side.take(heard).unwrap();
            self.talk.said.push(up.clone());
            if up != Up::Alive {
                return Some(up);
            }
        }
    }

    /// Hears up to a message with this word.
    #[track_caller]
    pub fn hear_until(&mut self, wanted: &str) -> Up {
        loop {
            let up = self.hear().unwrap_or_else(|| panic!("no {wanted}: {:?}", self.talk));
            if word(&up) == wanted {
                return up;
            }
        }
    }

    pub fn say(&mut self, message: &Down) {
        send(self.input.as_mut().unwrap(), message).unwrap();
    }

    pub fn raw(&mut self, bytes: &[u8]) {
        self.input.as_mut().unwrap().write_all(bytes).unwrap();
    }

    pub fn order(&mut self, order: &Order) {
        self.side.orders(order);
        send_order(self.input.as_mut().unwrap(), VERSION, order.clone(), &Secrets::default()).unwrap();
    }

    /// Sends what is wanted, out of `contents` or as lacking.
    pub fn give(&mut self, wanted: &[Digest], contents: &[&[u8]]) {
        for digest in wanted {
            let size = contents.iter().find(|it| Digest::of(it) == *digest).map_or(0, |it| it.len() as u64);
            // What is lacking has been said to be.
            send_content(self.input.as_mut().unwrap(), (*digest, size), &Held(contents)).ok();
        }
    }

    pub fn answer(&mut self, yes: bool) {
        if yes {
            self.side.commits();
        }
        self.say(&Down::Answer { yes });
    }

    /// The whole conversation about `order`.
    pub fn talk(mut self, order: &Order, contents: &[&[u8]], yes: bool) -> Talk {
        self.hear_until("hello");
        self.order(order);
        while let Some(up) = self.hear() {
            match up {
                Up::Want(wanted) => self.give(&wanted, contents),
                Up::Question => self.answer(yes),
                _ => {}
            }
        }
        self.finish()
    }

    /// Hears everything up to the last word, and waits for the agent's end.
    pub fn finish_at_the_end(mut self) -> Talk {
        while self.talk.ending().is_none() && self.hear().is_some() {}
        self.finish()
    }

    /// What was heard when nothing more is listened to.
    pub fn heard_so_far(self) -> Talk {
        self.talk
    }

    /// Closes what is still open, and waits for the agent's end.
    pub fn finish(mut self) -> Talk {
        drop(self.input.take());
        while self.output.is_some() && self.hear().is_some() {}
        let mut stderr = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
        let code = self.child.wait().unwrap().code();
        Talk { code, stderr, ..self.talk }
    }
}
