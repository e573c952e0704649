//! The password for the hosts' sudo. It is asked for once, and only when a host's sudo wants one. A wrong one goes to one host only:
//! forty hosts that are told it at once could lock the account that they share.

use model::Secret;
use std::sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

/// How long the others wait for the first host: it must not hold them up for ever.
const FIRST: Duration = Duration::from_secs(10);

/// Asks the user for the password of sudo. `None` where the user gave none.
pub type AskPassword<'a> = dyn Fn() -> Option<Secret<String>> + Sync + 'a;

/// The password, and what is known of it. Neither Debug nor Display.
pub struct Password<'a> {
    ask: Option<&'a AskPassword<'a>>,
    given: OnceLock<Option<Secret<String>>>,
    known: Mutex<Known>,
    changed: Condvar,
}

/// What is known of the password.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Known {
    /// No host was told it.
    Nothing,
    /// A host has been told it, and has not said anything yet.
    Asking,
    /// A host has taken it.
    Right,
    /// The first host that was told it did not take it.
    Wrong,
}

impl<'a> Password<'a> {
    /// Nobody may be asked: a host whose sudo wants a password ends there.
    pub fn never() -> Self {
        Self::of(None)
    }

    /// `ask` is called once, when the first host wants it; other hosts wait for its answer.
    pub fn asked_with(ask: &'a AskPassword<'a>) -> Self {
        Self::of(Some(ask))
    }

    fn of(ask: Option<&'a AskPassword<'a>>) -> Self {
        Self { ask, given: OnceLock::new(), known: Mutex::new(Known::Nothing), changed: Condvar::new() }
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

    /// Leave to tell it to a host; waits a while where another host is the first. `None` where the first did not take it.
    pub(crate) fn trial(&self) -> Option<Trial<'_>> {
        let asking = |known: &mut Known| *known == Known::Asking;
        let waited = self.changed.wait_timeout_while(self.lock(), FIRST, asking);
        let (mut known, _) = waited.unwrap_or_else(PoisonError::into_inner);
        let is_first = *known == Known::Nothing;
        if is_first {
            *known = Known::Asking;
        }
        (*known != Known::Wrong).then_some(Trial { password: self, is_first })
    }

    /// A change is one assignment: what a panic leaves is right.
    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Leave to tell the password to a host. Where this goes before the host has said anything, another host is the first.
pub struct Trial<'a> {
    password: &'a Password<'a>,
    is_first: bool,
}

impl Trial<'_> {
    /// The host took it.
    pub fn taken(&mut self) {
        self.settle(Known::Right);
    }

    /// The host did not take it.
    pub fn refused(&mut self) {
        self.settle(Known::Wrong);
    }

    fn settle(&mut self, known: Known) {
        if std::mem::take(&mut self.is_first) {
            *self.password.lock() = known;
            self.password.changed.notify_all();
        }
    }
}

impl Drop for Trial<'_> {
    fn drop(&mut self) {
        self.settle(Known::Nothing);
    }
}
