//! Logging in: an agent's keys, key files, and a password where that is wanted. The host is known to be the right one by now; the agent is
//! never forwarded. Each way that was tried is remembered, for the message that says that none was taken.
//!
//! A host counts what it refuses (`MaxAuthTries` of sshd_config(5), usually 6) and then ends the connection, so what the configuration names
//! comes first, and an agent full of other keys after it. The first request is made with a key at once: asking which methods there are
//! (`none`, RFC 4252 section 5.2) would cost a round trip on every connection, and is done for the message only. A key costs two, as
//! with ssh: libssh2 asks whether it would do before it signs.

use super::access::{Access, Passwords};
use super::keyring::{Key, Lock};
use super::ssh2_link::{Link, Stop};
use super::unsuited::Unsuited;
use crate::endpoint::Endpoint;
use crate::trouble::{Stage, Trouble};
use ssh2::{Agent, ErrorCode, KeyboardInteractivePrompt, Prompt, PublicKey};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// How long a host may take over one request. PAM and a slow resolver take seconds; a user may have to confirm the use of a key.
const PATIENCE: Duration = Duration::from_secs(60);

/// `LIBSSH2_ERROR_FILE`, `LIBSSH2_ERROR_METHOD_NONE`: libssh2 cannot read or use a key.
const UNREADABLE: [ErrorCode; 2] = [ErrorCode::Session(-16), ErrorCode::Session(-17)];
/// `LIBSSH2_ERROR_KEYFILE_AUTH_FAILED`.
const WRONG_PASSPHRASE: ErrorCode = ErrorCode::Session(-48);
/// `LIBSSH2_ERROR_AUTHENTICATION_FAILED`, `LIBSSH2_ERROR_PUBLICKEY_UNVERIFIED`.
const REFUSED: [ErrorCode; 2] = [ErrorCode::Session(-18), ErrorCode::Session(-19)];
/// `LIBSSH2_ERROR_PASSWORD_EXPIRED`.
const EXPIRED: ErrorCode = ErrorCode::Session(-15);

/// Logs in as the endpoint says.
///
/// # Errors
/// `Trouble::LoginRefused` with all that was tried; a connection that broke.
pub(super) fn log_in(link: &Link, endpoint: &Endpoint, access: &Access<'_>) -> Result<(), Unsuited> {
    let mut login = Login { link, endpoint, access, tried: Vec::new(), only_openssh: None };
    login.log_in()
}

struct Login<'a> {
    link: &'a Link,
    endpoint: &'a Endpoint,
    access: &'a Access<'a>,
    /// What was tried, each with its outcome.
    tried: Vec<String>,
    /// A key that only the system's `ssh` can use.
    only_openssh: Option<String>,
}

/// What became of one way to log in.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    In,
    No,
    WrongPassphrase,
    /// libssh2 cannot use the key; why.
    Unreadable(String),
}

impl Login<'_> {
    fn log_in(&mut self) -> Result<(), Unsuited> {
        let keys = self.keys();
        let agent = self.agent();
        let identities = agent.as_ref().map_or_else(Vec::new, |(_, identities)| identities.iter().collect());
        let (named, others): (Vec<_>, Vec<_>) = identities.into_iter().partition(|one| names(&keys, one));
        let others = if self.endpoint.identities_only { Vec::new() } else { others };
        let held = |key: &Arc<Key>| named.iter().any(|one| key.public() == Some(one.blob()));
        let files: Vec<_> = keys.iter().filter(|key| !held(key)).collect();
        let agent = agent.as_ref().map(|(agent, _)| agent);
        // Nobody is asked for a passphrase while there is something else to try.
        let (closed, open): (Vec<_>, Vec<_>) = files.into_iter().partition(|key| key.lock() == Lock::Closed);
        if self.with_agent(agent, &in_order(&keys, named))?
            || self.with_files(&open)?
            || self.with_agent(agent, &others)?
            || self.with_files(&closed)?
            || self.with_password()?
        {
            return Ok(());
        }
        self.refused()
    }

    /// The key files that are there; what is wrong with the others is remembered.
    fn keys(&mut self) -> Vec<Arc<Key>> {
        let mut keys = Vec::new();
        for path in &self.endpoint.identities {
            match self.access.keyring.key(path) {
                Ok(key) => keys.extend(key),
                Err(why) => self.tried.push(format!("key {} ({why})", path.display())),
            }
        }
        keys
    }

    /// The agent's keys, where there is an agent; what is wrong with it is remembered.
    fn agent(&mut self) -> Option<(Agent, Vec<PublicKey>)> {
        let path = self.endpoint.agent.clone()?;
        match self.open_agent(&path) {
            Ok(agent) => Some(agent),
            Err(error) => {
                self.tried.push(format!("agent at {} ({})", path.display(), error.message()));
                None
            }
        }
    }

    fn open_agent(&self, path: &Path) -> Result<(Agent, Vec<PublicKey>), ssh2::Error> {
        let mut agent = self.link.session().agent()?;
        agent.set_identity_path(path)?;
        agent.connect()?;
        agent.list_identities()?;
        let identities = agent.identities()?;
        Ok((agent, identities))
    }

    fn with_agent(&mut self, agent: Option<&Agent>, identities: &[&PublicKey]) -> Result<bool, Unsuited> {
        let Some(agent) = agent else { return Ok(false) };
        for identity in identities {
            let name = format!("key {} of the agent", identity.comment());
            match self.attempt(&name, || agent.userauth(&self.endpoint.user, identity))? {
                Outcome::In => return Ok(true),
                Outcome::Unreadable(why) => self.for_openssh(&name, &why),
                Outcome::No | Outcome::WrongPassphrase => {}
            }
        }
        Ok(false)
    }

    fn with_files(&mut self, keys: &[&Arc<Key>]) -> Result<bool, Unsuited> {
        for key in keys {
            if self.with_file(key)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn with_file(&mut self, key: &Key) -> Result<bool, Unsuited> {
        loop {
            let unlocked = match self.access.keyring.unlock(key, self.access.prompts) {
                Ok(unlocked) => unlocked,
                Err(why) => {
                    if key.is_only_openssh() {
                        self.for_openssh(&key.name(), &why);
                    } else {
                        self.tried.push(format!("{} ({why})", key.name()));
                    }
                    return Ok(false);
                }
            };
            let passphrase = unlocked.passphrase.as_ref().map(|one| one.expose().as_str());
            let text = unlocked.text.expose();
            let session = self.link.session();
            let act = || session.userauth_pubkey_memory(&self.endpoint.user, None, text, passphrase);
            match self.attempt(&key.name(), act)? {
                // What a wrong passphrase makes of a PEM file is no key more often than not.
                Outcome::WrongPassphrase | Outcome::Unreadable(_) if passphrase.is_some() => {
                    key.was_wrong(&unlocked);
                }
                Outcome::Unreadable(why) => {
                    self.for_openssh(&key.name(), &why);
                    return Ok(false);
                }
                outcome => return Ok(outcome == Outcome::In),
            }
        }
    }

    /// libssh2 cannot use this; the system's `ssh` may.
    fn for_openssh(&mut self, name: &str, why: &str) {
        self.only_openssh = Some(format!("libssh2 cannot use {name} ({why})"));
        self.tried.push(format!("{name} ({why})"));
    }

    fn with_password(&mut self) -> Result<bool, Unsuited> {
        if self.access.passwords == Passwords::Never {
            return Ok(false);
        }
        let methods = self.methods();
        let user = &self.endpoint.user;
        let Some(password) = self.access.keyring.password(user, self.access.prompts) else {
            self.tried.push("password (which was not given)".to_owned());
            return Ok(false);
        };
        let session = self.link.session();
        let takes = |method| methods.split(',').any(|one| one == method);
        if takes("password") {
            let act = || session.userauth_password(user, password.expose());
            return Ok(self.attempt("password", act)? == Outcome::In);
        }
        if takes("keyboard-interactive") {
            let mut answer = Answer(password.expose());
            let act = || session.userauth_keyboard_interactive(user, &mut answer);
            return Ok(self.attempt("password, keyboard-interactive", act)? == Outcome::In);
        }
        self.tried.push("password (the host takes none)".to_owned());
        Ok(self.link.session().authenticated())
    }

    /// One request to log in, until the host has answered.
    fn attempt(
        &mut self,
        name: &str,
        act: impl FnMut() -> Result<(), ssh2::Error>,
    ) -> Result<Outcome, Unsuited> {
        let error = match self.link.until(PATIENCE, act) {
            Ok(()) => return Ok(Outcome::In),
            Err(Stop::Failed(error)) => error,
            Err(Stop::Late) => {
                return Err(self.link.trouble(Stage::Login, PATIENCE, &Stop::Late).into());
            }
        };
        if error.code() == WRONG_PASSPHRASE {
            return Ok(Outcome::WrongPassphrase);
        }
        if UNREADABLE.contains(&error.code()) {
            return Ok(Outcome::Unreadable(error.message().to_owned()));
        }
        // An agent that wants a confirmation, or a key of a type that libssh2 cannot sign with.
        if error.message() == "Callback returned error" {
            return Ok(Outcome::Unreadable("nothing can be signed with it".to_owned()));
        }
        let expired = if error.code() == EXPIRED { " (it has expired and must be changed)" } else { "" };
        self.tried.push(format!("{name}{expired}"));
        // Whoever ends the connection has refused as well; libssh2 has the same number for both.
        let answered = REFUSED.contains(&error.code()) && !error.message().starts_with("Waiting for ");
        if answered || error.code() == EXPIRED { Ok(Outcome::No) } else { Err(self.cut_off(&error)) }
    }

    /// The methods that the host takes, such as `publickey,password`.
    fn methods(&self) -> String {
        let ask = || {
            // ssh2 panics where the list is no UTF-8, which is the host's to say.
            let caught = std::panic::AssertUnwindSafe(|| {
                self.link.session().auth_methods(&self.endpoint.user).map(str::to_owned)
            });
            std::panic::catch_unwind(caught).unwrap_or_else(|_| Ok(String::new()))
        };
        match self.link.until(PATIENCE, ask) {
            Ok(methods) => methods.chars().take(200).collect(),
            Err(_) => String::new(),
        }
    }

    fn refused(&mut self) -> Result<(), Unsuited> {
        let methods = self.methods();
        // There are hosts that let in whoever comes.
        if self.link.session().authenticated() {
            return Ok(());
        }
        let methods =
            if methods.is_empty() { "nobody knows what: it did not say".to_owned() } else { methods };
        Err(self.unsuited(methods))
    }

    /// The connection ended with an attempt.
    fn cut_off(&mut self, error: &ssh2::Error) -> Unsuited {
        // Without an attempt before it, it is more likely that something else is wrong.
        if self.tried.len() < 2 {
            return self.link.lost(Stage::Login, &error.message()).into();
        }
        self.unsuited(format!(
            "no more: it has ended the connection ({}; see its MaxAuthTries)",
            error.message()
        ))
    }

    fn unsuited(&mut self, methods: String) -> Unsuited {
        let tried = std::mem::take(&mut self.tried);
        let trouble = Trouble::LoginRefused { user: self.endpoint.user.clone(), tried, methods };
        Unsuited { trouble, openssh_may: self.only_openssh.take() }
    }
}

fn names(keys: &[Arc<Key>], identity: &PublicKey) -> bool {
    keys.iter().any(|key| key.public() == Some(identity.blob()))
}

/// The agent's keys in the order in which the configuration names them.
fn in_order<'k>(keys: &[Arc<Key>], mut named: Vec<&'k PublicKey>) -> Vec<&'k PublicKey> {
    named.sort_by_key(|one| keys.iter().position(|key| key.public() == Some(one.blob())));
    named
}

/// Answers the one question that is about a password: it is asked without an echo.
struct Answer<'a>(&'a str);

impl KeyboardInteractivePrompt for Answer<'_> {
    fn prompt<'a>(&mut self, _user: &str, _instructions: &str, prompts: &[Prompt<'a>]) -> Vec<String> {
        match prompts {
            [one] if !one.echo => vec![self.0.to_owned()],
            prompts => prompts.iter().map(|_| String::new()).collect(),
        }
    }
}
