//! What a host's sudo asks, and is told. The password goes out only after sudo has asked by words of ours, once, and nowhere else.

use crate::elevate::{Denial, Password, Trial};
use crate::remote::Pipe;
use crate::trouble::Trouble;
use std::time::Duration;

/// How long sudo may take to end when its input has.
const END: Duration = Duration::from_secs(5);

/// One sudo.
pub struct Asked<'a> {
    prompt: String,
    password: &'a Password<'a>,
    /// How often it has asked.
    times: usize,
    /// There when it was told the password.
    trial: Option<Trial<'a>>,
}

impl<'a> Asked<'a> {
    /// A sudo that asks with `prompt`.
    pub fn new(prompt: String, password: &'a Password<'a>) -> Self {
        Self { prompt, password, times: 0, trial: None }
    }

    /// Looks whether it has asked. Whoever asks twice was told a wrong password, and gets the end of its input.
    ///
    /// # Errors
    /// The connection's.
    pub fn look(&mut self, pipe: &mut dyn Pipe) -> Result<(), Trouble> {
        let times = count(pipe.errors(), self.prompt.as_bytes());
        if times <= self.times {
            return Ok(());
        }
        self.times = times;
        let told = self.trial.is_some();
        if !told {
            self.trial = self.password.trial();
        }
        match self.password.known().filter(|_| self.trial.is_some() && !told) {
            Some(password) => pipe.send(format!("{}\n", password.expose()).as_bytes()),
            None => pipe.finish(END).map(|_| ()),
        }
    }

    /// It made us root.
    pub fn taken(&mut self) {
        self.trial.iter_mut().for_each(Trial::taken);
    }

    /// It did not make us root: what that says of the password.
    pub fn judged(mut self, denial: Denial) -> Denial {
        match (&mut self.trial, denial) {
            (None, _) if self.times > 0 => Denial::Final(
                "the password was not sent to the host: sudo did not take it before, there or on another host".to_owned(),
            ),
            (None, denial) => denial,
            (Some(trial), Denial::WantsPassword) => {
                trial.refused();
                Denial::WantsPassword
            }
            // Who is told that it may not, was known to it.
            (Some(trial), denial) => {
                trial.taken();
                denial
            }
        }
    }
}

fn count(bytes: &[u8], words: &[u8]) -> usize {
    bytes.windows(words.len()).filter(|window| *window == words).count()
}
