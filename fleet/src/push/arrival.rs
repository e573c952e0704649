//! A host on its way: its turn, and its leave to go through another host. Either transport says at a moment of its own that it has
//! arrived; until then it holds up nobody.

use crate::endpoint::Endpoint;
use crate::push::crossings::{Crossing, Crossings};
use crate::push::turns::Turn;
use crate::trouble::Trouble;
use std::cell::RefCell;

/// One host's.
pub struct Arrival<'a> {
    turn: RefCell<Turn<'a>>,
    crossings: &'a Crossings,
    crossing: RefCell<Option<Crossing<'a>>>,
}

impl<'a> Arrival<'a> {
    /// Before it has set out.
    pub fn new(turn: Turn<'a>, crossings: &'a Crossings) -> Self {
        Self { turn: RefCell::new(turn), crossings, crossing: RefCell::default() }
    }

    /// Waits until it may be connected to.
    ///
    /// # Errors
    /// A host on the way is known not to be there.
    pub fn set_out(&self, endpoint: &Endpoint) -> Result<(), Trouble> {
        self.crossing.replace(self.crossings.enter(endpoint)?);
        Ok(())
    }

    /// The connection is there: makes way for the next, and waits for a place to work. Does nothing a second time.
    pub fn arrive(&self) {
        self.crossing.take();
        self.turn.borrow_mut().work();
    }

    /// How it failed, where it did.
    pub fn met(&self, trouble: &Trouble) {
        self.crossing.borrow().iter().for_each(|crossing| crossing.met(trouble));
    }
}
