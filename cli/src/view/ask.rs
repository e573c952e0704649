//! The one question: shall I?

use super::out;
use super::show::Manner;
use anyhow::bail;
use fleet::Prompts;
use model::Secret;
use std::io::{BufRead, IsTerminal, Write};
use std::sync::mpsc;
use std::thread::Builder;
use std::time::Duration;

/// Who may say yes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consent {
    /// It was given on the command line.
    Given,
    /// Somebody at the terminal is asked.
    Asked,
}

impl Consent {
    /// Of somebody at the terminal, who has to be there.
    pub fn at_terminal() -> anyhow::Result<Self> {
        if std::io::stdin().is_terminal() {
            return Ok(Self::Asked);
        }
        bail!("there is no terminal to ask at: say --yes")
    }

    /// How the work is shown: a plan where a question follows it.
    pub fn manner(&self) -> Manner {
        match self {
            Self::Given => Manner::Straight,
            Self::Asked => Manner::Asked,
        }
    }
}

/// Asks. Anything but `y` or `yes` is a no.
pub fn question(text: &str) -> bool {
    out::paused(|| {
        let mut stderr = std::io::stderr().lock();
        let asked = write!(stderr, "{text} [y/N] ").and_then(|()| stderr.flush());
        drop(stderr);
        let mut said = String::new();
        let heard = asked.and_then(|()| std::io::stdin().lock().read_line(&mut said));
        heard.is_ok() && matches!(said.trim(), "y" | "yes" | "Y")
    })
}

/// How somebody leaves work that is under way on hosts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leave {
    /// It goes on without us.
    Detach,
    /// It stops at its next safe point.
    Stop,
    /// We stay.
    GoOn,
}

/// Asks what somebody means who pressed Ctrl-C. What is printed meanwhile waits.
pub fn how_to_leave() -> Leave {
    out::alone(|| {
        let mut stderr = std::io::stderr().lock();
        let text = "\nd: leave, it goes on by itself   s: stop it at the next safe point   c: go on   (Ctrl-C again: leave) [d/s/c] ";
        let mut asked = write!(stderr, "{text}").and_then(|()| stderr.flush());
        drop(stderr);
        loop {
            let mut said = String::new();
            let heard = asked.and_then(|()| std::io::stdin().lock().read_line(&mut said));
            match (heard, said.trim()) {
                // Nobody is there any more.
                (Err(_) | Ok(0), _) | (_, "d" | "D") => return Leave::Detach,
                (_, "s" | "S") => return Leave::Stop,
                (_, "c" | "C") => return Leave::GoOn,
                _ => {}
            }
            let mut stderr = std::io::stderr().lock();
            asked = write!(stderr, "[d/s/c] ").and_then(|()| stderr.flush());
        }
    })
}

/// Whether all is in order still, asked for within `limit`; no answer is a no.
pub fn still_in_order(limit: Duration) -> bool {
    let (told, answer) = mpsc::channel();
    let asks = move || {
        let text = format!("Is everything still in order? Otherwise it is undone in {} s", limit.as_secs());
        // Nobody may be waiting any more.
        let _late = told.send(question(&text));
    };
    let begun = Builder::new().name("question".to_owned()).spawn(asks);
    let answer = if begun.is_ok() { answer.recv_timeout(limit).ok() } else { None };
    if answer.is_none() {
        out::note("");
    }
    answer.unwrap_or(false)
}

/// Asks the terminal for something that is not shown while it is typed. `None` where there is no terminal, or nothing was said.
pub fn secret(text: &str) -> Option<Secret<String>> {
    let said = out::paused(|| rpassword::prompt_password(format!("{}: ", out::inert(text))));
    said.ok().filter(|said| !said.is_empty()).map(Secret::new)
}

/// The user, who may be at a terminal.
pub struct Terminal;

impl Prompts for Terminal {
    fn secret(&self, question: &str) -> Option<Secret<String>> {
        secret(question)
    }
}
