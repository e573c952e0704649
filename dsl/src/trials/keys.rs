//! The keys that all checks have, beside their subject, and all drills, beside their fault: their documentation, and the one list of each.

use crate::document::{Item, Value};
use model::{Field, KindInfo, Merge, Runtime, Taint};
use serde_json::{Map, Value as Json};

/// Name, what may stand there, what it is unless said, and documentation.
const KEYS: &[(&str, &str, &str, &str)] = &[
    ("doc", "string", "", "What it is for; shown where it does not pass."),
    (
        "from",
        "\"host\" or \"keel\"",
        "",
        "From where it is looked: from the host itself, or from where `keel` runs, against the host's address. The host unless said, but for what only `keel` can do, as `https://`.",
    ),
    (
        "severity",
        "\"warning\" or \"critical\"",
        "\"critical\"",
        "What it means to a monitor (`--exit monitor`) where it does not pass. Everywhere else it has failed either way.",
    ),
    ("timeout", "duration", "\"10s\"", "How long one try may take, such as `\"5s\"`."),
    (
        "when",
        "expression",
        "",
        "A CEL expression, such as `facts.os.id == 'debian'` or `'web' in host.groups`. Where it is false the check is not for this host.",
    ),
    (
        "within",
        "duration",
        "",
        "For how long it is tried again where it does not pass, such as `\"30s\"`; once unless said.",
    ),
];

/// Those that all drills have, beside their fault.
const DRILL_KEYS: &[(&str, &str, &str, &str)] = &[
    ("doc", "string", "", "What it is for; shown where it does not pass."),
    (
        "repair",
        "\"itself\", \"agent\", \"apply\" or \"undo\"",
        "",
        "Who makes the host even again: the host itself, as a service manager that starts again what has died; the agent of the host; an apply; or the end of the fault. As is usual for the fault, unless said. Whoever it is, the fault is taken back in the end.",
    ),
    ("seen", "duration", "\"10s\"", "Within what time those of `sees` see it."),
    (
        "sees",
        "string or list",
        "",
        "Who sees the fault: checks by their names, which fail then; `\"drift\"`, a plan that has a change; `\"agent\"`, a run of the agent of the host. `[]` where nobody need. To be said, but where `repair` is `\"agent\"`.",
    ),
    (
        "when",
        "expression",
        "",
        "A CEL expression, such as `facts.os.id == 'debian'` or `'web' in host.groups`. Where it is false the drill is not for this host.",
    ),
    (
        "within",
        "duration",
        "\"30s\"",
        "Within what time after that the host is even again: all checks pass, and a plan has no change.",
    ),
];

/// Two sorts of tables, each with keys of its own beside what it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Table {
    /// `[check.NAME]`
    Check,
    /// `[drill.NAME]`
    Drill,
}

impl Table {
    /// Its word in TOML.
    pub fn word(self) -> &'static str {
        match self {
            Self::Check => "check",
            Self::Drill => "drill",
        }
    }

    fn keys(self) -> &'static [(&'static str, &'static str, &'static str, &'static str)] {
        match self {
            Self::Check => KEYS,
            Self::Drill => DRILL_KEYS,
        }
    }

    /// The names of its common keys.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        self.keys().iter().map(|(name, ..)| *name)
    }
}

/// The documentation of the keys that all checks have, in the form of that of a kind's own keys.
pub fn check_fields() -> Vec<Field> {
    fields(Table::Check)
}

/// The same of drills.
pub fn drill_fields() -> Vec<Field> {
    fields(Table::Drill)
}

fn fields(table: Table) -> Vec<Field> {
    let field = |(name, expects, default, doc): &(&str, &str, &str, &str)| Field {
        name: (*name).to_owned(),
        doc: (*doc).to_owned(),
        expects: (*expects).to_owned(),
        required: false,
        default: (*default).to_owned(),
        merge: Merge::Equal,
        taint: Taint::Never,
        runtime: Runtime::Plain,
    };
    table.keys().iter().map(field).collect()
}

/// Prints numbers and booleans that come from a lone `{{ path }}`, where the key takes text.
pub fn print(info: &dyn KindInfo, item: &Item, map: &mut Map<String, Json>) {
    let Value::Table(table) = &item.value else { return };
    for field in info.fields().iter().filter(|field| field.expects == "string") {
        let is_template = |entry: &crate::document::Entry| crate::strings::holds_braces(&entry.item);
        let Some(value) = map.get_mut(&field.name) else { continue };
        if table.get(&field.name).is_some_and(is_template) && (value.is_number() || value.is_boolean()) {
            *value = Json::String(value.to_string());
        }
    }
}
