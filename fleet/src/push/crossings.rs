//! Hosts that lie behind the same one are not all connected to at once: sshd drops connections that have not logged in when
//! there are more than ten of them (`MaxStartups` of sshd_config(5)), whoever they are for. And where nobody answers there, it is
//! not tried again for each of the hosts behind it.

use crate::endpoint::Endpoint;
use crate::trouble::Trouble;
use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Most connections that are made through one host at the same time.
const AT_ONCE: usize = 8;

/// The hosts that connections go through.
#[derive(Default)]
pub struct Crossings {
    hops: Mutex<BTreeMap<(String, u16), Hop>>,
    changed: Condvar,
}

#[derive(Default)]
struct Hop {
    /// Connections that are being made.
    now: usize,
    /// Nobody answered there.
    dead: Option<Trouble>,
}

impl Crossings {
    /// Leave to connect, when the host on the way has room for it; `None` where there is none on the way.
    ///
    /// # Errors
    /// Nobody answers on the host on the way, as another host has found.
    pub fn enter(&self, endpoint: &Endpoint) -> Result<Option<Crossing<'_>>, Trouble> {
        let Some(first) = endpoint.jumps.first() else { return Ok(None) };
        let name = (first.host.clone(), first.port);
        let mut hops = self.lock();
        while hops.get(&name).is_some_and(|hop| hop.dead.is_none() && hop.now >= AT_ONCE) {
            hops = self.changed.wait(hops).unwrap_or_else(PoisonError::into_inner);
        }
        let hop = hops.entry(name.clone()).or_default();
        if let Some(trouble) = &hop.dead {
            return Err(trouble.clone());
        }
        hop.now += 1;
        Ok(Some(Crossing { crossings: self, name, alias: first.alias.clone() }))
    }

    /// Each change is one assignment: what a panic leaves is right.
    fn lock(&self) -> MutexGuard<'_, BTreeMap<(String, u16), Hop>> {
        self.hops.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection that is being made through a host, until this goes.
pub struct Crossing<'a> {
    crossings: &'a Crossings,
    name: (String, u16),
    alias: String,
}

impl Crossing<'_> {
    /// What became of it: takes note of a host on the way that is not there.
    pub fn met(&self, trouble: &Trouble) {
        let Trouble::Through { hop, trouble: inner } = trouble else { return };
        let is_away = matches!(
            **inner,
            Trouble::NameUnknown { .. }
                | Trouble::ConnectionRefused { .. }
                | Trouble::NoRoute { .. }
                | Trouble::Timeout { .. }
        );
        if is_away && *hop == self.alias {
            self.crossings.lock().entry(self.name.clone()).or_default().dead = Some(trouble.clone());
        }
    }
}

impl Drop for Crossing<'_> {
    fn drop(&mut self) {
        if let Some(hop) = self.crossings.lock().get_mut(&self.name) {
            hop.now -= 1;
        }
        self.crossings.changed.notify_all();
    }
}
