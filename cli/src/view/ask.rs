//! The one question: shall I?

use super::out;
use super::show::Manner;
use anyhow::bail;
use fleet::Prompts;
use model::Secret;
use std::io::{BufRead, IsTerminal, Write};

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
