//! A controller that writes down what it is told.

use fleet::{Controller, End, Prepared, Resume, Runs, Stage};
use model::{Event, Facts, Secrets};
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;
use std::time::Duration;
use wire::{Blobs, NoBlobs, Order, Reply};

/// What a controller was told, a line each: `host: what`.
pub struct Told {
    /// What hosts are asked to do; why not.
    pub order: Result<Order, String>,
    /// The answer to their question.
    pub answer: Option<bool>,
    pub secrets: Secrets,
    pub blobs: fn() -> Box<dyn Blobs>,
    pub lines: Mutex<Vec<String>>,
    pub detach: AtomicBool,
    pub runs: Option<Runs>,
    pub resume: Resume,
    pub wait: Duration,
}

impl Default for Told {
    fn default() -> Self {
        let (order, answer) = (Ok(Order::Facts), Some(true));
        let (secrets, lines) = (Secrets::default(), Mutex::default());
        let (detach, runs, resume, wait) = (AtomicBool::new(false), None, Resume::No, Duration::ZERO);
        Self { order, answer, secrets, blobs: || Box::new(NoBlobs), lines, detach, runs, resume, wait }
    }
}

impl Told {
    fn write(&self, host: &str, what: &str) {
        self.lines.lock().unwrap().push(format!("{host}: {what}"));
    }

    pub fn lines(&self) -> Vec<String> {
        self.lines.lock().unwrap().clone()
    }

    /// What came after `what` in the lines that begin with it, whichever the host.
    pub fn all(&self, what: &str) -> Vec<String> {
        let lines = self.lines();
        let rest = lines.iter().filter_map(|line| line.split_once(": ")?.1.strip_prefix(what));
        rest.map(str::to_owned).collect()
    }

    /// The lines that begin with `what`, whichever the host.
    pub fn has(&self, what: &str) -> bool {
        self.lines().iter().any(|line| line.split_once(": ").unwrap().1.starts_with(what))
    }
}

impl Controller for Told {
    fn order(&self, host: &str, facts: &Facts) -> Result<Prepared, String> {
        self.write(host, &format!("facts {}", facts.hostname));
        let (secrets, blobs) = (self.secrets.clone(), (self.blobs)());
        self.order.clone().map(|order| Prepared { order, secrets, blobs })
    }

    fn stage(&self, host: &str, stage: Stage) {
        self.write(host, &format!("stage {stage:?}"));
    }

    fn event(&self, host: &str, event: &Event) {
        self.write(host, &format!("event {}", serde_json::to_string(&event.body).unwrap()));
    }

    fn reply(&self, host: &str, reply: Reply) {
        self.write(host, &format!("reply {reply:?}"));
    }

    fn answer(&self, host: &str) -> Option<bool> {
        self.write(host, "asked");
        self.answer
    }

    fn note(&self, host: &str, text: &str) {
        self.write(host, &format!("note {text}"));
    }

    fn ended(&self, host: &str, end: &End) {
        self.write(host, &format!("ended {end:?}"));
    }
}
