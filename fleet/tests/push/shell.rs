//! A connection to nowhere: commands run here, in a shell, with the tools of a test's host.

use fleet::{Pipe, Received, Remote, Stage, Trouble};
use std::io::{Read, Write};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

/// A login.
pub struct Shell {
    /// The login shell; the command follows it.
    pub argv: Vec<String>,
    /// Where programs are.
    pub tools: PathBuf,
    /// What takes the place of `/bin/sh` in the command.
    pub sh: String,
    /// After so many bytes to the host nothing goes there any more.
    pub cut: Option<Cut>,
}

/// How a connection breaks.
#[derive(Clone, Copy)]
pub enum Cut {
    /// The command's input ends after so many bytes; its output still comes.
    Input(usize),
    /// Nothing comes either.
    Both(usize),
}

impl Remote for Shell {
    fn exec(&mut self, command: &str) -> Result<Box<dyn Pipe>, Trouble> {
        let (program, arguments) = self.argv.split_first().unwrap();
        let mut command_line = Command::new(program);
        command_line.args(arguments).arg(command.replace("/bin/sh", &self.sh));
        command_line.env_clear().env("PATH", &self.tools).env("HOME", "/").process_group(0);
        command_line.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command_line.spawn().unwrap();
        let (output, said) = channel();
        follow(child.stdout.take().unwrap(), output);
        let (errors, complained) = channel();
        follow(child.stderr.take().unwrap(), errors);
        let input = child.stdin.take();
        let (held, errors, cut) = (Vec::new(), Vec::new(), self.cut);
        Ok(Box::new(Running { child, input, said, complained, held, errors, cut, sent: 0 }))
    }
}

fn follow(mut from: impl Read + Send + 'static, to: Sender<Vec<u8>>) {
    thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(count) = from.read(&mut buffer) {
            if count == 0 || to.send(buffer[..count].to_vec()).is_err() {
                break;
            }
        }
    });
}

struct Running {
    child: Child,
    input: Option<ChildStdin>,
    said: Receiver<Vec<u8>>,
    complained: Receiver<Vec<u8>>,
    held: Vec<u8>,
    errors: Vec<u8>,
    cut: Option<Cut>,
    sent: usize,
}

impl Running {
    fn is_cut(&self) -> bool {
        matches!(self.cut, Some(Cut::Input(most) | Cut::Both(most)) if self.sent > most)
    }
}

fn lost(error: &dyn std::fmt::Display) -> Trouble {
    Trouble::Lost { stage: Stage::Elevate, because: error.to_string() }
}

impl Pipe for Running {
    fn send(&mut self, bytes: &[u8]) -> Result<(), Trouble> {
        self.sent += bytes.len();
        if self.is_cut() {
            self.input = None;
        }
        let input = self.input.as_mut().ok_or_else(|| lost(&"its input has ended"))?;
        input.write_all(bytes).map_err(|error| lost(&error))
    }

    fn receive(&mut self, buffer: &mut [u8], patience: Duration) -> Result<Received, Trouble> {
        if self.is_cut() && matches!(self.cut, Some(Cut::Both(_))) {
            return Err(lost(&"the cable was cut"));
        }
        if self.held.is_empty() {
            match self.said.recv_timeout(patience) {
                Ok(bytes) => self.held = bytes,
                Err(end) => {
                    self.errors.extend(self.complained.try_iter().flatten());
                    let is_end = end == RecvTimeoutError::Disconnected;
                    return Ok(if is_end { Received::End } else { Received::Nothing });
                }
            }
        }
        self.errors.extend(self.complained.try_iter().flatten());
        let count = self.held.len().min(buffer.len());
        buffer[..count].copy_from_slice(&self.held[..count]);
        self.held.drain(..count);
        Ok(Received::Bytes(count))
    }

    fn errors(&self) -> &[u8] {
        &self.errors
    }

    fn finish(&mut self, patience: Duration) -> Result<Option<i32>, Trouble> {
        self.input = None;
        let until = Instant::now() + patience;
        while Instant::now() < until {
            if let Some(status) = self.child.try_wait().unwrap() {
                self.errors.extend(self.complained.iter().flatten());
                return Ok(status.code());
            }
            thread::sleep(Duration::from_millis(5));
        }
        Err(lost(&"it does not end"))
    }
}

/// Closing the connection: what still runs must not outlive the test.
impl Drop for Running {
    fn drop(&mut self) {
        // A script tidies up after itself when its input ends.
        let is_over = self.finish(Duration::from_millis(if self.cut.is_some() { 5000 } else { 20 }));
        if matches!(is_over, Ok(Some(_))) {
            return;
        }
        let group = rustix::process::Pid::from_child(&self.child);
        // It may have ended by itself.
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        self.child.wait().unwrap();
    }
}
