//! Times of different clocks, compared. What is logged says when it was; the stamp of a file says that it was then or a little later: it is that
//! of the kernel's last tick, and some file systems keep whole seconds.

use jiff::{SignedDuration, Timestamp};

/// The longest tick (CONFIG_HZ=100).
const TICK: SignedDuration = SignedDuration::from_millis(10);

/// The stamp of a file; `None` for one beyond all calendars.
pub(super) fn of_file((seconds, nanos): (i64, i64)) -> Option<Timestamp> {
    Timestamp::new(seconds, i32::try_from(nanos).ok()?).ok()
}

/// The latest time that a stamp may stand for, by a clock.
pub(super) fn latest(stamp: Timestamp) -> Timestamp {
    stamp.checked_add(if is_whole(stamp) { SignedDuration::from_secs(1) } else { TICK }).unwrap_or(stamp)
}

/// The latest stamp that another file may have got at the same time.
pub(super) fn latest_stamp(stamp: Timestamp) -> Timestamp {
    if is_whole(stamp) { latest(stamp) } else { stamp }
}

fn is_whole(stamp: Timestamp) -> bool {
    stamp.subsec_nanosecond() == 0
}
