//! A host on which the n-th op fails, before it does anything or after it has done all. Counts and tells what was executed.

use agent::system::{Accounts, Attempt, Candidates, Entry, Layer, Look, Package, System, Touched};
use model::{Command, Failure, HostPath, Op, Thing, UnitState};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

/// Where an op fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// It has done nothing.
    Before,
    /// It has done everything, and says that it failed.
    After,
}

/// The host.
pub struct Shaky<'a> {
    host: &'a Layer<'static>,
    fails: Option<(u64, When)>,
    count: AtomicU64,
    executed: Mutex<Vec<Op>>,
}

impl<'a> Shaky<'a> {
    /// `fails` says which op, counted from 1, and when.
    pub fn new(host: &'a Layer<'static>, fails: Option<(u64, When)>) -> Self {
        Self { host, fails, count: AtomicU64::new(0), executed: Mutex::default() }
    }

    /// What has changed the host so far, in order.
    pub fn executed(&self) -> Vec<Op> {
        self.executed.lock().expect("no test panics inside").clone()
    }
}

impl System for Shaky<'_> {
    fn prepare(&self, things: &[Thing]) -> Result<(), Failure> {
        self.host.prepare(things)
    }

    fn look(&self, path: &HostPath, look: Look) -> Result<Option<Entry>, Failure> {
        self.host.look(path, look)
    }

    fn read(&self, path: &HostPath, limit: u64) -> Result<Vec<u8>, Failure> {
        self.host.read(path, limit)
    }

    fn list(&self, path: &HostPath) -> Result<Vec<OsString>, Failure> {
        self.host.list(path)
    }

    fn xattrs(&self, path: &HostPath) -> Result<BTreeMap<String, String>, Failure> {
        self.host.xattrs(path)
    }

    fn accounts(&self) -> Result<Arc<Accounts>, Failure> {
        self.host.accounts()
    }

    fn package(&self, name: &str) -> Result<Option<Package>, Failure> {
        self.host.package(name)
    }

    fn providers(&self, name: &str) -> Result<Vec<String>, Failure> {
        self.host.providers(name)
    }

    fn deb(&self, name: &str, version: &str) -> Result<Option<HostPath>, Failure> {
        self.host.deb(name, version)
    }

    fn unfinished(&self) -> Result<Vec<String>, Failure> {
        self.host.unfinished()
    }

    fn candidates(&self, name: &str, release: Option<&str>) -> Result<Arc<Candidates>, Failure> {
        self.host.candidates(name, release)
    }

    fn all_packages(&self) -> Result<Arc<BTreeMap<String, Package>>, Failure> {
        self.host.all_packages()
    }

    fn unit(&self, name: &str) -> Result<Option<UnitState>, Failure> {
        self.host.unit(name)
    }

    fn guard(&self, command: &Command) -> Result<i32, Failure> {
        self.host.guard(command)
    }

    fn clean(&self, op: &Op, tag: &str) -> Result<(), Failure> {
        self.host.clean(op, tag)
    }

    fn execute(&self, op: &Op, attempt: &Attempt) -> Result<Touched, Failure> {
        let number = self.count.fetch_add(1, Ordering::SeqCst) + 1;
        let fails = self.fails.filter(|(at, _)| *at == number).map(|(_, when)| when);
        let failure = || Err(Failure::io("do", op.to_string(), "an injected fault"));
        if fails == Some(When::Before) {
            return failure();
        }
        // The model removes a directory with all in it; no host does.
        if let Op::Remove { path } = op
            && !self.host.list(path)?.is_empty()
        {
            return Err(Failure::io("remove", path, "it is not empty"));
        }
        let touched = self.host.execute(op, attempt)?;
        self.executed.lock().expect("no test panics inside").push(op.clone());
        if fails == Some(When::After) { failure() } else { Ok(touched) }
    }
}
