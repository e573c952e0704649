//! Fights: a resource that somebody else changes again and again is left alone for a while, and then tried again. Pure: the time
//! comes in, in seconds since 1970. What is known of the other side is not its business.

use crate::settings::Limits;
use model::Id;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Nothing is left alone for longer at a time, in seconds.
const LONGEST: u64 = 24 * 3600;

/// What is known of each resource that was corrected lately.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Breaker {
    bouts: BTreeMap<Id, Bout>,
}

/// One resource's.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Bout {
    /// When it was corrected, the first time first.
    corrections: Vec<u64>,
    /// How often it has been left alone in this fight.
    trips: u32,
    /// Until when it is.
    until: u64,
}

/// A resource is left alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fight {
    /// How often it was corrected before that.
    pub corrections: usize,
    /// Until when, in seconds since 1970.
    pub until: u64,
}

impl Breaker {
    /// True where the resource may be corrected.
    pub fn allows(&self, id: &Id, now: u64) -> bool {
        self.bouts.get(id).is_none_or(|bout| !bout.is_open(now))
    }

    /// It was corrected; tells where it is left alone from now on. After a pause it has one chance: the second correction within the
    /// time is one too many.
    pub fn corrected(&mut self, id: &Id, limits: &Limits, now: u64) -> Option<Fight> {
        let bout = self.bouts.entry(id.clone()).or_default();
        bout.calm(limits, now);
        bout.corrections.push(now);
        let most = if bout.trips > 0 { 1 } else { limits.corrections };
        if bout.corrections.len() <= most {
            return None;
        }
        let pause = limits.pause.saturating_mul(1 << bout.trips.min(20)).min(LONGEST);
        let corrections = bout.corrections.len();
        *bout = Bout { corrections: Vec::new(), trips: bout.trips + 1, until: now + pause };
        Some(Fight { corrections, until: bout.until })
    }

    /// Forgets fights that are over, and tells which: nobody was corrected for long enough since.
    pub fn settle(&mut self, limits: &Limits, now: u64) -> Vec<Id> {
        let mut over = Vec::new();
        self.bouts.retain(|id, bout| {
            let had_fought = bout.trips > 0;
            bout.calm(limits, now);
            if had_fought && bout.trips == 0 {
                over.push(id.clone());
            }
            *bout != Bout::default()
        });
        over
    }

    /// Who was corrected more than once lately, and may come to be fought over.
    pub fn busy(&self) -> impl Iterator<Item = &Id> {
        self.bouts.iter().filter(|(_, bout)| bout.corrections.len() > 1).map(|(id, _)| id)
    }

    /// Who is left alone at this time, and until when.
    pub fn open(&self, now: u64) -> impl Iterator<Item = (&Id, u64)> {
        self.bouts.iter().filter(move |(_, bout)| bout.is_open(now)).map(|(id, bout)| (id, bout.until))
    }

    /// When somebody who is left alone may be tried again; `None` where nobody is.
    pub fn next(&self, now: u64) -> Option<u64> {
        self.open(now).map(|(_, until)| until).min()
    }
}

impl Bout {
    /// True while it is left alone. Nobody is for longer than that: a clock that was set back makes no fight longer.
    fn is_open(&self, now: u64) -> bool {
        self.until > now && self.until <= now + LONGEST
    }

    /// Forgets what is too long ago, and what is still to come, where the clock was set back.
    fn calm(&mut self, limits: &Limits, now: u64) {
        self.corrections.retain(|then| *then <= now && then + limits.within > now);
        let is_over = self.until + limits.within <= now || self.until > now + LONGEST;
        if is_over && self.corrections.is_empty() {
            *self = Self::default();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Breaker, Fight, LONGEST};
    use crate::settings::Limits;
    use model::Id;

    fn id() -> Id {
        Id::new("file", "/etc/motd")
    }

    fn limits() -> Limits {
        Limits { corrections: 5, within: 600, pause: 300 }
    }

    /// Corrects at each of these times; when it tripped, and until when.
    fn trips(breaker: &mut Breaker, times: &[u64]) -> Vec<(u64, u64)> {
        let mut found = Vec::new();
        for now in times {
            assert!(breaker.allows(&id(), *now), "{now}");
            found.extend(breaker.corrected(&id(), &limits(), *now).map(|fight| (*now, fight.until)));
        }
        found
    }

    #[test]
    fn more_than_so_many_in_so_long_is_a_fight() {
        let rare: Vec<u64> = (0..20).map(|at| 1000 + at * 121).collect();
        assert_eq!(trips(&mut Breaker::default(), &rare), []);
        let mut breaker = Breaker::default();
        assert_eq!(trips(&mut breaker, &[1000, 1001, 1002, 1003, 1599, 1599]), [(1599, 1899)]);
        assert!(!breaker.allows(&id(), 1898) && breaker.allows(&id(), 1899));
        assert!(breaker.allows(&Id::new("file", "/etc/issue"), 1700));
        assert_eq!((breaker.next(1700), breaker.next(1899)), (Some(1899), None));
    }

    #[test]
    fn one_that_goes_on_is_left_alone_for_longer_each_time() {
        let mut breaker = Breaker::default();
        assert_eq!(trips(&mut breaker, &[0, 0, 0, 0, 0, 0]), [(0, 300)]);
        assert_eq!(trips(&mut breaker, &[300, 301]), [(301, 901)]);
        assert_eq!(trips(&mut breaker, &[901, 902]), [(902, 2102)]);
        let mut now = 2102;
        for _ in 0..20 {
            now = trips(&mut breaker, &[now, now + 1])[0].1;
        }
        let fight = breaker.corrected(&id(), &limits(), now);
        assert_eq!(fight, None);
        let fight = breaker.corrected(&id(), &limits(), now).unwrap();
        assert_eq!(fight, Fight { corrections: 2, until: now + LONGEST });
    }

    #[test]
    fn a_fight_is_over_when_nothing_was_corrected_for_long_enough() {
        let mut breaker = Breaker::default();
        trips(&mut breaker, &[0, 0, 0, 0, 0, 0]);
        assert_eq!(breaker.settle(&limits(), 899), []);
        assert_eq!(breaker.clone().settle(&limits(), 900), [id()]);
        assert_eq!(trips(&mut breaker, &[850]), []);
        assert_eq!(breaker.settle(&limits(), 1449), []);
        assert_eq!(breaker.settle(&limits(), 1450), [id()]);
        assert_eq!(breaker, Breaker::default());
        assert_eq!(trips(&mut breaker, &[2000, 2000, 2000, 2000, 2000]), []);
    }

    #[test]
    fn a_clock_that_was_set_back_leaves_nobody_alone_for_years() {
        let mut breaker = Breaker::default();
        let years = 10 * 365 * LONGEST;
        assert_eq!(trips(&mut breaker, &[years; 6]), [(years, years + 300)]);
        assert!(!breaker.allows(&id(), years - 60), "a little");
        assert!(breaker.allows(&id(), 1000) && breaker.next(1000).is_none());
        assert_eq!(breaker.settle(&limits(), 1000), [id()]);
        assert_eq!(trips(&mut breaker, &[years; 5]), []);
        assert_eq!(trips(&mut breaker, &[1000; 5]), [], "what is to come does not count");
    }

    #[test]
    fn it_is_kept_and_read_again() {
        let mut breaker = Breaker::default();
        trips(&mut breaker, &[0, 0, 0, 0, 0, 0]);
        let text = serde_json::to_string(&breaker).unwrap();
        assert_eq!(serde_json::from_str::<Breaker>(&text).unwrap(), breaker);
    }
}
