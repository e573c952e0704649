//! A copy of this machine that stands until it is let go, for who wants to try more than one run in it: a box of tests. Seen from the
//! outside; `standing_keeper` is what keeps it. It dies with whoever made it, however that ends.

use super::standing_keeper;
use crate::os::child::{Child, Outlet};
use crate::os::tied::Tied;
use model::Failure;
use std::ffi::{OsStr, OsString};
use std::io::{BufRead, BufReader, Read, Write};

/// What processes in a copy may not do: what is not the copy's own, such as the clock and devices. Network and mounts are.
const TAKEN_AWAY: &str = "-sys_time,-sys_module,-sys_boot,-sys_rawio,-syslog,-mac_admin,-mknod,-wake_alarm";

/// A process of a copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CopyStage {
    /// Makes the copy, and compares it.
    Keeper,
    /// The first process in it.
    First,
}

impl CopyStage {
    fn word(self) -> &'static str {
        match self {
            Self::Keeper => "__copy-keeper",
            Self::First => "__copy-first",
        }
    }

    /// The stage that a command line (with the program's name) asks for. To be asked first in `main`, while there is one thread.
    pub fn of(arguments: impl IntoIterator<Item = OsString>) -> Option<Self> {
        let mut arguments = arguments.into_iter().skip(1);
        let (first, second) = (arguments.next()?, arguments.next());
        let is_asked = |stage: &Self| first == OsStr::new(stage.word()) && second.is_none();
        [Self::Keeper, Self::First].into_iter().find(is_asked)
    }

    /// Plays the stage, on standard input and output; the number is the exit code.
    pub fn play(self) -> u8 {
        match self {
            Self::Keeper => standing_keeper::keep(),
            Self::First => standing_keeper::be_first(),
        }
    }

    pub(super) fn start(self) -> Result<Tied, Failure> {
        Child::new(["/proc/self/exe", self.word()]).start(Outlet::Piped)
    }
}

/// A copy that stands. It belongs to the thread that made it, and ends with that.
pub struct Standing {
    keeper: Tied,
    input: Box<dyn Write + Send>,
    output: BufReader<Box<dyn Read + Send>>,
    /// The first process of the copy, as this machine numbers it.
    pid: u32,
    notes: Vec<String>,
}

impl Standing {
    /// Makes a copy of this machine, with a loopback of its own and no other network, without this machine's own records of runs, and
    /// without a service manager. The running program must play [`CopyStage`]s when it is started as one.
    ///
    /// # Errors
    /// `Failure::Refused` without root, or where the kernel gives no namespaces or overlays.
    pub fn make() -> Result<Self, Failure> {
        if !rustix::process::geteuid().is_root() {
            let why = "a copy of this machine needs root";
            return Err(Failure::refused(why, "run it with sudo"));
        }
        let mut keeper = CopyStage::Keeper.start()?;
        let (Some(input), Some(output)) = (keeper.input(), keeper.output()) else {
            return Err(Failure::unknown("the copy", "it was started without pipes"));
        };
        let mut standing = Self {
            keeper,
            input: Box::new(input),
            output: BufReader::new(Box::new(output)),
            pid: 0,
            notes: Vec::new(),
        };
        let made: Made = standing.hear()?;
        (standing.pid, standing.notes) = (made.pid, made.notes);
        Ok(standing)
    }

    /// The first process of the copy, as this machine numbers it.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// What of this machine is not in the copy as it is.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// The argv that runs the argv after it in the copy.
    pub fn enter(&self) -> Vec<String> {
        let pid = self.pid.to_string();
        let words = [
            "nsenter", "--target", &pid, "--mount", "--pid", "--ipc", "--uts", "--net", "--cgroup", "--root",
            "--wd", "--",
        ];
        let drop = ["setpriv", "--bounding-set", TAKEN_AWAY, "--"];
        words.iter().chain(&drop).map(|word| (*word).to_owned()).collect()
    }

    /// What is otherwise in the copy than on this machine, a line each; without caches, logs and the like, which come and go by themselves.
    ///
    /// # Errors
    /// It could not be told.
    pub fn differences(&mut self) -> Result<Vec<String>, Failure> {
        let asked = self.input.write_all(b"compare\n").and_then(|()| self.input.flush());
        asked.map_err(|error| Failure::io("talk over", "the pipe of the copy", error))?;
        self.hear()
    }

    fn hear<T: serde::de::DeserializeOwned>(&mut self) -> Result<T, Failure> {
        let mut line = String::new();
        let read = self.output.read_line(&mut line);
        read.map_err(|error| Failure::io("talk over", "the pipe of the copy", error))?;
        if line.is_empty() {
            return Err(Failure::unknown("the copy", "the process that keeps it has ended"));
        }
        let said: Result<T, Failure> = serde_json::from_str(&line)
            .map_err(|error| Failure::unknown("the copy", format!("it is not understood: {error}")))?;
        said
    }

    /// Leaves it: it stands until the process whose number this is ends.
    ///
    /// # Errors
    /// It could not be told; it ends then.
    pub fn leave(mut self) -> Result<u32, Failure> {
        let asked = self.input.write_all(b"keep\n").and_then(|()| self.input.flush());
        asked.map_err(|error| Failure::io("talk over", "the pipe of the copy", error))?;
        self.hear::<()>()?;
        Ok(self.keeper.let_go())
    }

    /// Ends it, and all that runs in it.
    ///
    /// # Errors
    /// It could not be ended.
    pub fn end(self) -> Result<(), Failure> {
        drop(self.input);
        self.keeper.finish()
    }
}

/// What the keeper says when the copy stands.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub(super) struct Made {
    pub(super) pid: u32,
    pub(super) notes: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::CopyStage;

    #[test]
    fn only_the_exact_word_alone_is_a_stage() {
        let of = |words: &[&str]| CopyStage::of(words.iter().map(Into::into));
        assert_eq!(of(&["keel", "__copy-keeper"]), Some(CopyStage::Keeper));
        assert_eq!(of(&["keel", "__copy-first"]), Some(CopyStage::First));
        assert!(
            [&["__copy-first"][..], &["keel"], &["keel", "__copy-first", "x"]]
                .iter()
                .all(|no| of(no).is_none())
        );
    }
}
