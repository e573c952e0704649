//! Asks all who may know, of several resources at once.

use super::{audit, journal, noticed, packages, runs, times};
use crate::state::StateDir;
use crate::system::System;
use jiff::Timestamp;
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

    /// Takes up a trace.
    pub(super) fn tell(&mut self, about: About, at: Option<Timestamp>, (from, says): (String, String)) {
        // Always as many digits: they are sorted as text.
        let at = at.map_or_else(String::new, |at| format!("{at:.6}"));
        self.traces.insert(Trace { at, about, from, says });
    }

    /// When it was last as desired, and when it was last changed, as far as that is known.
    pub(super) fn span(&self) -> (Option<Timestamp>, Option<Timestamp>) {
        let of = |about: About| {
            let times = self.traces.iter().filter(move |trace| trace.about == about);
            times.filter_map(|trace| trace.at.parse::<Timestamp>().ok()).max()
        };
        (of(About::Good), of(About::When))
    }
}

/// Finds out what is known of each, in place.
pub fn find(found: &mut [Found], (system, state): (&dyn System, &StateDir)) {
    // Each asks with what those before it have found.
    times::find(found);
    told(runs::find(found, state), found, "earlier runs");
    told(noticed::find(found, state), found, "the agent of the host");
    told(packages::find(found), found, "dpkg");
    let accounts = system.accounts();
    told(accounts.and_then(|accounts| journal::find(found, &accounts)), found, "the journal");
    told(audit::find(found), found, "auditd");
}

/// Whether somebody went back to an older version of a package since the last run that changed the resource; false where nobody recorded it.
///
/// # Errors
/// It cannot be told.
pub fn went_back(found: &Found, state: &StateDir) -> Result<bool, Failure> {
    let mut one = [Found::new(found.id.clone(), found.things.clone())];
    runs::find(&mut one, state)?;
    let [one] = one;
    one.span().0.map_or(Ok(false), |since| packages::went_back(&one, since))
}

/// Who could not be asked is named.
fn told(asked: Result<(), Failure>, found: &mut [Found], who: &str) {
    if let Err(failure) = asked {
        let says = format!("could not be asked: {failure}");
        found.iter_mut().for_each(|one| one.tell(About::Unknown, None, (who.to_owned(), says.clone())));
    }
}
