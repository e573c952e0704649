//! The contents of an order. A plan has those sent that it shows; a run has all that it can need at hand before it begins, for
//! nobody may be there to ask later. What is small stays in memory, and is gone with the run; the rest is put into the host's store.

use super::link::{Link, Take};
use crate::state::{StateDir, Store};
use model::{Digest, Failure, Gather};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{Cursor, Read};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use wire::Blobs;

/// Bytes that are kept in memory. A plan does not show what is beyond.
const MOST_HELD: u64 = 32 << 20;

/// Largest content, in bytes, that a run keeps in memory.
const SMALL: u64 = 256 << 10;

/// The host's store, and behind it, up to the commit point, the controller. Each content is asked for once.
pub(super) struct Contents {
    link: Arc<Link>,
    state: StateDir,
    store: Store,
    /// What the order's catalog names.
    named: BTreeMap<Digest, u64>,
    held: Mutex<Held>,
}

/// What is in memory.
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

    /// Has all of `contents` at hand.
    pub(super) fn bring(&self, contents: &BTreeMap<Digest, u64>) -> Result<(), Failure> {
        let mut wanted = BTreeMap::new();
        for (digest, size) in contents {
            if !self.store.holds(digest, *size)? && !self.held().has(digest)? {
                wanted.insert(*digest, *size);
            }
        }
        let is_small = |content: &(&Digest, &u64)| *content.1 <= SMALL && self.held().has_room_for(*content);
        let small: BTreeSet<Digest> = wanted.iter().filter(is_small).map(|(digest, _)| *digest).gather();
        if small.len() < wanted.len() {
            self.state.make()?;
        }
        self.fetch(&wanted, &mut |content, bytes| match small.contains(content.0) {
            true => self.keep(content, bytes),
            false => self.store.take_in(content, bytes),
        })
    }

    /// Has as many of `contents` in memory as fit.
    fn hold(&self, contents: &BTreeMap<Digest, u64>) -> Result<(), Failure> {
        let mut wanted = BTreeMap::new();
        for (digest, size) in contents {
            if !self.store.holds(digest, *size)? && self.held().has_room_for((digest, size)) {
                wanted.insert(*digest, *size);
            }
        }
        let fetched = self.fetch(&wanted, &mut |content, bytes| self.keep(content, bytes));
        fetched.inspect_err(|failure| self.held().why = Some(failure.clone()))
    }

    fn fetch(&self, wanted: &BTreeMap<Digest, u64>, take: Take<'_>) -> Result<(), Failure> {
        if wanted.is_empty() { Ok(()) } else { self.link.fetch(wanted, take) }
    }

    /// Keeps a content in memory.
    fn keep(&self, (digest, size): (&Digest, u64), bytes: &mut dyn Read) -> Result<(), Failure> {
        let mut content = Vec::new();
        let read = bytes.take(size + 1).read_to_end(&mut content);
        read.map_err(|error| Failure::io("receive", format!("content {digest}"), error))?;
        if content.len() as u64 != size || Digest::of(&content) != *digest {
            let why = format!("what came is not the content {digest}");
            return Err(Failure::refused(why, "start it again"));
        }
        self.held().contents.insert(*digest, content.into());
        Ok(())
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
    /// True where it is here, false where it was never asked for. One that was asked for and did not come is not asked for again.
    fn has(&self, digest: &Digest) -> Result<bool, Failure> {
        match (self.contents.contains_key(digest), self.asked.contains(digest)) {
            (true, _) => Ok(true),
            (false, false) => Ok(false),
            (false, true) => Err(self.why.clone().unwrap_or_else(|| missing(digest))),
        }
    }

    /// Takes room for it; false where there is none, or it was asked for already.
    fn has_room_for(&mut self, (digest, size): (&Digest, &u64)) -> bool {
        let fits = self.size.saturating_add(*size) <= MOST_HELD && self.asked.insert(*digest);
        self.size += if fits { *size } else { 0 };
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
