//! The keys that all checks have, beside their subject: their documentation, and the one list of them.

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

/// True where `key` is one that all checks have.
pub fn is_common(key: &str) -> bool {
    names().any(|name| name == key)
}

/// Their names.
pub fn names() -> impl Iterator<Item = &'static str> {
    KEYS.iter().map(|(name, ..)| *name)
}

/// Their documentation, in the form of that of a kind's own keys.
pub fn fields() -> Vec<Field> {
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
    KEYS.iter().map(field).collect()
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
