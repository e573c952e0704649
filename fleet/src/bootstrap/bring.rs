//! Brings the agent: takes the one that the last call has left, or tries the ways to become root one after the other, each by an `attempt`. What comes next is the agent's first
//! words; `talk` hears them.

use crate::bootstrap::attempt::{Attempt, Tools, Tried};
use crate::bootstrap::script::Way;
use crate::bootstrap::spare;
use crate::elevate::Denial;
use crate::push::{Progress, Push};
use crate::remote::{Pipe, Remote};
use crate::trouble::Trouble;
use std::time::Duration;

/// What is needed to bring an agent.
pub struct Means<'a> {
    /// The agents, the password, where things are and how long they may take.
    pub push: &'a Push<'a>,
    /// The login user, for messages.
    pub user: &'a str,
    /// Called when the host is known to be connected to; returns when it may go on.
    pub arrive: &'a dyn Fn(),
}

/// The agent runs.
pub struct Brought {
    /// Its standard streams.
    pub pipe: Box<dyn Pipe>,
    /// What it has said already.
    pub rest: Vec<u8>,
    /// For how long it may wait for the next call, where it may.
    pub stays: Option<Duration>,
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
    if let Some((way, brought)) = spare::found(remote, means, (agents, progress)) {
        let stays = spare::leave(remote, means, (agents, way))?;
        return Ok(Brought { stays, ..brought });
    }
    let mut way = if means.push.password.known().is_some() { Way::Password } else { Way::Quiet };
    let mut first: Option<Denial> = None;
    loop {
        let attempt = Attempt { means, agents, progress, way };
        let (denial, tools) = match attempt.run(remote).map_err(|trouble| progress.placed(trouble))? {
            Tried::Runs(brought) => {
                let stays = spare::leave(remote, means, (agents, way))?;
                return Ok(Brought { stays, ..brought });
            }
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
