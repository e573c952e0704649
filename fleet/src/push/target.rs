//! What a push is given: hosts, the ways to them, and who wants it. `all` takes it.

use crate::agents::Agents;
use crate::bootstrap::Places;
use crate::elevate::Password;
use crate::endpoint::Endpoint;
use crate::push::controller::Controller;
use crate::push::patience::Patience;
use crate::remote::Remote;
use crate::trouble::Trouble;
use std::sync::atomic::AtomicBool;

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
}
