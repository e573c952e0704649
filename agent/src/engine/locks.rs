//! Resources that somebody has locked: what would change them is left out, and what stands behind them with it.

use glob::Pattern;
use model::{Failure, Id};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

/// How the reason of a node begins that was left out because it is locked.
pub const LOCKED: &str = "locked by ";

/// Patterns over ids, each with why what it matches is not to change.
#[derive(Clone, Debug, Default)]
pub struct Locks {
    is_honoured: bool,
    all: Arc<OnceLock<Vec<(Pattern, String)>>>,
    was_met: Arc<AtomicBool>,
}

impl Locks {
    /// Those of the host, as they are found when it is ours. By default there are none, whatever is found.
    pub fn honoured() -> Self {
        Self { is_honoured: true, ..Self::default() }
    }

    /// True where it matters what is locked.
    pub fn are_honoured(&self) -> bool {
        self.is_honoured
    }

    /// Takes what was found, once: pairs of a pattern and a reason, which begins with [`LOCKED`].
    ///
    /// # Errors
    /// A pattern is none.
    pub fn find(&self, all: impl IntoIterator<Item = (String, String)>) -> Result<(), Failure> {
        let all = all.into_iter().map(|(pattern, because)| Ok((matcher(&pattern)?, because)));
        let all = all.collect::<Result<Vec<_>, Failure>>()?;
        self.all.get_or_init(|| all);
        Ok(())
    }

    /// Why the resource is not to change; `None` where it may.
    pub fn on(&self, id: &Id) -> Option<&str> {
        let (all, id) = (self.all.get()?, id.to_string());
        let found = all.iter().find(|(matcher, _)| matcher.matches(&id));
        found.map(|(_, because)| because.as_str())
    }

    /// Writes down that a resource was left out for a lock.
    pub(super) fn meet(&self) {
        self.was_met.store(true, Ordering::Relaxed);
    }

    /// True where a run left out a resource for a lock.
    pub fn were_met(&self) -> bool {
        self.was_met.load(Ordering::Relaxed)
    }
}

/// A pattern over ids, such as `file./etc/nginx/*`; a star stands for slashes as well.
pub fn matcher(pattern: &str) -> Result<Pattern, Failure> {
    Pattern::new(pattern).map_err(|error| {
        Failure::refused(
            format!("`{pattern}` matches no resources: {error}"),
            "write it as 'file./etc/nginx/*'",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::Locks;
    use model::Id;

    #[test]
    fn a_pattern_is_about_whole_ids() {
        let locks = Locks::honoured();
        locks.find([("file./etc/nginx/*".to_owned(), "locked by ann".to_owned())]).unwrap();
        for (id, is_locked) in [
            (Id::new("file", "/etc/nginx/nginx.conf"), true),
            (Id::new("file", "/etc/nginx/sites/a"), true),
            (Id::new("file", "/etc/nginx"), false),
            (Id::new("directory", "/etc/nginx/sites"), false),
        ] {
            assert_eq!(locks.on(&id), is_locked.then_some("locked by ann"), "{id}");
        }
        assert!(Locks::honoured().find([("file.[".to_owned(), String::new())]).is_err());
    }
}
