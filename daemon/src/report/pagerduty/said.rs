//! What PagerDuty was told last, in the host's state: a restart is no news. What to tell is `letters`' business.

use agent::state::StateDir;
use model::Failure;
use serde::{Deserialize, Serialize};
use serde_json::Value;

const NAME: &str = "agent/pagerduty.state";

/// What was said last.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Said {
    /// The alert that is open: its details.
    pub(super) alert: Option<Value>,
    /// True where an alert may be open though none is known.
    pub(super) is_unsure: bool,
    /// The catalog that was told.
    pub(super) catalog: Option<String>,
    /// The bundle that was told, by its digest.
    pub(super) bundle: Option<String>,
}

impl Said {
    /// What was kept. Damaged, nobody knows whether an alert is open: that is told, and settled by the next look.
    ///
    /// # Errors
    /// The state cannot be read.
    pub(super) fn read(state: &StateDir) -> Result<(Self, Option<String>), Failure> {
        let Some(bytes) = state.read(NAME)? else { return Ok((Self::default(), None)) };
        Ok(match serde_json::from_slice(&bytes) {
            Ok(said) => (said, None),
            Err(error) => {
                let why: String = error.to_string().chars().filter(|it| !it.is_control()).take(200).collect();
                let text = format!("what was told before is damaged ({why}): the next look tells it anew");
                (Self { is_unsure: true, ..Self::default() }, Some(text))
            }
        })
    }

    /// Keeps it.
    ///
    /// # Errors
    /// It could not be written.
    pub(super) fn write(&self, state: &StateDir) -> Result<(), Failure> {
        let bytes = serde_json::to_vec(self).map_err(|error| Failure::io("describe", NAME, error))?;
        state.write(NAME, &bytes)
    }
}
