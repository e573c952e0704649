//! Listening to the service manager for as long as there are units to listen for: it is tried again, later each time, where it is away, and
//! when it is there again all of its units are looked at, because nobody told of what happened meanwhile.

use super::bus::Bus;
use crate::interest::Interests;
use rustix::fd::BorrowedFd;
use std::time::{Duration, Instant};

/// After so long it is tried again at first, and at the longest.
const AGAIN: [Duration; 2] = [Duration::from_millis(500), Duration::from_secs(300)];

/// The service manager.
#[derive(Default)]
pub struct Manager {
    bus: Option<Bus>,
    /// Why it is away, since how many tries, and when the next one is.
    away: Option<(String, u32, Instant)>,
}

impl Manager {
    /// Listens for the units of these from now on.
    pub fn mind(&mut self, interests: &Interests) {
        match (&mut self.bus, interests.units().next()) {
            (_, None) => *self = Self::default(),
            (Some(bus), Some(_)) => bus.mind(interests.units()),
            (None, Some(_)) => drop(self.listen(interests)),
        }
    }

    /// True where it was away, and is there.
    fn listen(&mut self, interests: &Interests) -> bool {
        match Bus::listen(interests.units()) {
            Ok(bus) => {
                self.bus = Some(bus);
                self.away.take().is_some()
            }
            Err(failure) => {
                self.lose(failure.to_string());
                false
            }
        }
    }

    fn lose(&mut self, why: String) {
        self.bus = None;
        let tries = self.away.as_ref().map_or(0, |(_, tries, _)| tries + 1);
        let pause = AGAIN[0].saturating_mul(1 << tries.min(16)).min(AGAIN[1]);
        self.away = Some((why, tries, Instant::now() + pause));
    }

    /// What becomes readable when something has happened.
    pub fn fd(&self) -> Option<BorrowedFd<'_>> {
        self.bus.as_ref().map(Bus::fd)
    }

    /// Why it cannot be listened to; `None` where it can, or need not.
    pub fn away(&self) -> Option<&str> {
        self.away.as_ref().map(|(why, ..)| why.as_str())
    }

    /// When it is tried again.
    pub fn again(&self) -> Option<Instant> {
        self.away.as_ref().map(|(_, _, again)| *again)
    }

    /// The units that something happened to, or may have.
    pub fn happened(&mut self, interests: &Interests) -> Vec<String> {
        match self.bus.as_mut().map(Bus::happened) {
            Some(Ok(units)) => return units,
            Some(Err(failure)) => self.lose(failure.to_string()),
            None => {}
        }
        let is_time = self.again().is_some_and(|again| again <= Instant::now());
        match is_time && self.listen(interests) {
            true => interests.units().map(str::to_owned).collect(),
            false => Vec::new(),
        }
    }
}
