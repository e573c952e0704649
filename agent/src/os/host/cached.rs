//! A value that is read from the host once and kept until something changes it. A failed read is not kept.

use model::Failure;
use std::sync::{Arc, Mutex, PoisonError};

/// Holds a value, or nothing yet.
pub(super) struct Cached<T>(Mutex<Option<Arc<T>>>);

impl<T> Default for Cached<T> {
    fn default() -> Self {
        Self(Mutex::new(None))
    }
}

impl<T> Cached<T> {
    /// The kept value, or what `load` reads. Whoever else asks meanwhile waits for that one read.
    pub(super) fn get(&self, load: impl FnOnce() -> Result<T, Failure>) -> Result<Arc<T>, Failure> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(value) = kept.as_ref() {
            return Ok(value.clone());
        }
        let value = Arc::new(load()?);
        *kept = Some(value.clone());
        Ok(value)
    }

    /// Has it read again when it is next asked for.
    pub(super) fn forget(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}
