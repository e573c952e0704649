//! What an exit code says. It never lies: 0 is only for "as desired, and known to be so".

use checks::Monitor;
use fleet::{End, Trouble};
use std::process::ExitCode;
use wire::Ending;

/// How `keel` ends, the most severe first: of several hosts the most severe one counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// Something failed, or could not be told.
    Failed,
    /// What was done was unwound.
    Reverted,
    /// A host could not be reached.
    Unreachable,
    /// Another run has the host.
    Locked,
    /// The command line, or the site, is wrong.
    Usage,
    /// Changes are pending.
    Pending,
    /// All is as desired.
    Fine,
    /// What monitors read, in place of all that: never of several hosts.
    Monitor(Monitor),
}

impl Exit {
    /// Of the work on one host.
    pub fn of(end: &End) -> Self {
        match end {
            End::Ended(Ending::Unchanged | Ending::Changed) => Self::Fine,
            End::Ended(Ending::Pending | Ending::Declined) => Self::Pending,
            End::Ended(Ending::Reverted) => Self::Reverted,
            End::Ended(Ending::Locked) => Self::Locked,
            End::Ended(Ending::Failed | Ending::Refused(_)) => Self::Failed,
            End::Trouble(trouble) if trouble.is_unreachable() => Self::Unreachable,
            End::Trouble(_) => Self::Failed,
            End::Refused(_) => Self::Usage,
        }
    }

    /// Of several hosts. Wrong input is all that went wrong, or it counts as a failure beside others.
    pub fn of_all(exits: impl IntoIterator<Item = Self>) -> Self {
        let exits: Vec<Self> = exits.into_iter().collect();
        let worst = exits.iter().min().copied().unwrap_or(Self::Fine);
        if worst < Self::Usage && exits.contains(&Self::Usage) { Self::Failed } else { worst }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Fine => 0,
            Exit::Failed => 1,
            Exit::Pending => 2,
            Exit::Usage => 3,
            Exit::Unreachable => 4,
            Exit::Reverted => 5,
            Exit::Locked => 6,
            Exit::Monitor(monitor) => monitor.code(),
        })
    }
}

/// What became of a host. Every host that is meant ends in exactly one of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// It was as desired.
    Unchanged,
    /// It is as desired now; of a plan or rehearsal: it would be changed.
    Changed,
    /// What was done there was unwound.
    Reverted,
    /// Something failed there, or could not be told.
    Failed,
    /// It was not reached.
    Unreachable,
    /// Nothing was done there, because somebody said so.
    Skipped,
}

/// All classes, in the order in which they are told.
pub const CLASSES: [Class; 6] =
    [Class::Unchanged, Class::Changed, Class::Failed, Class::Unreachable, Class::Skipped, Class::Reverted];

impl Class {
    /// What became of the host.
    pub fn of(end: &End) -> Self {
        match end {
            End::Ended(Ending::Unchanged) => Self::Unchanged,
            End::Ended(Ending::Changed | Ending::Pending) => Self::Changed,
            End::Ended(Ending::Reverted) => Self::Reverted,
            End::Ended(Ending::Declined) | End::Trouble(Trouble::NotTried | Trouble::Stopped { .. }) => {
                Self::Skipped
            }
            End::Ended(Ending::Locked | Ending::Failed | Ending::Refused(_)) | End::Refused(_) => {
                Self::Failed
            }
            End::Trouble(trouble) if trouble.is_unreachable() => Self::Unreachable,
            End::Trouble(_) => Self::Failed,
        }
    }

    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Unchanged => "unchanged",
            Self::Changed => "changed",
            Self::Failed => "failed",
            Self::Unreachable => "unreachable",
            Self::Skipped => "skipped",
            Self::Reverted => "reverted",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Class, Exit};
    use fleet::{End, Stage, Trouble};
    use wire::Ending;

    #[test]
    fn every_end_has_a_class_and_an_exit_code() {
        let lost = |stage| Trouble::Lost { stage, because: String::new() };
        let failure = model::Failure::Missing { what: "x".into() };
        for (end, class, exit) in [
            (End::Ended(Ending::Unchanged), Class::Unchanged, Exit::Fine),
            (End::Ended(Ending::Changed), Class::Changed, Exit::Fine),
            (End::Ended(Ending::Pending), Class::Changed, Exit::Pending),
            (End::Ended(Ending::Declined), Class::Skipped, Exit::Pending),
            (End::Ended(Ending::Reverted), Class::Reverted, Exit::Reverted),
            (End::Ended(Ending::Locked), Class::Failed, Exit::Locked),
            (End::Ended(Ending::Failed), Class::Failed, Exit::Failed),
            (End::Ended(Ending::Refused(failure)), Class::Failed, Exit::Failed),
            (End::Trouble(lost(Stage::Connect)), Class::Unreachable, Exit::Unreachable),
            (End::Trouble(lost(Stage::Run)), Class::Failed, Exit::Failed),
            (End::Trouble(Trouble::NotTried), Class::Skipped, Exit::Failed),
            (End::Trouble(Trouble::Stopped { stage: Stage::Upload }), Class::Skipped, Exit::Failed),
            (End::Refused(String::new()), Class::Failed, Exit::Usage),
        ] {
            assert_eq!((Class::of(&end), Exit::of(&end)), (class, exit), "{end:?}");
        }
    }

    #[test]
    fn the_most_severe_exit_counts() {
        use Exit::{Failed, Fine, Locked, Pending, Reverted, Unreachable, Usage};
        for (exits, all) in [
            (&[][..], Fine),
            (&[Fine, Pending, Fine], Pending),
            (&[Pending, Locked], Locked),
            (&[Locked, Unreachable], Unreachable),
            (&[Unreachable, Reverted], Reverted),
            (&[Unreachable, Failed, Fine], Failed),
            (&[Usage, Fine, Pending], Usage),
            (&[Usage, Unreachable], Failed),
        ] {
            assert_eq!(Exit::of_all(exits.iter().copied()), all, "{exits:?}");
        }
    }
}
