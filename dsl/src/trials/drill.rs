//! One `[drill.NAME]`: its common keys, its one fault, and the fault's keys. Whom it names is looked up when all files have been read.

use super::check::Reader;
use super::keys::Table as Sort;
use crate::document::{Entry, Item, Table, Value};
use crate::findings::Findings;
use crate::source::Extent;
use crate::strings::Strings;
use crate::turns;
use model::{DrillSpec, Repair, Sight, SubjectInfo};

/// A drill for this host, with the places of the checks that it names.
pub struct Read {
    /// The drill; its checks are called as its file calls them.
    pub drill: DrillSpec,
    /// Where each of `sees` stands.
    pub places: Vec<Extent>,
}

/// Within so many seconds a fault is seen, unless said.
const SEEN: u64 = 10;
/// Within so many seconds a host is even again, unless said.
const WITHIN: u64 = 30;

/// Reads one drill; `None` where it is not for this host, or what is wrong with it has been told.
pub fn drill(
    entry: &Entry,
    strings: Strings<'_>,
    faults: &[&dyn SubjectInfo],
    findings: &mut Findings,
) -> Option<Read> {
    let before = findings.errors();
    let mut reader = Reader { sort: Sort::Drill, strings, subjects: faults, findings, name: &entry.key };
    let table = reader.table(entry)?;
    let fault = reader.subject(entry.at, table);
    let is_meant = table.get("when").map(|when| turns::holds(strings, &when.item, reader.findings));
    if is_meant.is_some_and(|holds| holds != Some(true)) {
        return None;
    }
    let repair = repair(&mut reader, table);
    let (sees, places) = sees(&mut reader, (entry, table), repair);
    let doc = table.get("doc").and_then(|entry| reader.text("doc", &entry.item)).unwrap_or_default();
    let (seen, within) = (time(&mut reader, table, "seen"), time(&mut reader, table, "within"));
    let (info, item) = fault?;
    let params = reader.params(info, item)?;
    let drill = DrillSpec {
        name: entry.key.clone(),
        sort: info.name().to_owned(),
        params,
        doc,
        sees,
        seen: seen.unwrap_or(SEEN),
        repair,
        within: within.unwrap_or(WITHIN),
        origin: strings.source.origin(entry.at),
    };
    (findings.errors() == before).then_some(Read { drill, places })
}

fn time(reader: &mut Reader<'_>, table: &Table, key: &str) -> Option<u64> {
    let entry = table.get(key)?;
    let text = reader.text(key, &entry.item)?;
    let found = crate::common::duration(&text);
    if found.is_none() {
        let help = "write a whole number with s, m or h, such as \"30s\"";
        reader.tell("bad-value", format!("`{key}`: this is no duration"), entry.item.at, help);
    }
    found
}

fn repair(reader: &mut Reader<'_>, table: &Table) -> Option<Repair> {
    let entry = table.get("repair")?;
    let text = reader.text("repair", &entry.item)?;
    let found = Repair::ALL.into_iter().find(|one| one.word() == text);
    if found.is_none() {
        let help = "there is `itself`, `agent`, `apply` and `undo`";
        reader.tell("unknown-word", format!("`{text}` makes no host even"), entry.item.at, help);
    }
    found
}

/// Who is to see it, and where each of them stands.
fn sees(
    reader: &mut Reader<'_>,
    (entry, table): (&Entry, &Table),
    repair: Option<Repair>,
) -> (Vec<Sight>, Vec<Extent>) {
    let Some(said) = table.get("sees") else {
        if repair == Some(Repair::Agent) {
            return (vec![Sight::Agent], vec![entry.at]);
        }
        let message = format!("drill.{} does not say who sees it", entry.key);
        let help =
            "write sees = \"CHECK\" with a check that fails then, or \"drift\", or [] where nobody need";
        reader.tell("missing-key", message, entry.at, help);
        return (Vec::new(), Vec::new());
    };
    let items: Vec<&Item> = match &said.item.value {
        Value::Array(items) => items.iter().collect(),
        _ => vec![&said.item],
    };
    let sight = |item: &Item| {
        let sight = match reader.text("sees", item)?.as_str() {
            "drift" => Sight::Drift,
            "agent" => Sight::Agent,
            name => Sight::Check(name.to_owned()),
        };
        Some((sight, item.at))
    };
    items.into_iter().filter_map(sight).unzip()
}
