//! Who is told that the host waits for somebody else, and who may say that it shall not.

use model::EventBody;
use std::sync::atomic::{AtomicBool, Ordering};

/// Who watches over the work on a host.
#[derive(Clone, Copy)]
pub struct Attendance<'a> {
    /// Takes what is to be told.
    pub tell: &'a (dyn Fn(EventBody) + Sync),
    /// Becomes true when nothing is to be waited for any more.
    pub stop: &'a AtomicBool,
}

static NEVER: AtomicBool = AtomicBool::new(false);

impl Attendance<'static> {
    /// Nobody does.
    pub fn none() -> Self {
        Self { tell: &|_| {}, stop: &NEVER }
    }
}

impl Attendance<'_> {
    /// Whether to stop.
    pub(super) fn is_over(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}
