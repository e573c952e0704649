//! What each thing that is told is called: the word in its `event`.

use super::What;
use crate::EventName;

impl What {
    /// Its name.
    pub fn name(&self) -> EventName {
        match self {
            Self::Started { .. } => EventName::Started,
            Self::Stopped => EventName::Stopped,
            Self::Catalog { .. } => EventName::Catalog,
            Self::NoCatalog { .. } => EventName::NoCatalog,
            Self::Bundle { .. } => EventName::Bundle,
            Self::Refused { .. } => EventName::Refused,
            Self::Looked { .. } => EventName::Looked,
            Self::Drift { .. } => EventName::Drift,
            Self::Corrected { .. } => EventName::Corrected,
            Self::Held { .. } => EventName::Held,
            Self::Failed { .. } => EventName::Failed,
            Self::Even { .. } => EventName::Even,
            Self::Fight { .. } => EventName::Fight,
            Self::FightOver { .. } => EventName::FightOver,
            Self::Paused { .. } => EventName::Paused,
            Self::Resumed => EventName::Resumed,
            Self::Unwatched { .. } => EventName::Unwatched,
            Self::Note { .. } => EventName::Note,
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::EventName;
    use crate::report::{Cause, What};
    use crate::source::Bundle;
    use model::{Because, Id, Report};

    /// One of each.
    fn all() -> Vec<What> {
        let (id, text) = (|| Id::new("file", "/a"), String::new);
        let (site, sha256, signer, key, from) = (text(), text(), text(), text(), text());
        let bundle = Bundle { site, counter: 1, sha256, signer, key, since: 1, from };
        let (report, cause) = (Report::default(), Cause::Start);
        vec![
            What::Started { source: text() },
            What::Stopped,
            What::Catalog { resources: 1, warnings: Vec::new() },
            What::NoCatalog { why: text() },
            What::Bundle { bundle },
            What::Refused { why: text(), counter: None },
            What::Looked { cause, report, millis: 1 },
            What::Drift { id: id(), changes: Vec::new(), left: text() },
            What::Corrected { id: id(), because: Because::Drift, changes: Vec::new(), run: None },
            What::Held { id: id(), left: text() },
            What::Failed { id: id(), why: text() },
            What::Even { id: id() },
            What::Fight { id: id(), corrections: 1, until: text(), other: text() },
            What::FightOver { id: id() },
            What::Paused { words: text() },
            What::Resumed,
            What::Unwatched { what: text(), why: text() },
            What::Note { text: text() },
        ]
    }

    #[test]
    fn what_is_told_is_called_as_the_settings_and_the_guide_call_it() {
        let guide = include_str!("../../../docs/guide/agent.md");
        let mut met = Vec::new();
        for what in all() {
            let told = serde_json::to_value(&what).unwrap();
            assert_eq!(told["event"], serde_json::to_value(what.name()).unwrap());
            let name = told["event"].as_str().unwrap().to_owned();
            assert!(guide.contains(&format!("`{name}`")), "docs/guide/agent.md has no `{name}`");
            met.push(name);
        }
        let refused = serde_json::from_str::<EventName>("\"dritf\"").unwrap_err().to_string();
        met.dedup();
        assert_eq!(refused.matches('`').count() / 2 - 1, met.len(), "{refused}");
    }
}
