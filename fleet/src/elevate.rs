//! Becoming root on a host: the password, and what sudo and doas say, told apart. The way itself is in `bootstrap`'s script.

use model::Secret;
use std::sync::OnceLock;

/// Asks the user for the password of sudo. `None` where the user gave none.
pub type AskPassword<'a> = dyn Fn() -> Option<Secret<String>> + Sync + 'a;

/// The password for the hosts' sudo: asked for once, and only when a host's sudo wants one. Neither Debug nor Display.
pub struct Password<'a> {
    ask: Option<&'a AskPassword<'a>>,
    given: OnceLock<Option<Secret<String>>>,
}

impl<'a> Password<'a> {
    /// Nobody may be asked: a host whose sudo wants a password ends there.
    pub fn never() -> Self {
        Self { ask: None, given: OnceLock::new() }
    }

    /// `ask` is called once, when the first host wants it; other hosts wait for its answer.
    pub fn asked_with(ask: &'a AskPassword<'a>) -> Self {
        Self { ask: Some(ask), given: OnceLock::new() }
    }

    /// The password; asks for it the first time. `None` where nobody may be asked, or none was given.
    pub fn get(&self) -> Option<&Secret<String>> {
        let ask = self.ask?;
        self.given.get_or_init(ask).as_ref()
    }

    /// The password where it has been asked for.
    pub fn known(&self) -> Option<&Secret<String>> {
        self.given.get()?.as_ref()
    }
}
