//! The one question: shall I?

use super::events::Manner;
use agent::session::Answer;
use anyhow::bail;
use std::io::{BufRead, IsTerminal, Write};

/// Who may say yes.
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

    /// Asks, unless it was given. Anything but `y` or `yes` is a no.
    pub fn answer(&self, question: &str) -> Answer {
        if matches!(self, Self::Given) {
            return Answer::Yes;
        }
        let mut stderr = std::io::stderr().lock();
        let asked = write!(stderr, "{question} [y/N] ").and_then(|()| stderr.flush());
        let mut said = String::new();
        let heard = asked.and_then(|()| std::io::stdin().lock().read_line(&mut said));
        match heard {
            Ok(_) if matches!(said.trim(), "y" | "yes" | "Y") => Answer::Yes,
            _ => Answer::No,
        }
    }
}
