//! One order from a pipe, from the first words to the last.

use super::contents::Contents;
use super::inlet::Lost;
use super::link::Link;
use crate::os::{clock, facts};
use crate::session::Answer;
use crate::state::StateDir;
use crate::work::{Controller, Means, perform};
use model::{Digest, Failure, Plan};
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;
use wire::{Hello, Reply, Up, VERSION, Work};

/// Where the controller is heard and told. Both are used by threads that outlive the order, where nothing ends them: the process does.
pub struct Pipes<R, W> {
    /// From the controller.
    pub input: R,
    /// To the controller.
    pub output: W,
    /// What ends `input` when it is dropped. Without it nobody stays: what comes for the next order would be taken by this one.
    pub hold: Option<OwnedFd>,
}

/// How often a sign of life is given, and how long one is waited for.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// After so long a silence of its own the host says that it is there.
    pub alive: Duration,
    /// After so long a silence of the controller, before the commit point, the host gives it up.
    pub silence: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self { alive: wire::ALIVE_EVERY, silence: wire::SILENCE }
    }
}

/// Serves one order. `stop` is set by whoever wants the work to stop at its next safe point, the controller among them. For how long the
/// process is to wait for another controller, where it is to.
///
/// # Errors
/// In words, for standard error: there was no order, or the controller did not keep to the protocol.
pub fn serve<R, W>(
    mut pipes: Pipes<R, W>,
    state: &StateDir,
    pace: Pace,
    stop: &Arc<AtomicBool>,
) -> Result<Option<Duration>, String>
where
    R: Read + Send + 'static,
    W: Write + Send + 'static,
{
    let facts = facts::collect().map_err(|failure| failure.to_string())?;
    let hold = pipes.hold.take();
    let opened = Link::open(pipes, pace, Arc::clone(stop));
    let link = Arc::new(opened.map_err(|error| format!("cannot start a thread: {error}"))?);
    let agent = env!("CARGO_PKG_VERSION").to_owned();
    let hello = Up::Hello(Box::new(Hello { protocol: VERSION, agent, facts }));
    link.say(&hello).map_err(|error| format!("the facts cannot be told: {error}"))?;
    let ordered = link.order().map_err(|lost| lost.to_string());
    let ended = ordered.and_then(|(mut order, secrets)| {
        // Of no concern to a run, nor to its journal.
        let stay = order.terms_mut().and_then(|terms| terms.stay.take());
        let named = order.work().map(Work::contents).unwrap_or_default();
        let contents = Arc::new(Contents::new(Arc::clone(&link), state.clone(), named));
        let controller = Remote { link: &link, contents: &contents };
        let means = Means {
            secrets: &secrets,
            blobs: contents.clone(),
            state,
            watch: &|event| link.tell(event),
            controller: &controller,
            clock: &clock::now,
            stop,
        };
        let ending = perform(&order, &means);
        let stay = stay.filter(|_| ending.is_quiet() && hold.is_some());
        if stay.is_some() {
            drop(hold);
        }
        let told = link.say(&Up::Done(ending)).map_err(|error| format!("the end cannot be told: {error}"));
        told.map(|()| stay.map(Duration::from_secs))
    });
    link.finish();
    match link.why_lost() {
        // Whoever simply left needs no explanation, and a run that had begun is done.
        Some(lost @ Lost::Malformed(_)) => Err(lost.to_string()),
        Some(_) => ended.map(|_| None),
        None => ended,
    }
}

/// The controller at the other end.
struct Remote<'a> {
    link: &'a Link,
    contents: &'a Contents,
}

impl Controller for Remote<'_> {
    fn bring(&self, contents: &BTreeMap<Digest, u64>) -> Result<(), Failure> {
        self.contents.bring(contents)
    }

    fn ask(&self, _plan: &Plan) -> Result<Answer, Failure> {
        Ok(if self.link.ask()? { Answer::Yes } else { Answer::No })
    }

    fn reply(&self, reply: Reply) -> Result<(), Failure> {
        self.link.reply(reply)
    }

    fn wants_stop(&self) -> bool {
        self.link.wants_stop()
    }
}
