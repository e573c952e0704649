//! What a push is given: hosts, the ways to them, and who wants it. `all` takes it.

use crate::agents::Agents;
use crate::bootstrap::Places;
use crate::elevate::Password;
use crate::endpoint::Endpoint;
use crate::push::controller::Controller;
use crate::push::patience::Patience;
use crate::remote::Remote;
use crate::runs::Runs;
use crate::trouble::Trouble;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

/// A host to push to.
#[derive(Clone, Debug)]
pub struct Target {
    /// Its name in the inventory, or what the user typed.
    pub name: String,
    /// How it is reached; the trouble where that could not be told.
    pub endpoint: Result<Endpoint, Trouble>,
}

/// Opens a connection and logs in. Called from many threads at once.
pub type Connect<'a> = dyn Fn(&Endpoint) -> Result<Box<dyn Remote>, Trouble> + Sync + 'a;

/// One piece of work for many hosts.
pub struct Push<'a> {
    /// The hosts, in the order in which they are started.
    pub targets: &'a [Target],
    /// At most so many hosts are at work at once; at least 1.
    pub parallel: usize,
    /// How a connection comes about.
    pub connect: &'a Connect<'a>,
    /// The password for the hosts' sudo.
    pub password: &'a Password<'a>,
    /// What is put on hosts.
    pub agents: &'a Agents,
    /// Where things are on hosts; the default but for tests.
    pub places: Places,
    /// How long hosts may take; the default but for tests.
    pub patience: Patience,
    /// Who wants it.
    pub controller: &'a dyn Controller,
    /// Set by the user who wants it to stop: hosts that were not begun are not begun, the others stop at their next safe point.
    pub stop: &'a AtomicBool,
    /// Set by the user who wants to leave: runs that have begun go on by themselves, everything else ends.
    pub detach: &'a AtomicBool,
    /// Where it is kept which runs go on, for a call after one that did not see their end; `None` for nowhere.
    pub runs: Option<&'a Runs>,
    /// What becomes of a run that such a call has lost sight of.
    pub resume: Resume,
    /// How long a host may take to come up; zero for not at all.
    pub wait: Duration,
}

/// What becomes of a run that an earlier call has lost sight of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resume {
    /// Nothing: what is asked of the host now can be asked beside it.
    No,
    /// It is attached to before anything is asked of its host.
    First,
}
