//! The conversation as the work sees it: say something, wait for what answers it. It must not decide what to do without an answer.

use super::inlet::{Ear, Lost};
use super::outlet::Outlet;
use super::service::{Pace, Pipes};
use super::shorten::{notice, shorter};
use crossbeam_channel::{Receiver, RecvTimeoutError, bounded};
use model::{Digest, Event, EventBody, Failure, Secrets};
use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;
use wire::{Order, Reply, Told, Up};

/// Pieces that were heard and not taken yet.
const AHEAD: usize = 8;

/// So many times the usual silence an order may be waited for: the controller says nothing while it compiles. Nothing is held up meanwhile.
const COMPILING: u32 = 20;

/// Takes a content: its digest, its size, its bytes.
pub(super) type Take<'a> = &'a mut dyn FnMut((&Digest, u64), &mut dyn Read) -> Result<(), Failure>;

/// Both ways of one connection.
pub(super) struct Link {
    outlet: Outlet,
    ear: Arc<Ear>,
    inbox: Mutex<Receiver<Result<Told, Lost>>>,
    lost: OnceLock<Lost>,
    /// True where the plan could not be told: nobody can say yes to it.
    plan_untold: AtomicBool,
    silence: Duration,
}

impl Link {
    /// Opens both ways; `stop` is set by who is at the other end.
    pub(super) fn open<R, W>(pipes: Pipes<R, W>, pace: Pace, stop: Arc<AtomicBool>) -> io::Result<Self>
    where
        R: Read + Send + 'static,
        W: Write + Send + 'static,
    {
        let (to, inbox) = bounded(AHEAD);
        let ear = Arc::new(Ear::new(stop));
        let (listener, told) = (Arc::clone(&ear), to.clone());
        let gone = move || {
            listener.lost();
            // Where this finds no place, nobody waits for an answer.
            drop(told.try_send(Err(Lost::Ended)));
        };
        let outlet = Outlet::start(pipes.output, pace.alive, gone)?;
        ear.listen(pipes.input, to)?;
        let (inbox, lost, plan_untold) = (Mutex::new(inbox), OnceLock::new(), AtomicBool::new(false));
        Ok(Self { outlet, ear, inbox, lost, plan_untold, silence: pace.silence })
    }

    /// Says a message of ours; one that no controller takes is a bug, save for those that hold what the host is like.
    pub(super) fn say(&self, message: &Up) -> io::Result<()> {
        self.outlet.say(message)
    }

    /// Tells an event; of a plan that is too long as much as goes. What is too long all the same is only mentioned.
    pub(super) fn tell(&self, event: &Event) {
        let say = |event: &Event| self.say(&Up::Event(Box::new(event.clone())));
        if say(event).is_ok() {
            return;
        }
        let told = shorter(event).iter().any(|form| say(form).is_ok());
        if !told && matches!(event.body, EventBody::Plan(_)) {
            self.plan_untold.store(true, Ordering::Relaxed);
        }
        let what = if told { "in full" } else { "at all" };
        say(&notice(event, what)).expect("no limit is below a note");
    }

    /// Replies.
    ///
    /// # Errors
    /// It is longer than a controller takes.
    pub(super) fn reply(&self, reply: Reply) -> Result<(), Failure> {
        let said = self.say(&Up::Reply(Box::new(reply)));
        said.map_err(|error| {
            let why = format!("what was asked for is too long to be told: {error}");
            Failure::refused(why, "put keel on the host, and ask it there with --local")
        })
    }

    /// What was ordered.
    pub(super) fn order(&self) -> Result<(Order, Secrets), Lost> {
        let inbox = self.inbox();
        loop {
            if let Told::Order(order, secrets) = self.next_within(&inbox, self.silence * COMPILING)? {
                return Ok((*order, secrets));
            }
        }
    }

    /// Asks whether to go on; a stop is a no, and who cannot answer any more has not said yes.
    pub(super) fn ask(&self) -> Result<bool, Failure> {
        if self.plan_untold.load(Ordering::Relaxed) || self.outlet.has_given_up() {
            let why = "the plan is too long to be told, and nobody can say yes to it unseen";
            return Err(Failure::refused(why, "do it part by part, with tags and --only"));
        }
        let inbox = self.inbox();
        self.ear.side().asks();
        self.say(&Up::Question).expect("no limit is below a question");
        loop {
            match self.next(&inbox) {
                Ok(Told::Answer { yes }) => return Ok(yes),
                Ok(Told::Stop) | Err(_) => return Ok(false),
                Ok(_) => {}
            }
        }
    }

    /// True from the commit point on.
    pub(super) fn is_committed(&self) -> bool {
        self.ear.is_committed()
    }

    /// True where the controller has said so; that it is gone is no such word.
    pub(super) fn wants_stop(&self) -> bool {
        self.ear.wants_stop()
    }

    /// Has contents sent, and calls `take` with each. The first failure is the answer, when the
    /// others have come and gone: the controller is not left with half of them.
    pub(super) fn fetch(&self, wanted: &BTreeMap<Digest, u64>, take: Take<'_>) -> Result<(), Failure> {
        if self.ear.is_stopped() {
            return Err(stopped());
        }
        let inbox = self.inbox();
        let digests: Vec<Digest> = wanted.keys().copied().collect();
        self.ear.side().wants(&digests);
        let told = self.say(&Up::Want(digests));
        told.map_err(|error| Failure::io("ask for", "contents", error))?;
        let (mut left, mut failed) = (wanted.len(), None);
        while left > 0 {
            let outcome = match self.next(&inbox).map_err(|lost| unheard(&lost))? {
                Told::Content { digest, size } => match failed {
                    None => self.content((digest, size), &inbox, take),
                    Some(_) => self.content((digest, size), &inbox, &mut |_, _| Ok(())),
                },
                Told::Lacking { digest, because } => Err(lacking(&digest, &because)),
                Told::Stop => return Err(stopped()),
                _ => continue,
            };
            left -= 1;
            failed = failed.or(outcome.err());
        }
        failed.map_or(Ok(()), Err)
    }

    fn content(
        &self,
        (digest, size): (Digest, u64),
        inbox: &Receiver<Result<Told, Lost>>,
        take: Take<'_>,
    ) -> Result<(), Failure> {
        let mut pieces =
            Pieces { link: self, inbox, digest, left: size, piece: Vec::new(), at: 0, why: None };
        let taken = take((&digest, size), &mut pieces);
        let drained = io::copy(&mut pieces, &mut io::sink());
        match (pieces.why, taken, drained) {
            // What came over the pipe says more than who wrote it down.
            (Some(why), ..) => Err(why),
            (None, Ok(()), Err(error)) => Err(Failure::io("receive", format!("content {digest}"), error)),
            (None, taken, _) => taken,
        }
    }

    /// The next thing that was heard. Before the commit point a controller is given up that was silent for too long; later it is
    /// waited for just as long.
    fn next(&self, inbox: &Receiver<Result<Told, Lost>>) -> Result<Told, Lost> {
        self.next_within(inbox, self.silence)
    }

    fn next_within(&self, inbox: &Receiver<Result<Told, Lost>>, silence: Duration) -> Result<Told, Lost> {
        if let Some(lost) = self.lost.get() {
            return Err(lost.clone());
        }
        let lost = loop {
            let Some(patience) = silence.checked_sub(self.ear.last_heard().elapsed()) else {
                break Lost::Silent(silence.as_secs());
            };
            match inbox.recv_timeout(patience) {
                Ok(Ok(told)) => return Ok(told),
                Ok(Err(lost)) => break lost,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break Lost::Ended,
            }
        };
        Err(self.lost.get_or_init(|| lost).clone())
    }

    /// Why nothing more comes, where somebody noticed.
    pub(super) fn why_lost(&self) -> Option<&Lost> {
        self.lost.get()
    }

    /// Waits until everything has been said, but not for ever.
    pub(super) fn finish(&self) {
        self.outlet.finish(self.silence);
    }

    fn inbox(&self) -> MutexGuard<'_, Receiver<Result<Told, Lost>>> {
        self.inbox.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn stopped() -> Failure {
    Failure::refused("the work was told to stop", "start it again")
}

fn unheard(lost: &Lost) -> Failure {
    Failure::refused(format!("contents did not come: {lost}"), "start it again")
}

fn lacking(digest: &Digest, because: &str) -> Failure {
    Failure::refused(format!("the controller cannot give the content {digest}: {because}"), "start it again")
}

/// The bytes of one content as they come.
struct Pieces<'a> {
    link: &'a Link,
    inbox: &'a Receiver<Result<Told, Lost>>,
    digest: Digest,
    left: u64,
    piece: Vec<u8>,
    at: usize,
    /// Why they broke off.
    why: Option<Failure>,
}

impl Pieces<'_> {
    fn next(&mut self) -> Result<(), Failure> {
        match self.link.next(self.inbox).map_err(|lost| unheard(&lost))? {
            Told::Piece { bytes, left } => {
                (self.piece, self.at, self.left) = (bytes, 0, left);
                Ok(())
            }
            Told::Lacking { digest, because } => Err(lacking(&digest, &because)),
            Told::Stop => Err(stopped()),
            _ => Err(Failure::refused(format!("content {} broke off", self.digest), "start it again")),
        }
    }
}

impl Read for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at == self.piece.len() && self.left > 0 && self.why.is_none() {
            self.next().map_err(|failure| {
                self.left = 0;
                let error = io::Error::other(failure.to_string());
                self.why = Some(failure);
                error
            })?;
        }
        let rest = &self.piece[self.at..];
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        self.at += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::Link;
    use crate::serve::{Pace, Pipes};
    use std::io;
    use std::sync::Arc;
    use std::sync::atomic::AtomicBool;
    use wire::Reply;

    #[test]
    fn a_reply_that_is_too_long_is_no_success() {
        let pipes = Pipes { input: io::empty(), output: io::sink(), hold: None };
        let link = Link::open(pipes, Pace::default(), Arc::new(AtomicBool::new(false))).unwrap();
        let run = |text| Reply::Run { status: Box::default(), damage: Some(text), after: Default::default() };
        let reply = |text| link.reply(run(text));
        assert_eq!(reply("x".to_owned()), Ok(()));
        let why = reply("x".repeat(17 << 20)).unwrap_err().to_string();
        assert!(
            why.starts_with("what was asked for is too long to be told: ") && why.ends_with("--local"),
            "{why}"
        );
    }
}
