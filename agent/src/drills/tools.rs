//! What faults are put with: the few things that are done to a host outside of any catalog. On a real one it is [`super::Here`].

use model::Failure;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// How a program ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Said {
    /// True where it ended with 0.
    pub fine: bool,
    /// What it wrote to its standard output.
    pub out: String,
    /// The same, to standard error.
    pub err: String,
}

/// A process, which no later one of the same number can be taken for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    /// Its number.
    pub pid: u32,
    /// When it was started, in ticks since the boot (proc_pid_stat(5)).
    pub start: u64,
    /// The kernel's name for it.
    pub name: String,
    /// The service that it belongs to; empty where it is of none.
    #[serde(default)]
    pub unit: String,
}

/// A signal (signal(7)).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Signal {
    /// It is gone.
    #[default]
    #[serde(rename = "KILL")]
    Kill,
    /// It is asked to end.
    #[serde(rename = "TERM")]
    Term,
    /// It crashes.
    #[serde(rename = "SEGV")]
    Segv,
    /// It hangs, until it is let go on.
    #[serde(rename = "STOP")]
    Stop,
    /// It goes on.
    #[serde(rename = "CONT")]
    Cont,
}

/// The room of a file system.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Room {
    /// What users may still write, in bytes.
    pub free: u64,
    /// Of a file system in memory: what is left of that, in bytes.
    pub memory: Option<u64>,
    /// True where the state of this host is on the same one.
    pub has_state: bool,
}

/// What became of the end of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// It was cut off.
    Done,
    /// There is nothing of it.
    Nothing,
    /// It is there, and something of somebody else after it.
    Buried,
}

/// The host.
pub trait Tools {
    /// Runs a program to its end.
    ///
    /// # Errors
    /// It is not there, or did not end.
    fn run(&self, argv: &[&str], input: &str) -> Result<Said, Failure>;

    /// True where there is a service manager.
    fn has_services(&self) -> bool;

    /// The longest packet of a network interface, in bytes; `None` where there is no such interface.
    ///
    /// # Errors
    /// It cannot be told.
    fn mtu(&self, interface: &str) -> Result<Option<u64>, Failure>;

    /// The processes, but for ourselves and those that have started us.
    ///
    /// # Errors
    /// They cannot be told.
    fn processes(&self) -> Result<Vec<Process>, Failure>;

    /// Sends a signal; false where the process is not there any more.
    ///
    /// # Errors
    /// It could not be sent.
    fn signal(&self, process: &Process, signal: Signal) -> Result<bool, Failure>;

    /// The ports that sshd has, for all its connections.
    ///
    /// # Errors
    /// They cannot be told.
    fn ssh_ports(&self) -> Result<BTreeSet<u16>, Failure>;

    /// The room of the file system of a directory.
    ///
    /// # Errors
    /// It is none, or cannot be looked at.
    fn room(&self, dir: &Path) -> Result<Room, Failure>;

    /// Where the file system of `path` is mounted; `None` where that is `/`, or nothing is there.
    ///
    /// # Errors
    /// It cannot be told.
    fn mounted_at(&self, path: &Path) -> Result<Option<PathBuf>, Failure>;

    /// Makes a file of so many bytes, which has to be new.
    ///
    /// # Errors
    /// It is there already, or could not be made as large: nothing of it is left then.
    fn fill(&self, path: &Path, bytes: u64) -> Result<(), Failure>;

    /// Removes a file; false where it is not there.
    ///
    /// # Errors
    /// It could not be removed.
    fn remove(&self, path: &Path) -> Result<bool, Failure>;

    /// The size of a regular file, and the number by which no other can be taken for it.
    ///
    /// # Errors
    /// It is none, or cannot be looked at.
    fn size(&self, path: &Path) -> Result<(u64, u64), Failure>;

    /// Writes to the end of a file of this number.
    ///
    /// # Errors
    /// It is another one, or could not be written.
    fn append(&self, path: &Path, inode: u64, text: &str) -> Result<(), Failure>;

    /// Cuts a file to `size`, where it is still that of this number and holds nothing after that but `text`, or a beginning of it.
    ///
    /// # Errors
    /// It could not be looked at or cut.
    fn cut(&self, path: &Path, inode: u64, size: u64, text: &str) -> Result<Cut, Failure>;
}

/// What a program said in place of doing it.
pub(super) fn words(said: &Said) -> String {
    let text = if said.err.trim().is_empty() { &said.out } else { &said.err };
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Runs a program that has to end well.
pub(super) fn well(tools: &dyn Tools, argv: &[&str], input: &str) -> Result<Said, Failure> {
    let said = tools.run(argv, input)?;
    if said.fine {
        return Ok(said);
    }
    let (argv, status) = (argv.join(" "), "did not end well".to_owned());
    Err(Failure::Command { argv, status, stderr: words(&said) })
}
