//! A decoded check, as whoever runs it sees it.

use super::ground::Ground;
use super::subject::Subject;
use model::{Failure, Shortfall, Thing};
use serde_json::Value;

/// What can be looked at.
pub(super) trait Look: Send + Sync {
    /// What the host will be asked about.
    fn things(&self) -> Vec<Thing>;
    /// Looks once, as of [`Subject::look`].
    fn look(&self, ground: &Ground<'_>) -> Result<Vec<Shortfall>, Failure>;
}

impl<S: Subject> Look for S {
    fn things(&self) -> Vec<Thing> {
        Subject::things(self)
    }

    fn look(&self, ground: &Ground<'_>) -> Result<Vec<Shortfall>, Failure> {
        Subject::look(self, ground)
    }
}

/// Decodes what came over the wire: the compiler has checked it, or somebody else has sent it.
pub(super) fn look_of<S: Subject>(params: &Value) -> Result<Box<dyn Look>, Failure> {
    let wrong = |why: String| {
        Failure::refused(format!("this is no check of a {}: {why}", S::NAME), "compile it again")
    };
    let subject = S::deserialize(params).map_err(|error| wrong(error.to_string()))?;
    match subject.problems().first() {
        None => Ok(Box::new(subject)),
        Some(problem) => Err(wrong(problem.message.clone())),
    }
}
