//! The forecast as one node sees it: it notes when the node asked for something that cannot be known before the run.

use super::{Attempt, Candidates, Entry, Layer, Look, System, Touched};
use model::{Command, Failure, HostPath, Op, UnitState};
use std::sync::{Arc, Mutex, PoisonError};

/// A layer as seen by one node, behind whose back `pending` will act: packages that are to be installed and commands
/// that are to run may bring anything that is not there yet.
pub struct View<'a> {
    layer: &'a Layer<'a>,
    pending: Option<&'a str>,
    unknown: Mutex<Option<String>>,
}

impl<'a> View<'a> {
    /// `pending` says in words what acts first, such as `package.nginx will be installed`.
    pub fn new(layer: &'a Layer<'a>, pending: Option<&'a str>) -> Self {
        Self { layer, pending, unknown: Mutex::new(None) }
    }

    /// What the node asked for that cannot be known, and why.
    pub fn unknown(&self) -> Option<String> {
        self.unknown.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn note<T>(&self, what: impl FnOnce() -> String, found: Option<T>) -> Option<T> {
        if let (None, Some(pending)) = (&found, self.pending) {
            let mut unknown = self.unknown.lock().unwrap_or_else(PoisonError::into_inner);
            unknown.get_or_insert_with(|| format!("{pending} and may bring {}", what()));
        }
        found
    }
}

impl System for View<'_> {
    fn below(&self) -> &dyn System {
        self.layer
    }

    fn look(&self, path: &HostPath, look: Look) -> Result<Option<Entry>, Failure> {
        let found = self.layer.look(path, look)?;
        if self.layer.is_predicted(path) { Ok(found) } else { Ok(self.note(|| path.to_string(), found)) }
    }

    fn candidates(&self, name: &str, release: Option<&str>) -> Result<Arc<Candidates>, Failure> {
        let found = self.layer.candidates(name, release)?;
        // What acts first may be what brings the source of the package.
        self.note(|| format!("a source of the package {name}"), found.candidate.as_ref());
        Ok(found)
    }

    fn unit(&self, name: &str) -> Result<Option<UnitState>, Failure> {
        Ok(self.note(|| name.to_owned(), self.layer.unit(name)?))
    }

    /// A node looks through a view only where something before it changes: then a guard's answer need not last, and one
    /// that cannot be had yet may come.
    fn guard(&self, command: &Command) -> Result<i32, Failure> {
        let mut unknown = self.unknown.lock().unwrap_or_else(PoisonError::into_inner);
        unknown
            .get_or_insert_with(|| "its guard is asked again when what comes before it is done".to_owned());
        drop(unknown);
        self.layer.guard(command)
    }

    fn clean(&self, _op: &Op, _tag: &str) -> Result<(), Failure> {
        Ok(())
    }

    fn execute(&self, _op: &Op, _attempt: &Attempt) -> Result<Touched, Failure> {
        unreachable!("a view is only read: ops are predicted on the layer")
    }
}
