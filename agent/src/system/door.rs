//! `trait System`, the one door to a host. Kinds read through it; only the engine calls `execute`.

use super::{Accounts, Candidates, Compared, Entry, EntryKind, Look, Package, Shared, Whole, Worked};
use model::{Command, Content, Failure, HostPath, Op, Subject, Thing, UnitState};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::sync::Arc;
use std::time::Duration;

/// Extra subjects that an op changed beyond those it names: packages that a transaction changed besides, and paths
/// that are new, such as a home directory with what was copied into it.
pub type Touched = Vec<Subject>;

/// What one execution of an op has to know besides the op.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// Unique to this op in this run; part of the name of a temporary file, so that recovery can find it.
    pub tag: String,
    /// Deadline for the op.
    pub timeout: Option<Duration>,
}

/// A host, real, in memory or forecast. Reads are answered from caches where the implementation can tell that nothing
/// changed; a read that cannot be answered is an error and never a guess.
pub trait System: Sync {
    /// The host that this one stands before: what is not answered here is answered there. Who stands before none answers all.
    fn below(&self) -> &dyn System;

    /// Says what will be asked for, so that it can be fetched in one go.
    fn prepare(&self, things: &[Thing]) -> Result<(), Failure> {
        self.below().prepare(things)
    }

    /// What stands at `path`, the last component not followed unless asked; `None` for nothing (also where a directory
    /// above it is missing).
    fn look(&self, path: &HostPath, look: Look) -> Result<Option<Entry>, Failure> {
        self.below().look(path, look)
    }

    /// What stands at `path`, as [`Look::Digest`] has it, and whether it is a regular file with just these bytes. Where it is, its
    /// digest need not be told: bytes that are at hand are compared, which costs less.
    fn compare(&self, path: &HostPath, wanted: &Content) -> Result<Compared, Failure> {
        let entry = self.look(path, Look::Digest)?;
        let is_same = entry.as_ref().and_then(Entry::digest) == Some(wanted.digest());
        Ok(Compared { entry, is_same })
    }

    /// The bytes of a regular file; an error where it is larger than `limit` bytes, or no regular file.
    fn read(&self, path: &HostPath, limit: u64) -> Result<Vec<u8>, Failure> {
        self.below().read(path, limit)
    }

    /// What stands at `path`, as [`Look::Bare`] has it, and all of a regular file of at most `limit` bytes.
    fn whole(&self, path: &HostPath, limit: u64) -> Result<Option<Whole>, Failure> {
        let Some(entry) = self.look(path, Look::Bare)? else { return Ok(None) };
        let held = match entry.kind {
            EntryKind::File { size, .. } if size <= limit => {
                Some((self.xattrs(path)?, self.read(path, limit)?))
            }
            _ => None,
        };
        Ok(Some(Whole { entry, held }))
    }

    /// The names in a directory, sorted by bytes.
    fn list(&self, path: &HostPath) -> Result<Vec<OsString>, Failure> {
        self.below().list(path)
    }

    /// Extended attributes of a file or directory, the ACL among them, in base64 by name.
    fn xattrs(&self, path: &HostPath) -> Result<BTreeMap<String, String>, Failure> {
        self.below().xattrs(path)
    }

    /// The users and groups of the account files.
    fn accounts(&self) -> Result<Arc<Accounts>, Failure> {
        self.below().accounts()
    }

    /// A package as dpkg knows it, `name` or `name:arch`; `None` where it knows nothing of it.
    fn package(&self, name: &str) -> Result<Option<Package>, Failure> {
        self.below().package(name)
    }

    /// The installed packages that provide the virtual package `name`, sorted.
    fn providers(&self, name: &str) -> Result<Vec<String>, Failure> {
        self.below().providers(name)
    }

    /// What the package sources offer for `name`, from `release` where one is given. Costs a process.
    fn candidates(&self, name: &str, release: Option<&str>) -> Result<Arc<Candidates>, Failure> {
        self.below().candidates(name, release)
    }

    /// All packages that dpkg knows, by name; for telling what a transaction changed.
    fn all_packages(&self) -> Result<Arc<BTreeMap<String, Package>>, Failure> {
        self.below().all_packages()
    }

    /// The file that brought `version` of a package, where the package manager still has it; `None` where it does not.
    fn deb(&self, name: &str, version: &str) -> Result<Option<HostPath>, Failure> {
        self.below().deb(name, version)
    }

    /// What a package manager that was interrupted left to be finished, a few words each; nothing where it ended by itself. What
    /// a script of a package failed at is that package's own, and not told here.
    fn unfinished(&self) -> Result<Vec<String>, Failure> {
        self.below().unfinished()
    }

    /// A unit, by its name with suffix; `None` where the service manager finds none.
    fn unit(&self, name: &str) -> Result<Option<UnitState>, Failure> {
        self.below().unit(name)
    }

    /// Runs a command that promises to change nothing, and returns its exit code. The guards of `exec` alone use it.
    fn guard(&self, command: &Command) -> Result<i32, Failure> {
        self.below().guard(command)
    }

    /// Removes what an execution of `op` under `tag` that was cut off may have left beside its subject.
    fn clean(&self, op: &Op, tag: &str) -> Result<(), Failure>;

    /// What [`once`](super::once) asks for. Only a host that nobody changes meanwhile keeps it.
    fn once(&self, _of: Shared, work: &dyn Fn() -> Result<Worked, Failure>) -> Result<Worked, Failure> {
        work()
    }

    /// Changes the host. The engine alone calls this, and journals first.
    fn execute(&self, op: &Op, attempt: &Attempt) -> Result<Touched, Failure>;

    /// Executes several ops that do not depend on each other, each of which writes one file; how each ended, in their order.
    fn execute_all(&self, all: &[(&Op, Attempt)]) -> Vec<Result<Touched, Failure>> {
        all.iter().map(|(op, attempt)| self.execute(op, attempt)).collect()
    }
}
