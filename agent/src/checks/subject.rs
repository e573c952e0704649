//! What a subject of checks is: one struct that is what is wanted, and one look at the host. It never changes one.

use super::ground::Ground;
use crate::kind::Listed;
use model::{Failure, Shortfall, Thing};

/// A subject: what is wanted, and how it is looked at.
pub trait Subject: Listed {
    /// What the host will be asked about, so that it can be asked in one go.
    fn things(&self) -> Vec<Thing> {
        Vec::new()
    }

    /// Looks once. Nothing is short where all is as wanted.
    ///
    /// # Errors
    /// It could not be told.
    fn look(&self, ground: &Ground<'_>) -> Result<Vec<Shortfall>, Failure>;
}
