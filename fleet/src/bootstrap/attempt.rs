//! One command on a host: hears what the script says, answers sudo, uploads the agent where it is missing. `bring` decides what is
//! tried next where nobody becomes root.

use crate::agents::Agent;
use crate::bootstrap::asked::Asked;
use crate::bootstrap::bring::{Brought, Means};
use crate::bootstrap::dead_end::Scene;
use crate::bootstrap::listener::{Heard, Listener};
use crate::bootstrap::nonce::nonce;
use crate::bootstrap::script::{self, Pace, Start, Way};
use crate::elevate::{Denial, denial};
use crate::push::Progress;
use crate::remote::{Pipe, Remote};
use crate::trouble::{Stage, Trouble};
use std::time::{Duration, Instant};

/// How often somebody looks whether the user wants to stop, or sudo asks.
const GLANCE: Duration = Duration::from_millis(100);

/// How long a command whose output has ended may take to end.
const END: Duration = Duration::from_secs(5);

/// How long a connection may come about that is made with the command, questions to the user included.
const CONNECTING: Duration = Duration::from_secs(600);

/// Bytes that are sent at once.
const PIECE: usize = 128 << 10;

/// How an attempt ended.
pub enum Tried {
    /// At the agent.
    Runs(Brought),
    /// Nobody became root.
    Denied(Denial, Tools),
}

/// What the host has to become root with.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Tools {
    /// sudo, or nothing is needed.
    Sudo,
    /// doas.
    Doas,
    /// Either.
    Both,
}

/// One command on a host, which tries one way.
pub struct Attempt<'a> {
    /// What is needed.
    pub means: &'a Means<'a>,
    /// The agents that could be brought.
    pub agents: &'a [Agent],
    /// Where the host is.
    pub progress: &'a Progress<'a>,
    /// The way.
    pub way: Way,
}

impl Attempt<'_> {
    /// Runs the script up to the agent, or up to where nobody becomes root.
    ///
    /// # Errors
    /// Every other dead end.
    pub fn run(&self, remote: &mut dyn Remote) -> Result<Tried, Trouble> {
        let (nonce, push) = (nonce()?, self.means.push);
        let pace = if remote.connects_late() { Pace::Pause } else { Pace::Go };
        let command = script::command((self.way, pace, Start::Now), &nonce, &push.places, self.agents);
        let limit = match pace {
            Pace::Go => push.patience.login,
            // The transport has deadlines of its own for what comes before.
            Pace::Pause => push.patience.login + CONNECTING,
        };
        if pace == Pace::Go {
            self.progress.enter(Stage::Elevate);
        }
        let mut listener = Listener::new(remote.exec(&command)?, script::marker(&nonce));
        let Heard::Line(word, tools) = self.wait(&mut listener, limit, &mut |_| Ok(()))? else {
            return Err(self.no_shell(listener));
        };
        let tools = match (word.as_str(), tools.as_str()) {
            ("here", "root" | "sudo") => Tools::Sudo,
            ("here", "doas") => Tools::Doas,
            ("here", "sudo doas") => Tools::Both,
            ("here", "") => return Err(self.no_tool()),
            _ => return Err(self.scene().unknown(&word)),
        };
        if pace == Pace::Pause {
            (self.means.arrive)();
            self.progress.enter(Stage::Elevate);
            listener.pipe.send(b"\n")?;
        }
        let mut asked = Asked::new(script::prompt(&nonce), push.password);
        match self.wait(&mut listener, push.patience.elevate, &mut |pipe| asked.look(pipe))? {
            Heard::Line(word, _) if word == "root" => {
                asked.taken();
                self.as_root(listener).map(Tried::Runs)
            }
            Heard::Line(word, rest) => Err(self.scene().trouble(&word, &rest)),
            _ => Ok(Tried::Denied(asked.judged(self.denied(&mut listener)?), tools)),
        }
    }

    /// From root to the agent.
    fn as_root(&self, mut listener: Listener) -> Result<Brought, Trouble> {
        let mut is_brought = false;
        loop {
            match self.wait(&mut listener, self.means.push.patience.step, &mut |_| Ok(()))? {
                Heard::Line(word, machine) if word == "need" && !is_brought => {
                    self.upload(&mut listener, &machine)?;
                    is_brought = true;
                }
                Heard::Line(word, _) if word == "run" => {
                    let (pipe, rest) = listener.into_parts();
                    return Ok(Brought { pipe, rest, stays: None });
                }
                Heard::Line(word, rest) => return Err(self.scene().trouble(&word, &rest)),
                _ => {
                    listener.pipe.finish(END)?;
                    let (stage, said) = (self.progress.stage(), self.said(&listener));
                    let because = format!("the script ended before it was done; it said: {said}");
                    return Err(Trouble::Lost { stage, because });
                }
            }
        }
    }

    fn upload(&self, listener: &mut Listener, machine: &str) -> Result<(), Trouble> {
        self.progress.enter(Stage::Upload);
        let agent = self.agents.iter().find(|agent| agent.arch == machine);
        let agent = agent.ok_or_else(|| self.scene().trouble("machine", machine))?;
        let packed = agent.packed().map_err(Trouble::Here)?;
        self.progress.note(&format!("bringing the agent, {:.1} MB", packed.len() as f64 / 1e6));
        let size = format!("{}\n", packed.len());
        for piece in std::iter::once(size.as_bytes()).chain(packed.chunks(PIECE)) {
            self.progress.go_on()?;
            if let Err(trouble) = listener.pipe.send(piece) {
                return Err(self.why_cut(listener, trouble));
            }
        }
        Ok(())
    }

    /// Where sending fails the script may have said why.
    fn why_cut(&self, listener: &mut Listener, trouble: Trouble) -> Trouble {
        match self.wait(listener, END, &mut |_| Ok(())) {
            Ok(Heard::Line(word, rest)) => self.scene().trouble(&word, &rest),
            _ => trouble,
        }
    }

    /// Waits for a line of ours or the end.
    fn wait(
        &self,
        listener: &mut Listener,
        limit: Duration,
        glance: &mut dyn FnMut(&mut dyn Pipe) -> Result<(), Trouble>,
    ) -> Result<Heard, Trouble> {
        let since = Instant::now();
        loop {
            match listener.poll(GLANCE)? {
                Heard::Nothing => {}
                heard => return Ok(heard),
            }
            glance(&mut *listener.pipe)?;
            self.progress.go_on()?;
            if since.elapsed() >= limit {
                return Err(self.late(listener, limit));
            }
        }
    }

    /// Nothing of ours came in time. What did come says why, as where sudo asks for more than a password.
    fn late(&self, listener: &Listener, limit: Duration) -> Trouble {
        let stage = self.progress.stage();
        match self.said(listener) {
            said if said.is_empty() => Trouble::Timeout { stage, limit, setting: "" },
            said => {
                let seconds = limit.as_secs_f32();
                Trouble::Shell(format!("no answer within {seconds} s while {stage}; the host said: {said}"))
            }
        }
    }

    fn said(&self, listener: &Listener) -> String {
        listener.said(self.means.push.password.known())
    }

    fn scene(&self) -> Scene<'_> {
        Scene { state: &self.means.push.places.state, agents: self.agents }
    }

    fn no_shell(&self, mut listener: Listener) -> Trouble {
        let status = match listener.pipe.finish(END) {
            Ok(Some(status)) => format!("exit status {status}"),
            Ok(None) => "killed by a signal".to_owned(),
            Err(trouble) => return trouble,
        };
        let said = match self.said(&listener) {
            said if said.is_empty() => "it said nothing".to_owned(),
            said => format!("it said: {said}"),
        };
        Trouble::Shell(format!(
            "the login shell of {} did not run what it was given ({status}), as a nologin shell or a ForceCommand does; {said}",
            self.means.user
        ))
    }

    fn no_tool(&self) -> Trouble {
        let user = self.means.user;
        Trouble::Elevation(format!(
            "{user} is not root, and the host has neither sudo nor doas: log in as root, or install sudo"
        ))
    }

    fn denied(&self, listener: &mut Listener) -> Result<Denial, Trouble> {
        // What it complained of has all come when it has ended. Something that it left behind may keep it from ending.
        let ended = listener.pipe.finish(END);
        if listener.pipe.errors().is_empty() {
            ended?;
        }
        let errors = String::from_utf8_lossy(listener.pipe.errors());
        Ok(denial(&errors, self.means.user, &self.said(listener)))
    }
}
