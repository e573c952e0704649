//! One order for one agent: its first words, the order, contents it wants, the answer to its question, and its events up to the
//! last word. `wire::ControllerSide` knows what a host may say when; deadlines and the commit point are kept here.

use crate::bootstrap::Brought;
use crate::endpoint::Endpoint;
use crate::inert;
use crate::push::{End, Patience, Prepared, Progress, Push};
use crate::remote::{Pipe, Received};
use crate::talk::facts;
use crate::talk::outgoing::Outgoing;
use crate::talk::task::Task;
use crate::trouble::{Stage, Trouble};
use model::{Digest, Secrets};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use wire::{ALIVE_EVERY, Blobs, ControllerSide, Down, Hello, Inbox, Malformed, NoBlobs, Order, Unsent, Up};

/// How often somebody looks whether there is an answer, or the user wants to stop.
const GLANCE: Duration = Duration::from_millis(100);

/// How long an agent that said nothing more may take to end.
const END: Duration = Duration::from_secs(5);

/// Talks with the agent until its last word.
pub fn converse(
    brought: Brought,
    (push, endpoint): (&Push<'_>, &Endpoint),
    progress: &Progress<'_>,
    task: Task,
) -> End {
    progress.enter(Stage::Facts);
    let mut inbox = Inbox::default();
    inbox.feed(&brought.rest);
    let now = Instant::now();
    let mut talk = Conversation {
        pipe: brought.pipe,
        stays: brought.stays,
        progress,
        patience: &push.patience,
        endpoint,
        // A confirmation has nothing to stop.
        is_stop_said: matches!(task, Task::Confirm(_)),
        task,
        inbox,
        side: ControllerSide::default(),
        contents: BTreeMap::new(),
        blobs: Box::new(NoBlobs),
        is_asked: false,
        unsent: None,
        begun: now,
        heard: now,
        said: now,
    };
    match talk.run() {
        Ok(end) => end,
        Err(trouble) => End::Trouble(progress.placed(trouble)),
    }
}

struct Conversation<'a> {
    pipe: Box<dyn Pipe>,
    stays: Option<Duration>,
    progress: &'a Progress<'a>,
    patience: &'a Patience,
    endpoint: &'a Endpoint,
    task: Task,
    inbox: Inbox<Up>,
    side: ControllerSide,
    /// Sizes of what the host may want.
    contents: BTreeMap<Digest, u64>,
    blobs: Box<dyn Blobs>,
    /// True while its question is open.
    is_asked: bool,
    is_stop_said: bool,
    /// Why nothing more can be sent. Its last words, or its end, may still come and tell more.
    unsent: Option<Trouble>,
    begun: Instant,
    /// When something was heard last.
    heard: Instant,
    /// When something was said last.
    said: Instant,
}

impl Conversation<'_> {
    fn run(&mut self) -> Result<End, Trouble> {
        let mut buffer = vec![0; 64 << 10];
        loop {
            while let Some(heard) = self.inbox.heard().map_err(|malformed| self.breach(malformed))? {
                let up = self.side.take(heard).map_err(|malformed| self.breach(malformed))?;
                if let Some(end) = self.take(up)? {
                    return Ok(end);
                }
                // Compiling, giving contents and showing events take our time; the host was not silent in it.
                self.heard = Instant::now();
            }
            self.progress.leave()?;
            if self.unsent.is_none() {
                self.answer()?;
                self.stop()?;
            }
            self.deadlines()?;
            match self.pipe.receive(&mut buffer, GLANCE)? {
                Received::Bytes(count) => {
                    self.inbox.feed(&buffer[..count]);
                    self.heard = Instant::now();
                }
                Received::Nothing => {}
                Received::End => return Err(self.ended()),
            }
        }
    }

    /// What the host said; the end, where it was its last word.
    fn take(&mut self, up: Up) -> Result<Option<End>, Trouble> {
        let Progress { host, controller, .. } = self.progress;
        match up {
            Up::Hello(hello) => return self.order(&hello),
            Up::Event(event) => match self.task {
                Task::Confirm(_) => self.progress.late_event(*event)?,
                Task::Wanted | Task::Attach { .. } => self.progress.event(&event)?,
            },
            Up::Reply(reply) => controller.reply(host, *reply),
            Up::Want(digests) => self.give(&digests)?,
            Up::Question => self.is_asked = true,
            Up::Alive => {}
            Up::Done(ending) => return Ok(Some(End::Ended(ending))),
        }
        Ok(None)
    }

    /// The order, as soon as it is known what the host is.
    fn order(&mut self, hello: &Hello) -> Result<Option<End>, Trouble> {
        let Progress { host, controller, .. } = self.progress;
        facts::check(&hello.facts)
            .map_err(|because| Trouble::Protocol { stage: self.progress.stage(), because })?;
        self.progress.go_on()?;
        let Prepared { mut order, secrets, blobs } = match self.task.own_order() {
            Some(order) => Prepared { order, secrets: Secrets::default(), blobs: Box::new(NoBlobs) },
            None => match controller.order(host, &hello.facts) {
                Ok(prepared) => prepared,
                Err(because) => return Ok(Some(End::Refused(because))),
            },
        };
        if let Some(terms) = order.terms_mut() {
            terms.login = Some(self.endpoint.user.clone());
            terms.stay = self.stays.map(|stays| stays.as_secs());
        }
        if self.task == Task::Wanted {
            self.progress.ordered(&order);
        }
        let is_watched = matches!(order, Order::Attach { .. });
        self.progress.enter(Stage::Order);
        self.side.orders(&order);
        self.contents = order.work().map(wire::Work::contents).unwrap_or_default();
        self.blobs = blobs;
        let mut outgoing = Outgoing::new(&mut *self.pipe, self.progress);
        let wrote = wire::send_order(&mut outgoing, self.side.spoken(), order, &secrets);
        let sent = outgoing.finish(wrote);
        self.sent(sent)?;
        if is_watched {
            // Somebody has said yes to this run before.
            self.progress.commit(self.endpoint);
        }
        self.progress.enter(if is_watched { Stage::Run } else { Stage::Plan });
        Ok(None)
    }

    /// Contents that the host wanted, or that they are not here.
    fn give(&mut self, digests: &[Digest]) -> Result<(), Trouble> {
        for digest in digests {
            if self.unsent.is_some() {
                break;
            }
            let size = self.contents.get(digest).copied().expect("only what the catalog names may be wanted");
            let mut outgoing = Outgoing::new(&mut *self.pipe, self.progress);
            let wrote = match wire::send_content(&mut outgoing, (*digest, size), &*self.blobs) {
                Ok(()) => Ok(()),
                Err(Unsent::Pipe(error)) => Err(error),
                // The host has been told, and says what comes of it.
                Err(Unsent::Lacking(failure)) => {
                    self.progress.note(&failure.to_string());
                    Ok(())
                }
            };
            let sent = outgoing.finish(wrote);
            self.sent(sent)?;
        }
        Ok(())
    }

    /// The answer to the host's question, once it is known. A yes is the commit point.
    fn answer(&mut self) -> Result<(), Trouble> {
        if !self.is_asked || self.is_stop_said {
            return Ok(());
        }
        let Some(yes) = self.progress.controller.answer(self.progress.host) else { return Ok(()) };
        self.is_asked = false;
        if yes {
            // What happens from here on to the connection happens to a run.
            self.progress.enter(Stage::Run);
            self.progress.commit(self.endpoint);
            self.side.commits();
        }
        self.say(&Down::Answer { yes })
    }

    fn stop(&mut self) -> Result<(), Trouble> {
        if !self.progress.is_stopped() || self.is_stop_said {
            return Ok(());
        }
        if self.progress.stage() < Stage::Plan {
            return self.progress.go_on();
        }
        self.is_stop_said = true;
        if self.progress.stage() == Stage::Run {
            self.progress.stops();
        }
        self.say(&Down::Stop)
    }

    /// What has taken too long on their side, and on ours.
    fn deadlines(&mut self) -> Result<(), Trouble> {
        let stage = self.progress.stage();
        let limit = self.patience.first_words;
        if stage == Stage::Facts && self.begun.elapsed() >= limit {
            return Err(Trouble::Timeout { stage, limit, setting: "" });
        }
        if let Some(trouble) = self.unsent.take_if(|_| self.said.elapsed() >= END) {
            return Err(trouble);
        }
        if self.heard.elapsed() >= self.patience.silence {
            let because = format!("the agent has said nothing for {} s", self.patience.silence.as_secs());
            return Err(Trouble::Lost { stage, because });
        }
        if self.said.elapsed() >= ALIVE_EVERY && self.unsent.is_none() {
            return self.say(&Down::Alive);
        }
        Ok(())
    }

    fn say(&mut self, down: &Down) -> Result<(), Trouble> {
        let mut outgoing = Outgoing::new(&mut *self.pipe, self.progress);
        let wrote = wire::send(&mut outgoing, down);
        let sent = outgoing.finish(wrote);
        self.sent(sent)
    }

    /// Takes note of what became of something that was said.
    fn sent(&mut self, sent: Result<(), Trouble>) -> Result<(), Trouble> {
        self.said = Instant::now();
        match sent {
            Err(trouble @ Trouble::Lost { .. }) => self.unsent = Some(trouble),
            sent => return sent,
        }
        Ok(())
    }

    fn breach(&self, malformed: Malformed) -> Trouble {
        match malformed {
            Malformed::Version { .. } => Trouble::Agent(format!(
                "keel and the agent beside it are of different builds: {malformed}; put the agent of this build beside keel"
            )),
            other => Trouble::Protocol { stage: self.progress.stage(), because: other.to_string() },
        }
    }

    /// The agent's output ended, and its last word had not come.
    fn ended(&mut self) -> Trouble {
        let finished = self.pipe.finish(END);
        let stderr = inert::tail(self.pipe.errors());
        let stage = self.progress.stage();
        match finished {
            Err(trouble) => trouble,
            // exec of sh(1): found, and cannot be executed.
            Ok(Some(126)) if stage == Stage::Facts => Trouble::Agent(format!(
                "the host does not let the agent run, as where /var/lib is mounted noexec; it said: {stderr}"
            )),
            Ok(status) => {
                let status =
                    status.map_or("killed by a signal".to_owned(), |status| format!("exit status {status}"));
                Trouble::Crashed { host: self.progress.host.to_owned(), stage, status, stderr }
            }
        }
    }
}
