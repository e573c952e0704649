//! A host whose run goes on without its connections: what its run tells stands in a log, and each connection tells of it until it is cut.

use crate::host::{As, Host, frames, hello};
use crate::scripted::WARM;
use crate::told::Told;
use fleet::{End, Endpoint, Password, Pipe, Received, Remote, Stage, Trouble};
use model::{Event, EventBody, Plan, Report};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use wire::{Down, Ending, Heard, Inbox, Order, Up, Work};

/// How a connection ends that does not end by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// It is reset.
    Reset,
    /// Its output ends, as where the program in between was killed.
    End,
    /// Nothing comes any more.
    Silence,
}

/// What becomes of a connection.
#[derive(Clone, Copy, Debug)]
pub enum Fate {
    /// It lasts.
    Lasts,
    /// It is cut so many bytes after its first event.
    Cut(usize, Cut),
    /// There is none.
    Refused,
}

/// What a host is asked, and answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    Work,
    Attach(Option<u64>, u64),
    Confirm(u64),
}

/// The host.
pub struct World {
    /// What its run tells.
    pub log: Vec<Event>,
    pub ending: Ending,
    /// How it answers confirmations, one after the other; the last one again and again.
    pub answers: Vec<Ending>,
    /// What becomes of the connections; the last one again and again.
    pub fates: Vec<Fate>,
    /// True where its last words wait for a stop.
    pub holds: bool,
    pub patience: fleet::Patience,
    pub asked: Mutex<Vec<Asked>>,
    pub endpoints: Mutex<Vec<Endpoint>>,
}

pub fn numbered(bodies: Vec<EventBody>) -> Vec<Event> {
    let event = |(seq, body)| Event { at: format!("2026-01-01T00:00:{seq:02}Z"), seq: seq as u64, body };
    bodies.into_iter().enumerate().map(event).collect()
}

pub fn note(text: &str) -> EventBody {
    EventBody::Note { text: text.to_owned() }
}

impl World {
    /// Its run is number 7 and tells a little; what is in `more` before its report.
    pub fn new(more: Vec<EventBody>) -> Self {
        let begin =
            [note("early"), EventBody::Plan(Plan::default()), EventBody::Started { run: "7".to_owned() }];
        let end =
            [note("late"), EventBody::Report(Report { run: Some("7".to_owned()), ..Report::default() })];
        let mut patience = crate::host::short();
        (patience.back, patience.margin) = (Duration::from_secs(5), Duration::from_secs(5));
        patience.silence = Duration::from_millis(300);
        Self {
            log: numbered(begin.into_iter().chain(more).chain(end).collect()),
            ending: Ending::Changed,
            answers: vec![Ending::Unchanged],
            fates: vec![Fate::Lasts],
            holds: false,
            patience,
            asked: Mutex::default(),
            endpoints: Mutex::default(),
        }
    }

    /// Bytes of what the run tells after the plan.
    pub fn length(&self) -> usize {
        frames(&self.said(2)).len()
    }

    fn said(&self, from: u64) -> Vec<Up> {
        let from = self.log.iter().filter(|event| event.seq >= from);
        from.map(|event| Up::Event(Box::new(event.clone()))).collect()
    }

    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// Pushes to it, as `h1`.
    pub fn push(self: &Arc<Self>, told: &Told) -> End {
        self.push_while(told, self)
    }

    /// The same, up to a stop.
    pub fn push_until(self: &Arc<Self>, told: &Told, stop: &AtomicBool) -> End {
        self.push_with(told, self, stop)
    }

    /// The same, where all connections but the first come to `other`.
    pub fn push_while(self: &Arc<Self>, told: &Told, other: &Arc<Self>) -> End {
        self.push_with(told, other, &AtomicBool::new(false))
    }

    fn push_with(self: &Arc<Self>, told: &Told, other: &Arc<Self>, stop: &AtomicBool) -> End {
        let mut host = Host::new(As::Root);
        host.patience = self.patience.clone();
        let connect = |endpoint: &Endpoint| -> Result<Box<dyn Remote>, Trouble> {
            let mut endpoints = self.endpoints.lock().unwrap();
            let fate = self.fates.get(endpoints.len()).or(self.fates.last()).copied();
            endpoints.push(endpoint.clone());
            match fate.unwrap_or(Fate::Lasts) {
                Fate::Refused => Err(Trouble::ConnectionRefused { address: "h1:22".to_owned() }),
                fate => {
                    let world = Arc::clone(if endpoints.len() == 1 { self } else { other });
                    Ok(Box::new(Connection { world, fate }))
                }
            }
        };
        host.push_by(&connect, (told, &Password::never()), stop)
    }
}

/// What every event was that a controller was told, in order; a text each.
pub fn events(told: &Told) -> Vec<String> {
    told.all("event ")
}

/// What a controller is to be told of a log.
pub fn wanted(log: &[Event]) -> Vec<String> {
    log.iter().map(|event| serde_json::to_string(&event.body).unwrap()).collect()
}

pub fn apply() -> Told {
    Told {
        order: Ok(Order::Apply(Work { command: "apply h1".to_owned(), ..Work::default() })),
        ..Told::default()
    }
}

struct Connection {
    world: Arc<World>,
    fate: Fate,
}

impl Remote for Connection {
    fn exec(&mut self, command: &str) -> Result<Box<dyn Pipe>, Trouble> {
        let (_, rest) = command.split_once(" quiet go '").unwrap();
        let (nonce, _) = rest.split_once('\'').unwrap();
        let said = WARM.replace("{KEEL}", &format!("KEEL-{nonce}")).into_bytes();
        let said = [said, frames(&[hello("h1")])].concat();
        let (world, fate) = (Arc::clone(&self.world), self.fate);
        Ok(Box::new(Agent { world, fate, said, at: 0, inbox: Inbox::default(), end: None }))
    }
}

struct Agent {
    world: Arc<World>,
    fate: Fate,
    said: Vec<u8>,
    at: usize,
    inbox: Inbox<Down>,
    /// Where what it says ends, and how.
    end: Option<(usize, Cut)>,
}

impl Agent {
    fn says(&mut self, words: &[Up]) {
        self.said.extend(frames(words));
    }

    /// Tells of the run, up to where the connection is cut.
    fn tells(&mut self, from: u64) {
        if let Fate::Cut(length, cut) = self.fate {
            self.end = Some((self.said.len().saturating_add(length), cut));
        }
        let (events, ending) = (self.world.said(from), self.world.ending.clone());
        self.says(&events);
        if !self.world.holds {
            self.says(&[Up::Done(ending)]);
        }
    }

    fn hears(&mut self, down: Down) {
        let asked = |asked| self.world.asked.lock().unwrap().push(asked);
        match down {
            Down::Order(order) => match *order {
                Order::Attach { run, from } => {
                    asked(Asked::Attach(run, from));
                    self.tells(from);
                }
                Order::Confirm { run } => {
                    asked(Asked::Confirm(run));
                    let times =
                        self.world.asked().iter().filter(|one| matches!(one, Asked::Confirm(_))).count();
                    let answers = &self.world.answers;
                    let answer = answers.get(times - 1).or(answers.last()).cloned();
                    self.says(&[Up::Done(answer.unwrap())]);
                }
                _ => {
                    asked(Asked::Work);
                    let early: Vec<Up> = self.world.said(0).into_iter().take(2).collect();
                    self.says(&early);
                    self.says(&[Up::Question]);
                }
            },
            Down::Answer { yes: true } => self.tells(2),
            Down::Stop => self.says(&[Up::Done(self.world.ending.clone())]),
            _ => {}
        }
    }
}

impl Pipe for Agent {
    fn send(&mut self, bytes: &[u8]) -> Result<(), Trouble> {
        self.inbox.feed(bytes);
        while let Some(heard) = self.inbox.heard().unwrap() {
            if let Heard::Message(down) = heard {
                self.hears(down);
            }
        }
        Ok(())
    }

    fn receive(&mut self, buffer: &mut [u8], _: Duration) -> Result<Received, Trouble> {
        let end = self.end.map_or(self.said.len(), |(end, _)| end.min(self.said.len()));
        let left = &self.said[self.at..end];
        if left.is_empty() {
            std::thread::sleep(Duration::from_millis(5));
            return match self.end {
                Some((_, Cut::Reset)) => {
                    Err(Trouble::Lost { stage: Stage::Elevate, because: "the cable was cut".to_owned() })
                }
                Some((_, Cut::End)) => Ok(Received::End),
                Some((_, Cut::Silence)) | None => Ok(Received::Nothing),
            };
        }
        let count = left.len().min(buffer.len());
        buffer[..count].copy_from_slice(&left[..count]);
        self.at += count;
        Ok(Received::Bytes(count))
    }

    fn errors(&self) -> &[u8] {
        b""
    }

    fn finish(&mut self, _: Duration) -> Result<Option<i32>, Trouble> {
        Ok(Some(255))
    }
}
