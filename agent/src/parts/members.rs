//! What the kinds `user` and `group` share: the rule for names, and who is to be in a group.

use model::Problem;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Whether a list of members, or of groups, is all of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Membership {
    /// Those listed, and any others that are there.
    #[default]
    Minimum,
    /// Those listed, and no others.
    Inclusive,
}

impl Membership {
    /// All that will be there, where that is not what is there `now`.
    pub fn change(
        self,
        now: &BTreeSet<String>,
        wanted: Option<&BTreeSet<String>>,
    ) -> Option<BTreeSet<String>> {
        let wanted = wanted?;
        let all = match self {
            Self::Minimum => now | wanted,
            Self::Inclusive => wanted.clone(),
        };
        (all != *now).then_some(all)
    }

    /// A problem where it is inclusive and `key` does not say of what.
    pub fn problem(self, key: &str, wanted: Option<&BTreeSet<String>>) -> Option<Problem> {
        (self == Self::Inclusive && wanted.is_none()).then(|| {
            let problem = Problem::at("membership", format!("inclusive of what? `{key}` is missing"));
            problem.help(format!("write {key} = [...], or {key} = [] for none"))
        })
    }
}

/// A problem where `name` is none for a user or group. As strict as useradd(8) of Debian 13, but for capitals.
pub fn name_problem(what: &str, name: &str) -> Option<Problem> {
    let bare = name.strip_suffix('$').unwrap_or(name);
    let starts = bare.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    let fits = bare.chars().all(|c| c.is_ascii_alphanumeric() || "_-.".contains(c));
    (!starts || !fits || name.len() > 32).then(|| {
        let help = "a name has at most 32 letters, digits, `_`, `-` and `.`, the first a letter or `_`";
        Problem::whole(format!("`{}` is no name of a {what}", name.escape_debug())).help(help)
    })
}

/// Names as they stand in a diff.
pub fn list(names: &BTreeSet<String>) -> String {
    if names.is_empty() { "none".to_owned() } else { names.iter().cloned().collect::<Vec<_>>().join(", ") }
}
