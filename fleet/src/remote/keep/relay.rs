//! One command of a call, over a connection that is kept: bytes both ways, to the end of the command or of the call. What becomes of the connection
//! then is the session's to decide.

use super::ahead::Ahead;
use super::line::{Frame, Line, PIECE};
use super::words::{Say, Told};
use crate::remote::pipe::{Pipe as _, Received, STALLED};
use crate::remote::ssh2_pipe::Ssh2Pipe;
use crate::trouble::Trouble;
use std::io;
use std::os::fd::AsFd as _;
use std::time::{Duration, Instant};

/// How long a command whose output has ended may take to end.
const END: Duration = Duration::from_secs(5);

/// How long nothing may happen at all; then it is looked again.
const LONG: Duration = Duration::from_secs(3600);

/// How a command came to its end.
pub(super) enum Relayed {
    /// By itself.
    Ended,
    /// The connection broke, or is not to be trusted any more.
    Broken,
    /// The call wants another one while it runs.
    Another(Say),
    /// The call has ended while it runs.
    Left,
    /// It goes on for the next call.
    Stays,
}

/// Carries the n-th command.
pub(super) fn relay(
    pipe: &mut Ssh2Pipe,
    line: &mut Line,
    number: u64,
    ahead: &mut Ahead,
) -> io::Result<Relayed> {
    let mut buffer = vec![0; PIECE];
    loop {
        let frame = line.take()?;
        let patience = if frame.is_some() { Duration::ZERO } else { LONG };
        let passed = match frame {
            Some(Frame::Bytes(bytes)) => pipe.send(&bytes),
            Some(Frame::Errors(_)) => Ok(()),
            Some(Frame::Words(words)) => match serde_json::from_slice(&words)? {
                another @ (Say::Exec(..) | Say::Take(_)) => return Ok(Relayed::Another(another)),
                Say::Spare(spare) => {
                    ahead.leave(*spare);
                    Ok(())
                }
                Say::Stay => return Ok(Relayed::Stays),
                Say::EndInput => pipe.end_input(Instant::now() + END, END),
                Say::Connect(_) | Say::Leave(_) => return Ok(Relayed::Broken),
            },
            None if line.is_over() => return Ok(Relayed::Left),
            None => Ok(()),
        };
        // Of a command that takes nothing more, what it has said is still worth hearing.
        let sent = passed.err();
        let received = pipe.receive_beside(&mut buffer, patience, line.as_fd());
        errors(pipe, line)?;
        match received {
            Ok(Received::Bytes(count)) => {
                line.send(&Frame::Bytes(buffer[..count].to_vec()), STALLED)?;
            }
            Ok(Received::Nothing) => {}
            Ok(Received::End) => return end(pipe, line, number),
            Err(trouble) => return broken(line, number, trouble),
        }
        if let Some(trouble) = sent {
            return broken_by_sending((pipe, line), number, &mut buffer, trouble);
        }
    }
}

/// The command has said all. How it ended is told.
fn end(pipe: &mut Ssh2Pipe, line: &mut Line, number: u64) -> io::Result<Relayed> {
    let status = pipe.finish(END);
    errors(pipe, line)?;
    match status {
        Ok(status) => {
            line.say(&Told::Ended(number, status), STALLED)?;
            Ok(Relayed::Ended)
        }
        Err(trouble) => broken(line, number, trouble),
    }
}

/// Nothing more can be sent. What the command has said before is passed on.
fn broken_by_sending(
    (pipe, line): (&mut Ssh2Pipe, &mut Line),
    number: u64,
    buffer: &mut [u8],
    trouble: Trouble,
) -> io::Result<Relayed> {
    loop {
        let received = pipe.receive_beside(buffer, Duration::ZERO, line.as_fd());
        errors(pipe, line)?;
        match received {
            Ok(Received::Bytes(count)) => line.send(&Frame::Bytes(buffer[..count].to_vec()), STALLED)?,
            Ok(Received::End) => return end(pipe, line, number),
            Ok(Received::Nothing) | Err(_) => return broken(line, number, trouble),
        }
    }
}

fn errors(pipe: &mut Ssh2Pipe, line: &mut Line) -> io::Result<()> {
    match pipe.take_errors() {
        errors if errors.is_empty() => Ok(()),
        errors => line.send(&Frame::Errors(errors), STALLED),
    }
}

fn broken(line: &mut Line, number: u64, trouble: Trouble) -> io::Result<Relayed> {
    line.say(&Told::Trouble(number, trouble), STALLED)?;
    Ok(Relayed::Broken)
}
