//! What is due, and when: whom something happened to, the look at everything, and the schedule that it comes by. Pure: the time comes in. It
//! looks at nothing itself; `control_loop` has it looked at.

use crate::interest::{Hit, Who};
use crate::report::Cause;
use crate::schedule::Schedule;
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

/// Who wakes us for nothing again and again is listened to less: at most once in so long.
const DEAF: Duration = Duration::from_secs(30);

/// So often somebody may wake us for nothing before he is listened to less.
const PATIENT: u32 = 3;

/// What is due.
pub struct Agenda {
    schedule: Schedule,
    /// When everything is looked at by schedule, in seconds since 1970.
    next: u64,
    due: BTreeMap<Who, Instant>,
    everything: Option<Cause>,
    /// When another run may have left the host.
    again: Option<Instant>,
    /// Who woke us for nothing: how often, and when he did last.
    noise: BTreeMap<Who, (u32, Instant)>,
}

impl Agenda {
    /// Nothing is due before the schedule says so; `now` is in seconds since 1970.
    pub fn new(schedule: Schedule, now: u64) -> Self {
        let (due, noise) = Default::default();
        Self { schedule, next: schedule.after(now), due, everything: None, again: None, noise }
    }

    /// By another schedule from `now` on.
    pub fn follow(&mut self, schedule: Schedule, now: u64) {
        (self.schedule, self.next) = (schedule, schedule.after(now));
    }

    /// When everything is looked at by schedule.
    pub fn next(&self) -> u64 {
        self.next
    }

    /// Has everything looked at, if it is time. A clock that was set may have gone by it, or be too far before it.
    pub fn mind_clock(&mut self, now: u64) {
        if self.next <= now || self.next > now + self.schedule.every() {
            self.next = self.schedule.after(now);
            self.want_everything(Cause::Schedule);
        }
    }

    /// Has everything looked at; the cause is the first that was said.
    pub fn want_everything(&mut self, cause: Cause) {
        self.everything.get_or_insert(cause);
    }

    /// What everything is to be looked at for.
    pub fn everything(&self) -> Option<Cause> {
        self.everything
    }

    /// The same; from now on it is not to be looked at any more.
    pub fn take_everything(&mut self) -> Option<Cause> {
        self.everything.take()
    }

    /// Something happened to somebody: he is due when that is over. Who is due already stays so.
    pub fn hit(&mut self, (who, millis): Hit, now: Instant) {
        let mut delay = Duration::from_millis(millis.into());
        if let Some((count, last)) = self.noise.get(&who)
            && *count > PATIENT
        {
            let quiet = Duration::from_millis(50 << (count - PATIENT).min(10)).min(DEAF);
            delay = delay.max(quiet.saturating_sub(now.duration_since(*last)));
        }
        self.due.entry(who).or_insert(now + delay);
    }

    /// He is due at this time, whatever was said before.
    pub fn put(&mut self, who: Who, at: Instant) {
        self.due.insert(who, at);
    }

    /// He is not due any more.
    pub fn done(&mut self, who: Who) {
        self.due.remove(&who);
    }

    /// True where he is due by now.
    pub fn is_due(&self, who: Who, now: Instant) -> bool {
        self.due.get(&who).is_some_and(|due| *due <= now)
    }

    /// The nodes that are due by now, and are so no more.
    pub fn take_nodes(&mut self, now: Instant) -> BTreeSet<u32> {
        let ready = |(who, due): (&Who, &Instant)| match who {
            Who::Node(at) if *due <= now => Some(*at),
            _ => None,
        };
        let nodes: BTreeSet<u32> = self.due.iter().filter_map(ready).collect();
        self.due.retain(|who, _| !matches!(who, Who::Node(at) if nodes.contains(at)));
        nodes
    }

    /// No node is due: all are looked at.
    pub fn forget_nodes(&mut self) {
        self.due.retain(|who, _| !matches!(who, Who::Node(_)));
    }

    /// He was looked at, and there was nothing to be done.
    pub fn was_nothing(&mut self, who: Who, now: Instant) {
        let (count, last) = self.noise.get(&who).copied().unwrap_or((0, now));
        let count = if now.duration_since(last) < DEAF { count + 1 } else { 1 };
        self.noise.insert(who, (count, now));
    }

    /// He was looked at, and there was.
    pub fn was_something(&mut self, who: Who) {
        self.noise.remove(&who);
    }

    /// Another run has the host: nothing is looked at before `until`.
    pub fn wait_until(&mut self, until: Instant) {
        self.again = Some(until);
    }

    /// True while another run is waited for.
    pub fn is_waiting(&self) -> bool {
        self.again.is_some()
    }

    /// Waits no longer, if it is time.
    pub fn mind_waiting(&mut self, now: Instant) {
        if self.again.is_some_and(|again| again <= now) {
            self.again = None;
        }
    }

    /// True where there is nothing to be done now.
    pub fn is_idle(&self, now: Instant) -> bool {
        let is_due = self.everything.is_some() || self.due.values().any(|due| *due <= now);
        self.again.is_some() || !is_due
    }

    /// When there is something to be done next, beside the schedule.
    pub fn soonest(&self) -> Option<Instant> {
        self.again.or_else(|| self.due.values().copied().min())
    }

    /// The same in a pause, in which settings are read and a program makes way for another.
    pub fn heeded(&self) -> Option<Instant> {
        [Who::Settings, Who::Site].iter().filter_map(|who| self.due.get(who).copied()).min()
    }
}

#[cfg(test)]
mod tests {
    use super::{Agenda, DEAF};
    use crate::interest::Who;
    use crate::report::Cause;
    use crate::schedule::Schedule;
    use std::collections::BTreeSet;
    use std::time::{Duration, Instant};

    const A: Who = Who::Node(0);
    const B: Who = Who::Node(1);

    fn agenda() -> Agenda {
        Agenda::new(Schedule::new(60, 0), 30)
    }

    #[test]
    fn everything_is_wanted_when_it_is_time_and_when_the_clock_was_set() {
        for (now, next, cause) in [
            (59, 60, None),
            (60, 120, Some(Cause::Schedule)),
            (1000, 1020, Some(Cause::Schedule)),
            (0, 60, None),
        ] {
            let mut agenda = agenda();
            agenda.mind_clock(now);
            assert_eq!((agenda.next(), agenda.take_everything()), (next, cause), "{now}");
        }
        let mut back = Agenda::new(Schedule::new(60, 0), 1_000_000);
        back.mind_clock(30);
        assert_eq!((back.next(), back.everything()), (60, Some(Cause::Schedule)), "far before it");
        let mut little = Agenda::new(Schedule::new(60, 0), 100);
        little.mind_clock(59);
        assert_eq!((little.next(), little.everything()), (60, Some(Cause::Schedule)), "a period before it");
        back.want_everything(Cause::Event);
        assert_eq!(back.everything(), Some(Cause::Schedule), "the first cause counts");
    }

    #[test]
    fn who_is_hit_is_due_once_when_it_is_over() {
        let (mut agenda, now) = (agenda(), Instant::now());
        agenda.hit((A, 100), now);
        agenda.hit((A, 100), now + Duration::from_millis(60));
        agenda.hit((B, 4), now);
        agenda.put(Who::Site, now);
        assert_eq!(agenda.soonest(), Some(now));
        assert!(!agenda.is_due(A, now + Duration::from_millis(99)));
        let later = now + Duration::from_millis(100);
        assert!(agenda.is_due(A, later) && !agenda.is_idle(later));
        assert_eq!(agenda.take_nodes(now + Duration::from_millis(4)), BTreeSet::from([1]));
        assert_eq!(agenda.take_nodes(later), BTreeSet::from([0]));
        assert_eq!(agenda.take_nodes(later), BTreeSet::new());
        assert!(agenda.is_due(Who::Site, now), "no node");
    }

    #[test]
    fn who_wakes_us_for_nothing_is_listened_to_less_until_there_is_something() {
        let (mut agenda, now) = (agenda(), Instant::now());
        let mut waits = Vec::new();
        for _ in 0..20 {
            agenda.was_nothing(A, now);
            agenda.hit((A, 4), now);
            waits.push(agenda.soonest().unwrap() - now);
            agenda.forget_nodes();
        }
        let millis = [4, 4, 4, 100, 200, 400].map(Duration::from_millis);
        assert_eq!((&waits[..6], waits[19]), (&millis[..], DEAF));
        agenda.was_something(A);
        agenda.hit((A, 4), now);
        assert_eq!(agenda.soonest(), Some(now + Duration::from_millis(4)));
    }

    #[test]
    fn while_another_run_has_the_host_nothing_is_done() {
        let (mut agenda, now) = (agenda(), Instant::now());
        agenda.want_everything(Cause::Start);
        assert!(!agenda.is_idle(now));
        let until = now + Duration::from_millis(500);
        agenda.wait_until(until);
        assert!(agenda.is_idle(now) && agenda.is_waiting() && agenda.soonest() == Some(until));
        agenda.mind_waiting(now);
        assert!(agenda.is_waiting());
        agenda.mind_waiting(until);
        assert!(!agenda.is_waiting() && !agenda.is_idle(until));
    }

    #[test]
    fn in_a_pause_settings_and_the_site_are_heeded_and_no_node() {
        let (mut agenda, now) = (agenda(), Instant::now());
        agenda.put(A, now);
        assert_eq!(agenda.heeded(), None);
        agenda.put(Who::Settings, now + DEAF);
        assert_eq!(agenda.heeded(), Some(now + DEAF));
        agenda.done(Who::Settings);
        assert_eq!(agenda.heeded(), None);
    }
}
