//! The call's side: finds a connection that is kept, or has one made that will be; then starts commands over it. Until the first command has been
//! asked for, whatever is wrong with a kept connection leads to a new one, and nothing has been run.

use super::front_pipe::KeptPipe;
use super::line::Line;
use super::place::{Keep, is_ours};
use super::words::{Say, There, Told};
use crate::endpoint::Endpoint;
use crate::remote::access::{Access, Passwords};
use crate::remote::keyring::Lock;
use crate::remote::pipe::{Pipe, Remote, STALLED};
use crate::remote::spare::{Spare, Taken};
use crate::remote::unsuited::Unsuited;
use crate::trouble::{Stage, Trouble};
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long a kept connection may take to show that it is there.
const PROBE: Duration = Duration::from_secs(4);

/// How long a new one may take. What is on the way has deadlines of its own.
const CONNECTING: Duration = Duration::from_secs(600);

/// How long the other process may take to see that a call has ended.
const PARTING: Duration = Duration::from_millis(50);

/// How long sshd may take to start a command, and a little more than the other side waits for that.
const STARTING: Duration = Duration::from_secs(70);

impl Keep {
    /// Connects to the host, by a connection that is kept or will be. `None` where that is no matter for this: the connection has to be a fresh
    /// one, somebody has to be asked, or there is no place or process to keep it.
    pub(in crate::remote) fn connect(
        &self,
        endpoint: &Endpoint,
        access: &Access<'_>,
    ) -> Option<Result<Kept, Unsuited>> {
        if endpoint.is_fresh() {
            self.end(endpoint);
            return None;
        }
        if endpoint.keep.is_zero() {
            return None;
        }
        if let Some(kept) = self.found(endpoint) {
            return Some(Ok(kept));
        }
        if needs_somebody(endpoint, access) || self.place.socket(endpoint).is_none() {
            return None;
        }
        self.made(endpoint, access)
    }

    /// A connection that was kept, and is there.
    fn found(&self, endpoint: &Endpoint) -> Option<Kept> {
        let mut line = self.meet(endpoint)?;
        line.say(&Say::Connect(Box::new(endpoint.clone())), PROBE).ok()?;
        match line.hear(PROBE) {
            Ok(Some(Told::Connected(spare))) => Some(Kept::new(line, endpoint, spare)),
            _ => None,
        }
    }

    fn meet(&self, endpoint: &Endpoint) -> Option<Line> {
        let stream = UnixStream::connect(self.place.socket(endpoint)?).ok()?;
        if is_ours(&stream) { Line::new(stream).ok() } else { None }
    }

    /// Ends the connection that is kept to this host: what is done now may be about how it is reached.
    fn end(&self, endpoint: &Endpoint) {
        let shared = Endpoint { openssh_options: endpoint.openssh_options[1..].to_vec(), ..endpoint.clone() };
        if let Some(mut line) = self.meet(&shared) {
            // One that cannot be told ends by itself.
            let _ = line.say(&Say::Leave(Box::new(shared)), PROBE);
        }
    }

    /// A new one, made by the process that will keep it.
    fn made(&self, endpoint: &Endpoint, access: &Access<'_>) -> Option<Result<Kept, Unsuited>> {
        let mut line = self.line()?;
        line.say(&Say::Connect(Box::new(endpoint.clone())), PROBE).ok()?;
        let until = Instant::now() + CONNECTING;
        loop {
            match line.hear(until.saturating_duration_since(Instant::now())).ok()?? {
                Told::Note(text) => (access.notes)(&text),
                Told::Connected(spare) => return Some(Ok(Kept::new(line, endpoint, spare))),
                Told::Refused(refused) if refused.has_questions => return None,
                Told::Refused(refused) => {
                    let (trouble, openssh_may) = (refused.trouble, refused.openssh_may);
                    return Some(Err(Unsuited { trouble, openssh_may }));
                }
                Told::Running(_) | Told::Trouble(..) | Told::Ended(..) => return None,
            }
        }
    }
}

/// Whether it is likely that a passphrase or a password is asked for on the way.
fn needs_somebody(endpoint: &Endpoint, access: &Access<'_>) -> bool {
    let locked = |hop: &Endpoint| {
        hop.agent.is_none()
            && hop
                .identities
                .iter()
                .any(|path| matches!(access.keyring.key(path), Ok(Some(key)) if key.lock() == Lock::Closed))
    };
    access.passwords == Passwords::Ask || endpoint.jumps.iter().chain([endpoint]).any(locked)
}

/// A connection in another process.
pub(in crate::remote) struct Kept {
    line: Arc<Shared>,
    alias: String,
    keeps: Duration,
    /// A command that runs there already.
    spare: Option<There>,
    /// How many commands were started.
    started: u64,
}

impl Kept {
    fn new(line: Line, endpoint: &Endpoint, spare: Option<There>) -> Self {
        let line = Arc::new(Shared(Mutex::new(line)));
        Self { line, alias: endpoint.alias.clone(), keeps: endpoint.keep, spare, started: 0 }
    }

    /// Asks for the next command, by its number.
    fn begin(&mut self, say: impl FnOnce(u64) -> Say) -> Result<Box<dyn Pipe>, Trouble> {
        self.started += 1;
        let number = self.started;
        let mut line = self.line.held();
        let asked = line.say(&say(number), STALLED);
        asked.map_err(|error| lost(&error.to_string()))?;
        let until = Instant::now() + STARTING;
        loop {
            match line.hear(until.saturating_duration_since(Instant::now())) {
                Ok(Some(Told::Running(running))) if running == number => break,
                Ok(Some(Told::Trouble(of, trouble))) if of == number => return Err(trouble),
                Ok(Some(_)) => {}
                Ok(None) => return Err(lost(GONE)),
                Err(error) => return Err(lost(&format!("{}: {error}", self.alias))),
            }
        }
        drop(line);
        Ok(Box::new(KeptPipe::new(self.line.clone(), number)))
    }
}

impl Remote for Kept {
    fn exec(&mut self, command: &str) -> Result<Box<dyn Pipe>, Trouble> {
        self.begin(|number| Say::Exec(number, command.to_owned()))
    }

    fn keeps(&self) -> Option<Duration> {
        Some(self.keeps)
    }

    fn leave(&mut self, spare: Spare) {
        // Where it cannot be told, what follows says so.
        let _ = self.line.held().say(&Say::Spare(Box::new(spare)), STALLED);
    }

    fn stay(&mut self) {
        // As above.
        let _ = self.line.held().say(&Say::Stay, STALLED);
    }

    fn take(&mut self, labels: &[&str]) -> Option<Taken> {
        let There { label, nonce } =
            self.spare.take().filter(|there| labels.contains(&there.label.as_str()))?;
        let pipe = self.begin(Say::Take).ok()?;
        Some(Taken { label, nonce, pipe })
    }
}

/// What is known where the other process is not there any more.
pub(super) const GONE: &str = "the process that holds it has ended";

pub(super) fn lost(because: &str) -> Trouble {
    Trouble::Lost { stage: Stage::Elevate, because: because.to_owned() }
}

/// The line to the other process, for the connection and for its commands; one of them uses it at a time.
pub(super) struct Shared(Mutex<Line>);

impl Shared {
    /// The line, also where a thread has panicked with it: it is used by one at a time.
    pub(super) fn held(&self) -> MutexGuard<'_, Line> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A call that comes right after this one finds the connection at its place.
impl Drop for Shared {
    fn drop(&mut self) {
        // Where it does not, it makes another.
        let _ = self.held().part(PARTING);
    }
}
