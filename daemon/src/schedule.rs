//! When everything is looked at anyway. Pure: seconds since 1970 in, seconds since 1970 out; `splay` spreads hosts over the period by
//! what each host always was, so that it comes at the same time after a restart too.

use model::Digest;

/// Times that are a period apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schedule {
    every: u64,
    offset: u64,
}

impl Schedule {
    /// Every so many seconds, at least one, shifted by `offset` against multiples of the period.
    pub fn new(every: u64, offset: u64) -> Self {
        let every = every.max(1);
        Self { every, offset: offset % every }
    }

    /// How long the period is, in seconds.
    pub fn every(&self) -> u64 {
        self.every
    }

    /// The first time after `now`.
    pub fn after(&self, now: u64) -> u64 {
        let since = (now + self.every - self.offset) % self.every;
        now + self.every - since
    }
}

/// How far a host is shifted within a period of `every` seconds: by its machine-id(5), which stays.
pub fn splay(machine_id: &str, every: u64) -> u64 {
    let digest = Digest::of(format!("evenkeel looks again {}", machine_id.trim()).as_bytes());
    let first: [u8; 8] = std::array::from_fn(|at| digest.bytes()[at]);
    u64::from_be_bytes(first) % every.max(1)
}

/// The whole second since 1970 by which a time has come: who waits until the one before has nothing to do yet, again and again.
pub fn whole_seconds(time: jiff::Timestamp) -> u64 {
    let begun = i64::from(time.subsec_nanosecond() > 0);
    u64::try_from(time.as_second() + begun).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::{Schedule, splay};

    #[test]
    fn the_next_time_is_always_later_and_on_the_grid() {
        for (every, offset, now, next) in [
            (1800, 0, 0, 1800),
            (1800, 0, 1, 1800),
            (1800, 0, 1799, 1800),
            (1800, 0, 1800, 3600),
            (1800, 300, 0, 300),
            (1800, 300, 300, 2100),
            (1800, 300, 2099, 2100),
            (60, 3600, 59, 60),
            (0, 7, 10, 11),
        ] {
            assert_eq!(Schedule::new(every, offset).after(now), next, "{every} {offset} {now}");
        }
    }

    #[test]
    fn hosts_are_spread_and_each_stays_where_it_is() {
        let offsets: Vec<u64> = (0..1000).map(|at| splay(&format!("{at:032x}\n"), 1800)).collect();
        assert_eq!(splay(&format!("{:032x}", 7), 1800), offsets[7], "the line's end does not count");
        for part in 0..10 {
            let count = offsets.iter().filter(|offset| *offset / 180 == part).count();
            assert!((60..140).contains(&count), "part {part} has {count}");
        }
        assert_eq!(splay("x", 0), 0);
    }
}
