//! When a silent host is asked whether it is there, and when it is given up (`ServerAliveInterval` and `ServerAliveCountMax` of
//! ssh_config(5)). Only reckons; the pipe asks.

use crate::endpoint::Endpoint;
use std::time::{Duration, Instant};

/// libssh2 asks every two seconds at most, by a clock of its own.
const LEAST: Duration = Duration::from_millis(2100);

/// The state of one connection.
pub(super) struct Pulse {
    interval: Duration,
    count: u32,
    heard: Instant,
    /// Since when it owes an answer, and when it was asked last.
    asked: Option<(Instant, Instant)>,
}

/// What there is to do now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Beat {
    /// Nothing, for so long.
    Rest(Duration),
    /// Ask it.
    Ask,
    /// It has been silent for so long: it is gone.
    Gone(Duration),
}

impl Pulse {
    /// Starts now. An interval of zero means that it is never asked.
    pub(super) fn new(endpoint: &Endpoint, now: Instant) -> Self {
        let interval = endpoint.alive_interval;
        let interval = if interval.is_zero() { interval } else { interval.max(LEAST) };
        Self { interval, count: endpoint.alive_count, heard: now, asked: None }
    }

    /// Something has come from the host.
    pub(super) fn heard(&mut self, now: Instant) {
        self.heard = now;
        self.asked = None;
    }

    /// It has been asked.
    pub(super) fn asked(&mut self, now: Instant) {
        let since = self.asked.map_or(now, |(since, _)| since);
        self.asked = Some((since, now));
    }

    /// What there is to do. A host is given up after `interval * count` of silence, but never without having been asked: the time in which
    /// nobody listened to it does not count.
    pub(super) fn beat(&self, now: Instant) -> Beat {
        if self.interval.is_zero() {
            return Beat::Rest(Duration::MAX);
        }
        let Some((since, last)) = self.asked else {
            return Self::until(self.heard + self.interval, now);
        };
        // `ServerAliveCountMax 0` never gives up, as with ssh.
        let patience = self.interval * self.count.saturating_sub(1).max(1);
        if self.count > 0 && now >= since + patience {
            return Beat::Gone(now - self.heard);
        }
        Self::until(last + self.interval, now)
    }

    fn until(then: Instant, now: Instant) -> Beat {
        if now >= then { Beat::Ask } else { Beat::Rest(then - now) }
    }
}

#[cfg(test)]
mod tests {
    use super::{Beat, Pulse};
    use std::time::{Duration, Instant};

    /// Drives a pulse with a clock that jumps to what it wants next; the seconds at which it asked, and at which it gave up.
    fn silence(interval: u64, count: u32, listening_from: u64) -> (Vec<u64>, Option<u64>) {
        let start = Instant::now();
        let interval = Duration::from_secs(interval);
        let mut pulse = Pulse { interval, count, heard: start, asked: None };
        let mut now = start + Duration::from_secs(listening_from);
        let mut asked = Vec::new();
        while asked.len() < 9 {
            match pulse.beat(now) {
                Beat::Rest(Duration::MAX) => break,
                Beat::Rest(rest) => now += rest,
                Beat::Ask => {
                    asked.push((now - start).as_secs());
                    pulse.asked(now);
                }
                Beat::Gone(_) => return (asked, Some((now - start).as_secs())),
            }
        }
        (asked, None)
    }

    #[test]
    fn a_silent_host_is_asked_and_then_given_up() {
        assert_eq!(silence(15, 3, 0), (vec![15, 30], Some(45)));
        assert_eq!(silence(15, 1, 0), (vec![15], Some(30)));
        assert_eq!(silence(15, 3, 300), (vec![300, 315], Some(330)));
        assert_eq!(silence(0, 3, 0), (vec![], None));
        assert_eq!(silence(5, 0, 0), (vec![5, 10, 15, 20, 25, 30, 35, 40, 45], None));
    }

    #[test]
    fn an_answer_starts_it_anew() {
        let start = Instant::now();
        let second = Duration::from_secs(1);
        let mut pulse = Pulse { interval: second, count: 2, heard: start, asked: None };
        pulse.asked(start + second);
        pulse.heard(start + second);
        assert_eq!(pulse.beat(start + second), Beat::Rest(second));
    }
}
