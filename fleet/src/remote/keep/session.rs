//! One connection to one host, in the process that keeps it: made for a call, used by it, kept a while after it, used by the next. One call at a
//! time. A connection is kept only where its last command has ended in order; it ends with the least doubt about it.

use super::ahead::Ahead;
use super::line::Line;
use super::place::Place;
use super::relay::{Relayed, relay};
use super::seat::{Seat, awake_or_not};
use super::words::{Refused, Say, Told};
use crate::endpoint::Endpoint;
use crate::known_hosts::{self, Judgement};
use crate::remote::access::{Access, Passwords, Prompts, Transport};
use crate::remote::connect::over_ssh2;
use crate::remote::keyring::Keyring;
use crate::remote::pipe::{Pipe as _, STALLED};
use crate::remote::ssh2_pipe::Ssh2Pipe;
use crate::remote::ssh2_remote::Ssh2;
use model::Secret;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// How long a host may take to show that it is there still. A call that waits for that longer has been given up.
const PROBE: Duration = Duration::from_millis(2500);

/// How long a call may take to say what it wants.
const FIRST_WORDS: Duration = Duration::from_secs(2);

/// How long a command may take to end when its call has.
const PARTING: Duration = Duration::from_secs(1);

/// How long a call may take between two commands.
const LONG: Duration = Duration::from_secs(24 * 3600);

/// How long a connection lasts at most, however often it is used: what a login would meet is to count some time.
const LIFE: Duration = Duration::from_secs(600);

/// Serves one call, and those after it, until the connection is not wanted or not there any more.
///
/// # Errors
/// A call that breaks off where it must not; the connection has ended then.
pub(super) fn keep(mut line: Line, place: &Place) -> io::Result<()> {
    let Some(Say::Connect(endpoint)) = line.hear(FIRST_WORDS)? else { return Ok(()) };
    let Some(mut ssh) = connect(&mut line, &endpoint)? else { return Ok(()) };
    let end = awake_or_not() + LIFE.max(endpoint.keep);
    let mut ahead = Ahead::default();
    loop {
        let runs = match serve(&mut line, &mut ssh, &mut ahead)? {
            Served::InOrder => None,
            Served::Runs(pipe) => Some(pipe),
            Served::Stays(pipe) => ahead.stays(pipe),
            Served::Broken => return Ok(()),
        };
        let Some(path) = place.socket(&endpoint) else { return Ok(()) };
        // Before anybody can find it: who finds one comes in time, however long this process takes to go on.
        let until = end.min(awake_or_not() + endpoint.keep);
        // The next call may come before the last command has ended: it waits here. The last one ends when this is there.
        let seat = Seat::take(&path)?;
        ahead.waits_for(&line);
        drop(line);
        if let Some(mut pipe) = runs
            && pipe.finish(PARTING).is_err()
        {
            return Ok(());
        }
        let Some(next) = seat.wait(&mut ssh, &mut ahead, until)? else { return Ok(()) };
        drop(seat);
        line = next;
        let Some(Say::Connect(wanted)) = line.hear(FIRST_WORDS)? else { return Ok(()) };
        if wanted != endpoint || !is_known(&ssh) || !ahead.wake(&mut ssh, PROBE) {
            return Ok(());
        }
        line.say(&Told::Connected(ahead.there()), STALLED)?;
    }
}

/// Logs in as nobody who could be asked.
fn connect(line: &mut Line, endpoint: &Endpoint) -> io::Result<Option<Ssh2>> {
    let (nobody, told) = (Nobody::default(), Mutex::new(line));
    let note = |text: &str| {
        let mut line = told.lock().unwrap_or_else(PoisonError::into_inner);
        // A call that is gone is noticed by what follows.
        let _ = line.say(&Told::Note(text.to_owned()), STALLED);
    };
    let access = Access {
        prompts: &nobody,
        transport: Transport::Ssh2,
        passwords: Passwords::Never,
        keyring: &Keyring::default(),
        notes: &note,
        keep: None,
    };
    let met = over_ssh2(endpoint, &access);
    let line = told.into_inner().unwrap_or_else(PoisonError::into_inner);
    match met {
        Ok(ssh) => {
            line.say(&Told::Connected(None), STALLED)?;
            Ok(Some(ssh))
        }
        Err(unsuited) => {
            let refused = Refused {
                trouble: unsuited.trouble,
                openssh_may: unsuited.openssh_may,
                has_questions: nobody.0.load(Ordering::Relaxed),
            };
            line.say(&Told::Refused(Box::new(refused)), STALLED)?;
            Ok(None)
        }
    }
}

/// How a call left the connection.
enum Served {
    /// As if it were new.
    InOrder,
    /// With its last command still there.
    Runs(Box<Ssh2Pipe>),
    /// With its last command, which goes on for the next call.
    Stays(Box<Ssh2Pipe>),
    /// Not to be used again.
    Broken,
}

/// All commands of one call.
fn serve(line: &mut Line, ssh: &mut Ssh2, ahead: &mut Ahead) -> io::Result<Served> {
    let mut wanted = None;
    loop {
        let said = match wanted.take() {
            Some(wanted) => Some(wanted),
            None => line.hear(LONG)?,
        };
        let ready = ahead.take();
        let (number, started) = match (said, ready) {
            (Some(Say::Exec(number, command)), _) => (number, ssh.start(&command).map(Box::new)),
            (Some(Say::Take(number)), Some(ready)) => (number, Ok(ready)),
            // Of a command that has ended.
            (Some(Say::EndInput | Say::Stay), _) => continue,
            (Some(Say::Spare(spare)), _) => {
                ahead.leave(*spare);
                continue;
            }
            (Some(Say::Connect(_) | Say::Leave(_) | Say::Take(_)), _) => return Ok(Served::Broken),
            (None, _) => return Ok(Served::InOrder),
        };
        let mut pipe = match started {
            Ok(pipe) => pipe,
            Err(trouble) => {
                line.say(&Told::Trouble(number, trouble), STALLED)?;
                return Ok(Served::Broken);
            }
        };
        line.say(&Told::Running(number), STALLED)?;
        match relay(&mut pipe, line, number, ahead)? {
            Relayed::Ended => {}
            Relayed::Broken => return Ok(Served::Broken),
            Relayed::Another(another) => wanted = Some(another),
            Relayed::Left => return Ok(Served::Runs(pipe)),
            Relayed::Stays => return Ok(Served::Stays(pipe)),
        }
    }
}

/// Whether the keys of the host and of those on the way are still such as are taken: known_hosts may have changed since.
fn is_known(ssh: &Ssh2) -> bool {
    ssh.shown()
        .iter()
        .all(|(endpoint, key)| matches!(known_hosts::judge(endpoint, key), Ok(Judgement::Known)))
}

/// Nobody is there to be asked; whether somebody would have been.
#[derive(Default)]
struct Nobody(AtomicBool);

impl Prompts for Nobody {
    fn secret(&self, _: &str) -> Option<Secret<String>> {
        self.0.store(true, Ordering::Relaxed);
        None
    }
}
