//! Gathers the bytes of several before-images, to be kept at once, which costs less than each by itself. What waits here is not durable:
//! whoever takes it has to see to that before the op.

use super::{Keep, Secrecy};
use model::{Failure, Fingerprint, HostPath, Secret};
use std::sync::{Mutex, PoisonError};

/// Has what is small wait until it is taken: several that are kept at once cost less than each by itself.
pub struct Later<'a> {
    keep: &'a dyn Keep,
    waiting: Mutex<Vec<(Vec<u8>, Secrecy)>>,
}

/// What is larger is kept at once, in bytes.
const SMALL: usize = 64 << 10;

impl<'a> Later<'a> {
    /// What is larger goes into `keep` at once.
    pub fn of(keep: &'a dyn Keep) -> Self {
        Self { keep, waiting: Mutex::default() }
    }

    /// What waits: whoever takes it has to keep it.
    pub fn take(self) -> Vec<(Vec<u8>, Secrecy)> {
        self.waiting.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Keep for Later<'_> {
    fn keep(&self, bytes: &[u8], secrecy: Secrecy) -> Result<Fingerprint, Failure> {
        if bytes.len() > SMALL {
            return self.keep.keep(bytes, secrecy);
        }
        let fingerprint = self.keep.fingerprint(bytes, secrecy)?;
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).push((bytes.to_vec(), secrecy));
        Ok(fingerprint)
    }

    fn fingerprint(&self, bytes: &[u8], secrecy: Secrecy) -> Result<Fingerprint, Failure> {
        self.keep.fingerprint(bytes, secrecy)
    }

    fn recall(&self, fingerprint: &Fingerprint) -> Result<Secret<Vec<u8>>, Failure> {
        self.keep.recall(fingerprint)
    }

    fn keep_deb(&self, of: (&str, &str), file: &HostPath) -> Result<(), Failure> {
        self.keep.keep_deb(of, file)
    }

    fn deb(&self, package: &str, version: &str) -> Result<Option<HostPath>, Failure> {
        self.keep.deb(package, version)
    }
}
