//! Asks all who may know, of several resources at once.

use super::{audit, journal, noticed, packages, runs, times};
use crate::state::StateDir;
use model::{About, Failure, Id, Thing, Trace};
use std::collections::BTreeSet;
use std::path::Path;

/// A resource that was changed.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// Which.
    pub id: Id,
    /// What it owns on the host.
    pub things: Vec<Thing>,
    /// What is known, so far.
    pub traces: BTreeSet<Trace>,
}

impl Found {
    /// Nothing is known yet.
    pub fn new(id: Id, things: Vec<Thing>) -> Self {
        Self { id, things, traces: BTreeSet::new() }
    }

    /// The paths it owns.
    pub(super) fn paths(&self) -> impl Iterator<Item = &Path> {
        self.things.iter().filter_map(|thing| match thing {
            // A view of the kernel has no times of its own.
            Thing::Path(path) if !path.as_path().starts_with("/proc") => Some(path.as_path()),
            _ => None,
        })
    }

    /// Takes up a trace. `at` is in seconds since 1970.
    pub(super) fn tell(&mut self, about: About, at: Option<i64>, (from, says): (String, String)) {
        let at = at.map_or_else(String::new, time);
        self.traces.insert(Trace { at, about, from, says });
    }

    /// When it was last as desired, and when it was last changed, in seconds since 1970, as far as that is known.
    pub(super) fn span(&self) -> (Option<i64>, Option<i64>) {
        let of = |about: About| {
            let times = self.traces.iter().filter(move |trace| trace.about == about);
            times
                .filter_map(|trace| trace.at.parse::<jiff::Timestamp>().ok())
                .map(jiff::Timestamp::as_second)
                .max()
        };
        (of(About::Good), of(About::When))
    }
}

/// Finds out what is known of each, in place.
pub fn find(found: &mut [Found], state: &StateDir) {
    // Each asks with what those before it have found.
    times::find(found);
    told(runs::find(found, state), found, "earlier runs");
    told(noticed::find(found, state), found, "the agent of the host");
    told(packages::find(found), found, "dpkg");
    told(journal::find(found), found, "the journal");
    told(audit::find(found), found, "auditd");
}

/// Who could not be asked is named.
fn told(asked: Result<(), Failure>, found: &mut [Found], who: &str) {
    if let Err(failure) = asked {
        let says = format!("could not be asked: {failure}");
        found.iter_mut().for_each(|one| one.tell(About::Unknown, None, (who.to_owned(), says.clone())));
    }
}

/// Seconds since 1970 as RFC 3339 in UTC.
fn time(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds).map_or_else(|_| String::new(), |time| time.to_string())
}
