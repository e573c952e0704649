//! One boot of a virtual machine: started, listened to, and ended by killing QEMU, which is what a power cut is to the guest.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::pieces::Pieces;

/// A machine that runs.
#[derive(Debug)]
pub struct Machine {
    qemu: Child,
    console: Receiver<String>,
}

impl Machine {
    /// Boots with `archive` as its root and `disk` as its only disk, whose writes pass by this machine's memory.
    pub fn boot(pieces: &Pieces, (archive, disk): (&Path, &Path), mode: &str) -> Result<Self> {
        let mut qemu = pieces.qemu();
        qemu.args([
            "-accel",
            "tcg",
            "-machine",
            "q35",
            "-cpu",
            "max",
            "-m",
            "768",
            "-nographic",
            "-no-reboot",
        ]);
        qemu.args(["-nic", "none", "-append"]).arg(format!("console=ttyS0 quiet panic=-1 keel.mode={mode}"));
        qemu.arg("-kernel").arg(pieces.kernel()).arg("-initrd").arg(archive);
        qemu.arg("-drive").arg(format!("file={},format=raw,if=virtio,cache=none", disk.display()));
        qemu.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit());
        let mut qemu = qemu.spawn().context("cannot start QEMU")?;
        let output = qemu.stdout.take().context("QEMU has an output")?;
        let (say, console) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(output).split(b'\n').map_while(std::result::Result::ok) {
                if say.send(String::from_utf8_lossy(&line).trim_end().to_owned()).is_err() {
                    return;
                }
            }
        });
        Ok(Self { qemu, console })
    }

    /// Reads the console up to the line that begins with `word`, which is the last of those handed back.
    pub fn until(&mut self, word: &str, patience: Duration) -> Result<Vec<String>> {
        let (end, mut lines) = (Instant::now() + patience, Vec::new());
        loop {
            match self.console.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(line) => lines.push(line),
                Err(RecvTimeoutError::Timeout) => {
                    bail!("no {word} within {patience:?}: {}", lines.join("\n"))
                }
                Err(RecvTimeoutError::Disconnected) => bail!("the guest ended: {}", lines.join("\n")),
            }
            let last = lines.last().map_or("", String::as_str);
            if last.starts_with("KEEL-BROKEN") {
                bail!("the guest is broken: {}", lines.join("\n"));
            }
            if last.starts_with(word) {
                return Ok(lines);
            }
        }
    }

    /// Whether a line that begins with `word` comes before `patience` is over.
    pub fn says(&mut self, word: &str, patience: Duration) -> bool {
        self.until(word, patience).is_ok()
    }

    /// Cuts the power.
    pub fn cut(mut self) -> Result<()> {
        self.end().context("cannot end QEMU")
    }

    fn end(&mut self) -> std::io::Result<()> {
        self.qemu.kill()?;
        self.qemu.wait().map(drop)
    }
}

/// Nothing is left of a machine whose test has failed.
impl Drop for Machine {
    fn drop(&mut self) {
        if let Err(error) = self.end() {
            eprintln!("QEMU cannot be ended: {error}");
        }
    }
}
