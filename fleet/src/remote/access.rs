//! What connections are made with, apart from where they go: whom to ask for passphrases, which transport, and what was answered already.
//! Shared by the threads of all hosts.

use super::keep::Keep;
use super::keyring::Keyring;
use model::Secret;

/// Someone who knows passphrases and passwords.
pub trait Prompts: Sync {
    /// The answer to a question such as `Passphrase for the key /home/ada/.ssh/id_ed25519`, without a newline. `None` where nobody
    /// can be asked, or does not want to answer.
    fn secret(&self, question: &str) -> Option<Secret<String>>;
}

/// Everything but the endpoint.
pub struct Access<'a> {
    /// Whom to ask. One question is asked at a time.
    pub prompts: &'a dyn Prompts,
    /// Which transport is wanted.
    pub transport: Transport,
    /// May a password be asked for?
    pub passwords: Passwords,
    /// The keys and passwords of all hosts.
    pub keyring: &'a Keyring,
    /// Told what a user should know although it is no trouble: a line without a newline.
    pub notes: &'a (dyn Fn(&str) + Sync),
    /// Where connections are kept for later calls; `None` where none is to be taken or kept.
    pub keep: Option<&'a Keep>,
}

/// Which transport is wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Transport {
    /// The one in process; the system's `ssh` where the configuration or a key needs it.
    #[default]
    Auto,
    /// The one in process, and no other.
    Ssh2,
    /// The system's `ssh`, always.
    OpenSsh,
}

/// Whether logging in with a password is wanted. Without it nobody is asked, and none is sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Passwords {
    /// Keys only.
    #[default]
    Never,
    /// When no key is taken, the user is asked, once for all hosts.
    Ask,
}
