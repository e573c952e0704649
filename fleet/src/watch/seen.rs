//! What has been seen of a run, from its events. What it says stays the host's word: numbers are bounded, and nothing else of it is kept.

use model::{Event, EventBody};
use std::time::Duration;

/// Most that a host may say it needs, for a reboot or before it undoes a run.
const MOST: u64 = 24 * 3600;

/// A run, as far as it was told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    /// Its number, once it has been told.
    pub run: Option<u64>,
    /// The number of the first event that has not been seen.
    pub next: u64,
    /// The last event that was.
    pub last: Option<Mark>,
    /// How many seconds after its end it is undone; `None` where it is not, or not any more.
    pub window: Option<u64>,
    /// How long the reboot may take that is under way.
    pub reboot: Option<Duration>,
}

/// An event, told from those of other runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    /// Its number.
    pub seq: u64,
    /// Its time.
    pub at: String,
}

impl Mark {
    /// Of an event.
    pub(crate) fn of(event: &Event) -> Self {
        // Longer than any time is nothing to be kept.
        Self { seq: event.seq, at: event.at.chars().take(64).collect() }
    }
}

impl Seen {
    /// Takes note of an event.
    pub(crate) fn take(&mut self, event: &Event) {
        self.next = event.seq.saturating_add(1);
        self.last = Some(Mark::of(event));
        match &event.body {
            EventBody::Started { run } => self.run = run.parse().ok(),
            EventBody::Armed { window, .. } => self.window = Some((*window).min(MOST)),
            EventBody::Confirmed { .. } | EventBody::Reverted { .. } => self.window = None,
            EventBody::Rebooting { timeout } => {
                self.reboot = Some(Duration::from_secs((*timeout).min(MOST)));
            }
            EventBody::Resumed { .. } => self.reboot = None,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Mark, Seen};
    use model::{Event, EventBody};
    use std::time::Duration;

    #[test]
    fn what_matters_of_a_run_is_kept_and_bounded() {
        let mut seen = Seen::default();
        let mut take = |seq, body| {
            seen.take(&Event { at: format!("t{seq}"), seq, body });
            seen.clone()
        };
        let run = || "7".to_owned();
        assert_eq!(take(0, EventBody::Note { text: String::new() }).next, 1);
        assert_eq!(take(1, EventBody::Started { run: run() }).run, Some(7));
        let armed = EventBody::Armed { run: run(), window: u64::MAX, because: Vec::new() };
        assert_eq!(take(2, armed).window, Some(86_400));
        assert_eq!(take(3, EventBody::Rebooting { timeout: 60 }).reboot, Some(Duration::from_secs(60)));
        assert_eq!(take(4, EventBody::Resumed { boot: String::new() }).reboot, None);
        let end = take(5, EventBody::Confirmed { run: run() });
        assert_eq!((end.window, end.last), (None, Some(Mark { seq: 5, at: "t5".to_owned() })));
        assert_eq!(take(u64::MAX, EventBody::Started { run: "../x".to_owned() }).run, None);
    }
}
