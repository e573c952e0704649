//! What every way of telling has. It is called by the loop, and must not keep it waiting.

use super::Told;
use crate::status::Status;
use model::Failure;
use std::time::Duration;

/// A way of telling.
pub trait Reporter {
    /// What it is called.
    fn name(&self) -> &'static str;

    /// Tells it, with the state that the agent is in by now.
    ///
    /// # Errors
    /// It could not be told.
    fn tell(&mut self, told: &Told, status: &Status) -> Result<(), Failure>;

    /// What has become of what was told before, where that takes its time.
    fn news(&mut self) -> News {
        News::default()
    }

    /// Waits for that, so long at most.
    fn flush(&mut self, _within: Duration) {}
}

/// What has become of what was told before.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct News {
    /// What the operator should know.
    pub notes: Vec<String>,
    /// Why it is not told, or that it is; `None` where that is known at once, by [`Reporter::tell`].
    pub trouble: Option<Option<String>>,
}
