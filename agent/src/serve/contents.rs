//! The contents of an order. A plan has those sent that it shows, and keeps them in memory; a run has all that it can need put into
//! the host's store, before it begins: nobody may be there to ask later.

use super::link::Link;
use crate::state::{StateDir, Store};
use model::{Digest, Failure};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{Cursor, Read};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use wire::Blobs;

/// Bytes that a plan keeps in memory. What is beyond is not shown, and is not sent for a plan.
const MOST_HELD: u64 = 32 << 20;

/// The host's store, and behind it, up to the commit point, the controller. Each content is asked for once.
pub(super) struct Contents {
    link: Arc<Link>,
    state: StateDir,
    store: Store,
    /// What the order's catalog names.
    named: BTreeMap<Digest, u64>,
    held: Mutex<Held>,
}

/// What came for a plan.
#[derive(Default)]
struct Held {
    contents: BTreeMap<Digest, Arc<[u8]>>,
    /// Bytes, those included that were asked for and did not come.
    size: u64,
    asked: BTreeSet<Digest>,
    /// Why something that was asked for did not come.
    why: Option<Failure>,
}

impl Contents {
    pub(super) fn new(link: Arc<Link>, state: StateDir, named: BTreeMap<Digest, u64>) -> Self {
        let store = state.store();
        Self { link, state, store, named, held: Mutex::default() }
    }

    /// Has all of `contents` in the store.
    pub(super) fn bring(&self, contents: &BTreeMap<Digest, u64>) -> Result<(), Failure> {
        let mut wanted = BTreeMap::new();
        for (digest, size) in contents {
            if self.store.holds(digest, *size)? {
                continue;
            }
            self.state.make()?;
            match self.held().came(digest)? {
                Some(bytes) => self.store.take_in((digest, *size), &mut &*bytes)?,
                None => drop(wanted.insert(*digest, *size)),
            }
        }
        if wanted.is_empty() {
            return Ok(());
        }
        self.link.fetch(&wanted, &mut |content, bytes| self.store.take_in(content, bytes))
    }

    /// Has as many of `contents` in memory as fit.
    fn hold(&self, contents: &BTreeMap<Digest, u64>) -> Result<(), Failure> {
        let mut wanted = BTreeMap::new();
        for (digest, size) in contents {
            if !self.store.holds(digest, *size)? && self.held().has_room_for(digest, *size) {
                wanted.insert(*digest, *size);
            }
        }
        if wanted.is_empty() {
            return Ok(());
        }
        let fetched = self.link.fetch(&wanted, &mut |(digest, size), bytes| {
            let bytes = in_memory((digest, size), bytes)?;
            self.held().contents.insert(*digest, bytes.into());
            Ok(())
        });
        fetched.inspect_err(|failure| self.held().why = Some(failure.clone()))
    }

    fn here(&self, digest: &Digest) -> Result<Option<Box<dyn Read>>, Failure> {
        if let Some(bytes) = self.held().contents.get(digest) {
            return Ok(Some(Box::new(Cursor::new(Arc::clone(bytes)))));
        }
        match self.store.open(digest) {
            Ok(reader) => Ok(Some(reader)),
            Err(Failure::Missing { .. }) => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    /// The content, where it came; `None` where it was never asked for.
    fn came(&self, digest: &Digest) -> Result<Option<Arc<[u8]>>, Failure> {
        match self.contents.get(digest) {
            Some(bytes) => Ok(Some(Arc::clone(bytes))),
            None if self.asked.contains(digest) => Err(self.why.clone().unwrap_or_else(|| missing(digest))),
            None => Ok(None),
        }
    }

    /// Takes room for it; false where there is none, or it was asked for already.
    fn has_room_for(&mut self, digest: &Digest, size: u64) -> bool {
        let fits = self.size + size <= MOST_HELD && self.asked.insert(*digest);
        self.size += if fits { size } else { 0 };
        fits
    }
}

impl Blobs for Contents {
    fn open(&self, digest: &Digest) -> Result<Box<dyn Read>, Failure> {
        if let Some(reader) = self.here(digest)? {
            return Ok(reader);
        }
        // One that nobody foresaw. Who has been told yes may have left.
        if let Some(size) = self.named.get(digest).filter(|_| !self.link.is_committed()) {
            self.hold(&BTreeMap::from([(*digest, *size)]))?;
        }
        self.here(digest)?.ok_or_else(|| missing(digest))
    }

    fn expect(&self, soon: &BTreeMap<Digest, u64>) {
        // Who opens one that did not come hears of it.
        self.hold(soon).ok();
    }
}

fn missing(digest: &Digest) -> Failure {
    Failure::Missing { what: format!("content {digest}") }
}

fn in_memory((digest, size): (&Digest, u64), bytes: &mut dyn Read) -> Result<Vec<u8>, Failure> {
    let mut content = Vec::new();
    let read = bytes.take(size + 1).read_to_end(&mut content);
    read.map_err(|error| Failure::io("receive", format!("content {digest}"), error))?;
    if content.len() as u64 == size && Digest::of(&content) == *digest {
        return Ok(content);
    }
    Err(Failure::refused(format!("what came is not the content {digest}"), "start it again"))
}
