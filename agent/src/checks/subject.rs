//! What a subject of checks is: one struct that is what is wanted, and one look at the host. It never changes one.

use super::ground::Ground;
use model::{CheckSide, Failure, Problem, Shortfall, Thing};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;

/// A subject. The struct is what is wanted: its fields are the keys in TOML, their doc comments the reference.
pub trait Subject: DeserializeOwned + JsonSchema + Send + Sync + 'static {
    /// The word in TOML.
    const NAME: &'static str;
    /// The key that a value stands for that is no table.
    const SHORT: &'static str;
    /// A check in TOML that compiles.
    const EXAMPLE: &'static str;

    /// Problems that types cannot express, by field.
    fn problems(&self) -> Vec<Problem>;

    /// From where it can be looked at; the usual side comes first.
    fn sides(&self) -> &'static [CheckSide] {
        &[CheckSide::Host]
    }

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
