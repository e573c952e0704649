//! Running the programs of checks: an argv of the user's, with the rights and the surroundings that `exec` would give it.

use super::host::Host;
use crate::checks::{Programs, Ran, Wrote};
use crate::os::capture::{Cap, Capture};
use model::{Command, Failure, Principal, Text};
use std::time::Duration;

/// So much of each output is looked at, in bytes: its beginning.
const KEPT: Cap = Cap { head: 128 << 10, tail: 0 };

impl Programs for Host<'_> {
    fn run(&self, argv: &[String], user: Option<&Principal>, timeout: Duration) -> Result<Ran, Failure> {
        let argv = argv.iter().map(|word| Text::Plain(word.clone())).collect();
        let command = Command { argv, user: user.cloned(), ..Command::default() };
        let mut child = self.child(&command, timeout)?;
        child.cap = KEPT;
        let output = child.run()?;
        Ok(Ran { code: output.status.code(), stdout: wrote(&output.stdout), stderr: wrote(&output.stderr) })
    }
}

fn wrote(capture: &Capture) -> Wrote {
    match capture.complete() {
        Some(bytes) => Wrote { bytes, whole: true },
        None => Wrote { bytes: capture.beginning().to_vec(), whole: false },
    }
}
