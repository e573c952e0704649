//! The process that keeps the copy: it makes it, starts the first process in it, and reads the changes when that has ended.
//! It stays outside of the copy and sees both; it must not write to the machine.

use super::enter::leave;
use super::fold::{Wishes, found};
use super::job::Up;
use super::layers::{Layers, is_full, lay};
use super::private;
use super::stage::Stage;
use super::wire::{receive_job, send_job};
use crate::os::child::Outlet;
use model::Failure;
use rustix::thread::UnshareFlags;
use std::fmt::Display;
use std::io::{stdin, stdout};
use wire::send;

/// The network is the machine's own, since packages come over it.
const COMMANDS: &str = "the commands of `exec` resources ran as they are: what they did over the network, also to services on this \
                        machine, was done";

/// Everything from the first namespace to the last message; the number is the exit code.
pub(super) fn play() -> u8 {
    match keep() {
        Ok(()) => 0,
        Err(failure) => match send(&mut stdout().lock(), &Up::Fault(failure)) {
            Ok(()) => 1,
            // Nobody listens any more.
            Err(_) => 2,
        },
    }
}

fn keep() -> Result<(), Failure> {
    let flags = UnshareFlags::NEWNS | UnshareFlags::NEWPID | UnshareFlags::NEWIPC | UnshareFlags::NEWUTS;
    leave(flags)?;
    let layers = lay()?;
    private::fill()?;
    let wishes = run()?;
    let found = report(&layers, &wishes)?;
    send(&mut stdout().lock(), &Up::Found(Box::new(found))).map_err(broken)
}

/// Starts the first process of the copy, hands it the job, and waits for its end.
fn run() -> Result<Wishes, Failure> {
    let mut inner = Stage::Inner.start(Outlet::Inherited)?;
    let mut to = inner.input().ok_or_else(|| Failure::unknown("the rehearsal", "its pipe is gone"))?;
    let mut from = stdin().lock();
    let (job, secrets, _) = receive_job(&mut from).map_err(broken)?;
    let wishes = Wishes::of(&job, &secrets)?;
    // If it could not take it all, it has said why.
    let sent = send_job(&mut to, job, &secrets).and_then(|()| std::io::copy(&mut from, &mut to));
    drop(to);
    inner.finish()?;
    sent.map_err(broken)?;
    Ok(wishes)
}

fn report(layers: &Layers, wishes: &Wishes) -> Result<super::job::Found, Failure> {
    let mut found = found(layers, wishes)?;
    found.notes.extend(layers.notes.iter().cloned());
    if is_full()? {
        found.notes.push(
            "the memory for the copy is full: what failed for want of space may not on the machine"
                .to_owned(),
        );
    }
    if wishes.runs_commands() {
        found.notes.push(COMMANDS.to_owned());
    }
    Ok(found)
}

fn broken(error: impl Display) -> Failure {
    Failure::io("talk over", "the pipe of the rehearsal", error)
}
