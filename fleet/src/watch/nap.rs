//! How long is waited between two tries to reach a host: longer each time, up to a limit. Keeps no time itself.

use std::time::Duration;

/// Longest wait.
const MOST: Duration = Duration::from_secs(10);

/// The waits between tries.
pub(super) struct Nap {
    first: Duration,
    next: Duration,
}

impl Nap {
    /// The first wait takes `first`.
    pub(super) fn new(first: Duration) -> Self {
        Self { first, next: first }
    }

    /// The next wait.
    pub(super) fn next(&mut self) -> Duration {
        let now = self.next;
        self.next = (now * 2).min(MOST);
        now
    }

    /// Begins anew.
    pub(super) fn reset(&mut self) {
        self.next = self.first;
    }
}
