//! The keys and passwords of a whole run: each file is read once and each question asked once, however many hosts want to know.
//! Holds secrets in memory only. Which key is tried on which host is for the login to decide.

use super::access::Prompts;
use super::key_file::{self, Private};
use model::Secret;
use ssh_key::{LineEnding, PrivateKey};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How often a passphrase is asked for.
const TRIES: u32 = 3;

/// Shared by the threads of all hosts. Empty at first.
#[derive(Default)]
pub struct Keyring {
    keys: Mutex<BTreeMap<PathBuf, Arc<Key>>>,
    passwords: Mutex<BTreeMap<String, Option<Secret<String>>>>,
    /// One question at a time: held while somebody is asked.
    asking: Mutex<()>,
}

/// One file.
pub(super) struct Key {
    path: PathBuf,
    public: Option<Vec<u8>>,
    state: Mutex<State>,
}

enum State {
    Private(Private),
    /// A text for libssh2, with a passphrase that was given as the n-th answer.
    Answered(Secret<String>, Secret<String>, u32),
    /// PEM, after that many wrong answers.
    Wrong(Secret<String>, u32),
    /// It is no longer tried, or cannot be; why.
    Unusable(String),
}

/// A private key, ready for libssh2.
pub(super) struct Unlocked {
    pub(super) text: Secret<String>,
    /// Only libssh2 can tell whether it is the right one.
    pub(super) passphrase: Option<Secret<String>>,
    /// Which answer it is.
    answer: u32,
}

/// What there is to do with a key, before anybody is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lock {
    /// It can be used at once.
    Open,
    /// It has a passphrase.
    Closed,
    /// Only an agent has it.
    Elsewhere,
}

impl Keyring {
    /// The key in that file; `None` where one of the usual names is not there.
    ///
    /// # Errors
    /// Why it cannot be used, to stand after its name.
    pub(super) fn key(&self, path: &Path) -> Result<Option<Arc<Key>>, String> {
        let mut keys = held(&self.keys);
        if let Some(key) = keys.get(path) {
            return Ok(Some(key.clone()));
        }
        let Some(file) = key_file::read(path)? else { return Ok(None) };
        let state = Mutex::new(State::Private(file.private));
        let key = Arc::new(Key { path: path.to_owned(), public: file.public, state });
        keys.insert(path.to_owned(), key.clone());
        Ok(Some(key))
    }

    /// The public half of the key in that file in the form that goes over the wire, for another use than to log in; `None` where it
    /// cannot be told, and where one of the usual names is not there.
    ///
    /// # Errors
    /// As [`Keyring::private`].
    pub fn public(&self, path: &Path) -> Result<Option<Vec<u8>>, String> {
        Ok(self.key(path)?.and_then(|key| key.public.clone()))
    }

    /// The text of the private key in that file, its passphrase taken off: for another use than to log in. `None` where one of the
    /// usual names is not there.
    ///
    /// # Errors
    /// Why it cannot be used, to stand after its name.
    pub fn private(&self, path: &Path, prompts: &dyn Prompts) -> Result<Option<Secret<String>>, String> {
        let Some(key) = self.key(path)? else { return Ok(None) };
        if matches!(&*held(&key.state), State::Private(Private::SealedPem(_)) | State::Wrong(..)) {
            return Err("is in PEM with a passphrase: `ssh-keygen -p -f` writes it in OpenSSH's own format"
                .to_owned());
        }
        let unlocked = self.unlock(&key, prompts)?;
        match unlocked.passphrase {
            None => Ok(Some(unlocked.text)),
            Some(_) => Err("is of a form that only a login can use".to_owned()),
        }
    }

    /// The password to log in with as `user`, asked for once; `None` where it was not given.
    pub(super) fn password(&self, user: &str, prompts: &dyn Prompts) -> Option<Secret<String>> {
        let mut passwords = held(&self.passwords);
        let known = passwords.entry(user.to_owned());
        let ask = || self.ask(prompts, &format!("Password of {user} on the hosts"));
        known.or_insert_with(ask).clone()
    }

    /// The private key, after asking for its passphrase where that has to be.
    ///
    /// # Errors
    /// Why it cannot be used, to stand after its name.
    pub(super) fn unlock(&self, key: &Key, prompts: &dyn Prompts) -> Result<Unlocked, String> {
        let mut state = held(&key.state);
        let next = match &*state {
            State::Private(Private::Sealed(sealed, text)) => Some(self.decrypt(sealed, text, key, prompts)),
            State::Private(Private::SealedPem(text)) => Some(self.answer(text, 0, key, prompts)),
            State::Wrong(text, tries) => Some(self.answer(text, *tries, key, prompts)),
            _ => None,
        };
        if let Some(next) = next {
            *state = next;
        }
        match &*state {
            State::Private(Private::Plain(text)) => {
                Ok(Unlocked { text: text.clone(), passphrase: None, answer: 0 })
            }
            State::Answered(text, passphrase, answer) => {
                Ok(Unlocked { text: text.clone(), passphrase: Some(passphrase.clone()), answer: *answer })
            }
            State::Unusable(why) | State::Private(Private::OnlyOpenSsh(why)) => Err(why.clone()),
            _ => Err("is only a public key".to_owned()),
        }
    }

    /// Once for all hosts: the passphrase is made into a key at a cost that is meant to be high.
    fn decrypt(&self, sealed: &PrivateKey, text: &Secret<String>, key: &Key, prompts: &dyn Prompts) -> State {
        for tries in 0..TRIES {
            let Some(passphrase) = self.ask(prompts, &key.question(tries)) else { return not_given() };
            let open = match sealed.decrypt(passphrase.expose()) {
                Err(ssh_key::Error::Crypto) => continue,
                open => open.and_then(|open| open.to_openssh(LineEnding::LF)),
            };
            return match open {
                Ok(text) => State::Private(Private::Plain(Secret::new(text.to_string()))),
                // It is the right one, but libssh2 has to read the key.
                Err(_) => State::Answered(text.clone(), passphrase, TRIES),
            };
        }
        wrong()
    }

    fn answer(&self, text: &Secret<String>, tries: u32, key: &Key, prompts: &dyn Prompts) -> State {
        match self.ask(prompts, &key.question(tries)) {
            Some(passphrase) => State::Answered(text.clone(), passphrase, tries + 1),
            None => not_given(),
        }
    }

    fn ask(&self, prompts: &dyn Prompts, question: &str) -> Option<Secret<String>> {
        let _asking = held(&self.asking);
        prompts.secret(question)
    }
}

impl Key {
    /// As messages name it.
    pub(super) fn name(&self) -> String {
        format!("key {}", self.path.display())
    }

    /// The public half in the form that goes over the wire, where it can be told.
    pub(super) fn public(&self) -> Option<&[u8]> {
        self.public.as_deref()
    }

    /// What there is to do, before anybody is asked.
    pub(super) fn lock(&self) -> Lock {
        match &*held(&self.state) {
            State::Private(Private::Sealed(..) | Private::SealedPem(_)) | State::Wrong(..) => Lock::Closed,
            State::Private(Private::Elsewhere) => Lock::Elsewhere,
            State::Private(Private::Plain(_) | Private::OnlyOpenSsh(_)) => Lock::Open,
            State::Answered(..) | State::Unusable(_) => Lock::Open,
        }
    }

    /// Whether only the system's `ssh` can use it.
    pub(super) fn is_only_openssh(&self) -> bool {
        matches!(&*held(&self.state), State::Private(Private::OnlyOpenSsh(_)))
    }

    /// libssh2 has found that the passphrase is not the right one. The next to unlock the key asks again, at most [`TRIES`] times.
    pub(super) fn was_wrong(&self, unlocked: &Unlocked) {
        let mut state = held(&self.state);
        let next = match &*state {
            // Another host's thread may have asked again already.
            State::Answered(text, _, answer) if *answer == unlocked.answer => {
                if *answer >= TRIES {
                    wrong()
                } else {
                    State::Wrong(text.clone(), *answer)
                }
            }
            _ => return,
        };
        *state = next;
    }

    fn question(&self, tries: u32) -> String {
        let again = if tries == 0 { "" } else { "That is not it. " };
        format!("{again}Passphrase for the key {}", self.path.display())
    }
}

fn not_given() -> State {
    State::Unusable("needs a passphrase, which was not given".to_owned())
}

fn wrong() -> State {
    State::Unusable(format!("needs another passphrase than the {TRIES} that were given"))
}

/// The lock, also where a thread has panicked with it: what it guards is replaced as a whole.
fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
