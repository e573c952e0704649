//! The key `ensure` of the kinds that know only two answers.

use model::{Claim, Presence, Thing};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Whether a thing is to be there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Ensure {
    /// It is there.
    #[default]
    Present,
    /// It is not there.
    Absent,
}

impl Ensure {
    /// The claim that goes with it.
    pub fn claim(self, thing: Thing) -> Claim {
        let presence = match self {
            Self::Present => Presence::Present,
            Self::Absent => Presence::Absent,
        };
        Claim { thing, presence }
    }
}
