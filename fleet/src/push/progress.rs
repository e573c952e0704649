//! Where the work on one host is. The only way by which what a host says is told: with the name of its target, whatever it
//! calls itself.

use crate::push::controller::Controller;
use crate::trouble::{Begun, Stage, Trouble};
use std::cell::Cell;
use std::sync::atomic::{AtomicBool, Ordering};

/// One host's place.
pub(crate) struct Progress<'a> {
    /// The name of its target.
    pub host: &'a str,
    /// Who is told.
    pub controller: &'a dyn Controller,
    stop: &'a AtomicBool,
    stage: Cell<Stage>,
    begun: Cell<Begun>,
}

impl<'a> Progress<'a> {
    /// Before the connection.
    pub fn new(host: &'a str, controller: &'a dyn Controller, stop: &'a AtomicBool) -> Self {
        Self { host, controller, stop, stage: Cell::new(Stage::Connect), begun: Cell::new(Begun::Unknown) }
    }

    /// What comes now.
    pub fn enter(&self, stage: Stage) {
        self.stage.set(stage);
        self.controller.stage(self.host, stage);
    }

    /// Where it is.
    pub fn stage(&self) -> Stage {
        self.stage.get()
    }

    /// The host says that its run has begun.
    pub fn begun(&self) {
        self.begun.set(Begun::Yes);
    }

    /// Something for the operator.
    pub fn note(&self, text: &str) {
        self.controller.note(self.host, text);
    }

    /// True where the user wants it to stop.
    pub fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// An end while nothing runs on the host, where the user wants one.
    pub fn go_on(&self) -> Result<(), Trouble> {
        if self.is_stopped() { Err(Trouble::Stopped { stage: self.stage() }) } else { Ok(()) }
    }

    /// A transport knows what happened to a connection; when, is known here. Only what went wrong before there was one it knows
    /// better: the system's `ssh` connects as late as it is given a command.
    pub fn placed(&self, trouble: Trouble) -> Trouble {
        let stage = self.stage();
        match trouble {
            Trouble::Lost { stage, .. } | Trouble::Timeout { stage, .. } if stage < Stage::Elevate => trouble,
            Trouble::Lost { because, .. } if stage == Stage::Run => {
                Trouble::Adrift { host: self.host.to_owned(), because, begun: self.begun.get() }
            }
            Trouble::Lost { because, .. } => Trouble::Lost { stage, because },
            Trouble::Protocol { because, .. } => Trouble::Protocol { stage, because },
            Trouble::Timeout { limit, setting, .. } => Trouble::Timeout { stage, limit, setting },
            other => other,
        }
    }
}
