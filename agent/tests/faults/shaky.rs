//! A host on which the n-th op fails, before it does anything or after it has done all. Counts and tells what was executed.

use agent::system::{Attempt, Layer, System, Touched};
use model::{Failure, Op};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

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
    fn below(&self) -> &dyn System {
        self.host
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
