//! A child that is talked with while it runs, and that does not outlive its parent. `child` starts it.
//! It must not be left to a thread that ends early: the kernel ties it to the thread that started it, until it unties itself.

use std::io::{Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ChildStdin, ChildStdout};

use model::Failure;
use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process};

/// A running child. Dropping it kills it.
#[derive(Debug)]
pub struct Tied {
    child: Child,
    shown: String,
    input: Option<ChildStdin>,
    output: Option<ChildStdout>,
    /// It has untied itself.
    is_free: bool,
}

impl Tied {
    pub(super) fn new(mut child: Child, shown: String) -> Self {
        let (input, output) = (child.stdin.take(), child.stdout.take());
        Self { child, shown, input, output, is_free: false }
    }

    /// Lets go of one that has untied itself; its number.
    pub fn let_go(mut self) -> u32 {
        self.is_free = true;
        self.child.id()
    }

    /// Its number, which is its own for as long as this is kept.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Its standard input, once; it reads an end of file when that is dropped.
    pub fn input(&mut self) -> Option<impl Write + Send + use<>> {
        self.input.take()
    }

    /// Its standard output, once, if it was started with one of its own.
    pub fn output(&mut self) -> Option<impl Read + Send + use<>> {
        self.output.take()
    }

    /// Kills it; `finish` is still to be called. Only before that is its number its own for sure, which the borrow sees to.
    ///
    /// # Errors
    /// `Failure::Command` if it could not be killed.
    pub fn kill(&self) -> Result<(), Failure> {
        match kill_process(Pid::from_child(&self.child), Signal::KILL) {
            Ok(()) | Err(Errno::SRCH) => Ok(()),
            Err(errno) => Err(Failure::Command {
                argv: self.shown.clone(),
                status: format!("could not be killed: {errno}"),
                stderr: String::new(),
            }),
        }
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// `Failure::Command` for any end but exit status 0.
    pub fn finish(mut self) -> Result<(), Failure> {
        drop(self.input.take());
        let failed =
            |status: String| Failure::Command { argv: self.shown.clone(), status, stderr: String::new() };
        let status = self.child.wait().map_err(|error| failed(format!("could not be watched: {error}")))?;
        match (status.code(), status.signal()) {
            (Some(0), _) => Ok(()),
            (Some(code), _) => Err(failed(format!("exited with {code}"))),
            (None, Some(signal)) => Err(failed(format!("was killed by signal {signal}"))),
            (None, None) => Err(failed(format!("ended with {status}"))),
        }
    }
}

impl Drop for Tied {
    fn drop(&mut self) {
        // One that has been waited for takes no signal; that it could not be killed means that it is gone.
        if !self.is_free && self.child.kill().is_ok() {
            drop(self.child.wait());
        }
    }
}
