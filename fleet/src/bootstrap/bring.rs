//! Brings the agent: starts the script, tries the ways to become root one after the other, uploads what is missing. What comes
//! next is the agent's first words; `talk` hears them.

use crate::agents::Agent;
use crate::bootstrap::dead_end::Scene;
use crate::bootstrap::listener::{Heard, Listener};
use crate::bootstrap::nonce::nonce;
use crate::bootstrap::script::{self, Way};
use crate::elevate::{Denial, Password, denial};
use crate::push::{Progress, Push};
use crate::remote::{Pipe, Remote};
use crate::trouble::{Stage, Trouble};
use std::time::{Duration, Instant};

/// How often somebody looks whether the user wants to stop, or sudo asks.
const GLANCE: Duration = Duration::from_millis(100);

/// How long a command whose output has ended may take to end.
const END: Duration = Duration::from_secs(5);

/// Bytes that are sent at once.
const PIECE: usize = 128 << 10;

/// What is needed to bring an agent.
pub struct Means<'a> {
    /// The agents, the password, where things are and how long they may take.
    pub push: &'a Push<'a>,
    /// The login user, for messages.
    pub user: &'a str,
}

/// The agent runs.
pub struct Brought {
    /// Its standard streams.
    pub pipe: Box<dyn Pipe>,
    /// What it has said already.
    pub rest: Vec<u8>,
}

/// How a way to become root ended.
enum Tried {
    /// At the agent.
    Runs(Brought),
    /// Nobody became root.
    Denied(Denial, Tools),
}

/// What the host has to become root with.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Tools {
    Sudo,
    Doas,
    Both,
}

/// Becomes root on the host, brings the agent there if it is missing, and starts it.
///
/// # Errors
/// Every dead end on the way; no agent was run then.
pub fn bring(
    remote: &mut dyn Remote,
    means: &Means<'_>,
    progress: &Progress<'_>,
) -> Result<Brought, Trouble> {
    let agents = means.push.agents.all()?;
    let mut way = if means.push.password.known().is_some() { Way::Password } else { Way::Quiet };
    let mut first: Option<Denial> = None;
    loop {
        progress.enter(Stage::Elevate);
        let mut attempt = Attempt { means, agents, progress, way };
        let (denial, tools) = match attempt.run(remote).map_err(|trouble| progress.placed(trouble))? {
            Tried::Runs(brought) => return Ok(brought),
            Tried::Denied(denial, tools) => (denial, tools),
        };
        let sudo_says = if way == Way::Doas { first.take().unwrap_or(denial) } else { denial };
        if way == Way::Quiet && tools == Tools::Both {
            (way, first) = (Way::Doas, Some(sudo_says));
            continue;
        }
        match sudo_says {
            Denial::WantsPassword if way != Way::Password && means.push.password.get().is_some() => {
                way = Way::Password
            }
            denial => return Err(Trouble::Elevation(in_words(denial, way, means.user))),
        }
    }
}

fn in_words(denial: Denial, way: Way, user: &str) -> String {
    match denial {
        Denial::Final(text) => text,
        Denial::WantsPassword if way == Way::Password => {
            format!("the host's sudo did not take the password for {user}")
        }
        Denial::WantsPassword => format!(
            "sudo wants a password for {user}, and there is none: give --ask-sudo-password, or let {user} use sudo without one (NOPASSWD)"
        ),
    }
}

/// One way, tried.
struct Attempt<'a> {
    means: &'a Means<'a>,
    agents: &'a [Agent],
    progress: &'a Progress<'a>,
    way: Way,
}

impl Attempt<'_> {
    fn run(&mut self, remote: &mut dyn Remote) -> Result<Tried, Trouble> {
        let nonce = nonce()?;
        let command = script::command(self.way, &nonce, &self.means.push.places, self.agents);
        let mut listener = Listener::new(remote.exec(&command)?, script::marker(&nonce));
        let Heard::Line(word, tools) =
            self.wait(&mut listener, self.means.push.patience.login, &mut |_| Ok(()))?
        else {
            return Err(self.no_shell(listener));
        };
        let tools = match (word.as_str(), tools.as_str()) {
            ("here", "root" | "sudo") => Tools::Sudo,
            ("here", "doas") => Tools::Doas,
            ("here", "sudo doas") => Tools::Both,
            _ => return Err(self.no_tool()),
        };
        let mut asked =
            Asked { prompt: script::prompt(&nonce), answered: 0, password: self.means.push.password };
        match self.wait(&mut listener, self.means.push.patience.elevate, &mut |pipe| asked.look(pipe))? {
            Heard::Line(word, _) if word == "root" => self.as_root(listener).map(Tried::Runs),
            Heard::Line(word, rest) => Err(self.scene().trouble(&word, &rest)),
            _ => Ok(Tried::Denied(self.denied(&mut listener, asked.answered)?, tools)),
        }
    }

    /// From root to the agent.
    fn as_root(&self, mut listener: Listener) -> Result<Brought, Trouble> {
        loop {
            match self.wait(&mut listener, self.means.push.patience.step, &mut |_| Ok(()))? {
                Heard::Line(word, machine) if word == "need" => self.upload(&mut listener, &machine)?,
                Heard::Line(word, _) if word == "run" => {
                    let (pipe, rest) = listener.into_parts();
                    return Ok(Brought { pipe, rest });
                }
                Heard::Line(word, rest) => return Err(self.scene().trouble(&word, &rest)),
                _ => {
                    listener.pipe.finish(END)?;
                    let (stage, said) = (self.progress.stage(), listener.said());
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
        match listener.said() {
            said if said.is_empty() => Trouble::Timeout { stage, limit, setting: "" },
            said => {
                let seconds = limit.as_secs_f32();
                Trouble::Shell(format!("no answer within {seconds} s while {stage}; the host said: {said}"))
            }
        }
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
        let said = match listener.said() {
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

    /// `answered` tells a wrong password from one that nobody was asked for.
    fn denied(&self, listener: &mut Listener, answered: usize) -> Result<Denial, Trouble> {
        // What it complained of has all come when it has ended. Something that it left behind may keep it from ending.
        let ended = listener.pipe.finish(END);
        if listener.pipe.errors().is_empty() {
            ended?;
        }
        let errors = String::from_utf8_lossy(listener.pipe.errors());
        let found = denial(&errors, self.means.user, &listener.said());
        Ok(match found {
            Denial::Final(_) if answered > 0 && errors.contains("incorrect password") => {
                Denial::WantsPassword
            }
            found => found,
        })
    }
}

/// What sudo asked, and was told.
struct Asked<'a> {
    prompt: String,
    answered: usize,
    password: &'a Password<'a>,
}

impl Asked<'_> {
    /// Sends the password once sudo has asked for it by our words, and never twice: what follows a wrong one is the end of its input.
    fn look(&mut self, pipe: &mut dyn Pipe) -> Result<(), Trouble> {
        let prompts = count(pipe.errors(), self.prompt.as_bytes());
        if prompts > self.answered {
            self.answered = prompts;
            match self.password.known().filter(|_| prompts == 1) {
                Some(password) => pipe.send(format!("{}\n", password.expose()).as_bytes())?,
                None => {
                    pipe.finish(END)?;
                }
            }
        }
        Ok(())
    }
}

fn count(bytes: &[u8], words: &[u8]) -> usize {
    bytes.windows(words.len()).filter(|window| *window == words).count()
}
