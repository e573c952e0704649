//! What a transport gives: a logged-in connection on which commands are started and talked with.

use super::spare::{Spare, Taken};
use crate::trouble::Trouble;
use std::time::Duration;

/// How long a host may neither take what is sent to it nor say anything, while its sshd answers.
pub(super) const STALLED: Duration = Duration::from_secs(120);

/// A connection to one host, logged in.
pub trait Remote: Send {
    /// Starts a command in the user's login shell, without a terminal.
    ///
    /// # Errors
    /// The connection broke, or sshd refuses to start it.
    fn exec(&mut self, command: &str) -> Result<Box<dyn Pipe>, Trouble>;

    /// True where a connection is only made when a command is started, one for each.
    fn connects_late(&self) -> bool {
        false
    }

    /// For how long the next call finds this connection; `None` where it ends with this call.
    fn keeps(&self) -> Option<Duration> {
        None
    }

    /// Has a command started for the next call, when this one has ended in order. The last one that was left counts.
    fn leave(&mut self, _spare: Spare) {}

    /// Has the command that runs now go on for the next call, in place of one that is left: when its input does not end it waits for a first word.
    fn stay(&mut self) {}

    /// The command that the last call has left, where it runs and has one of these labels. Commands that are started here end it.
    fn take(&mut self, _labels: &[&str]) -> Option<Taken> {
        None
    }
}

/// A command that runs on the host, and its standard streams. One thread uses it.
pub trait Pipe: Send {
    /// Sends all of `bytes` to its standard input.
    ///
    /// # Errors
    /// `Trouble::Lost` where the command or the connection has ended, or the command takes nothing for minutes and is as silent; what it had
    /// said before can still be received.
    fn send(&mut self, bytes: &[u8]) -> Result<(), Trouble>;

    /// Waits for some of its standard output, `patience` at most; standard error is gathered meanwhile, and the connection kept
    /// alive as the endpoint says.
    ///
    /// # Errors
    /// `Trouble::Lost` where the connection broke or the host has not answered for too long.
    fn receive(&mut self, buffer: &mut [u8], patience: Duration) -> Result<Received, Trouble>;

    /// What it has written to standard error so far, the tail of it where that is much.
    fn errors(&self) -> &[u8];

    /// Ends its standard input, and waits for its end, `patience` at most. The exit status; `None` where a signal ended it.
    ///
    /// # Errors
    /// `Trouble::Lost` where that cannot be told.
    fn finish(&mut self, patience: Duration) -> Result<Option<i32>, Trouble>;
}

/// What came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Received {
    /// So many bytes.
    Bytes(usize),
    /// Nothing yet.
    Nothing,
    /// The end of its standard output.
    End,
}
