//! Which resources the catalogs of this host own, so that one that disappears from its catalog is noticed.

use super::StateDir;
use super::applied::{After, Applied, Desired};
use super::summed::{summed, text_of};
use model::{Because, Catalog, Failure, Gather, Id, OnRemoval, SECRET_KEY};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

/// Owned resources by scope: a scope is one source of catalogs, such as a site or a file of resources. Two files that
/// are applied to one host do not orphan each other's resources.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ledger {
    scopes: BTreeMap<String, BTreeMap<Id, Owned>>,
    changed: bool,
}

/// A resource that some catalog owned.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Owned {
    /// Its keys without anything secret, where it is to be removed with them; `None` where it stays.
    pub removal: Option<serde_json::Value>,
    /// What was desired of it when it was last as desired; `None` where that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub applied: Option<Desired>,
    /// The same where it was rolled back since: whoever keeps the host even leaves that until something else is desired.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rolled_back: Option<Desired>,
}

/// A ledger that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the ledger is damaged ({why}): what left a catalog before is not known any more")]
pub struct DamagedLedger {
    bytes: Vec<u8>,
    why: String,
}

const NAME: &str = "ledger";

impl Ledger {
    /// Reads the ledger; empty where there is none yet, and where it is damaged, which never stops a run.
    pub fn read(state: &StateDir) -> Result<(Self, Option<DamagedLedger>), Failure> {
        let Some(bytes) = state.read(NAME)? else { return Ok((Self::default(), None)) };
        Ok(match Self::of(bytes) {
            Ok(ledger) => (ledger, None),
            Err(damage) => (Self::default(), Some(damage)),
        })
    }

    /// The ledger that was written as these bytes.
    ///
    /// # Errors
    /// They are none.
    pub fn of(bytes: Vec<u8>) -> Result<Self, DamagedLedger> {
        let scopes = text_of(&bytes)
            .map_err(str::to_owned)
            .and_then(|text| serde_json::from_slice(text).map_err(|error| error.to_string()));
        match scopes {
            Ok(scopes) => Ok(Self { scopes, changed: false }),
            // What is wrong may be a name in it, of any length and any characters.
            Err(error) => {
                let why = error.chars().filter(|it| !it.is_control()).take(200).collect();
                Err(DamagedLedger { bytes, why })
            }
        }
    }

    /// What `scope` owned and `catalog` no longer has.
    pub fn orphans(&self, scope: &str, catalog: &Catalog) -> BTreeMap<Id, Owned> {
        let mut nodes = catalog.by_id().peekable();
        // Both are sorted: one pass tells.
        let mut is_there = |id: &Id| {
            while nodes.next_if(|node| node.id < *id).is_some() {}
            nodes.peek().is_some_and(|node| node.id == *id)
        };
        let owned = self.scopes.get(scope).into_iter().flatten().filter(|(id, _)| !is_there(id));
        owned.map(|(id, owned)| (id.clone(), owned.clone())).gather()
    }

    /// True where a catalog of another scope has the resource.
    pub fn is_of_another(&self, scope: &str, id: &Id) -> bool {
        self.scopes.iter().any(|(other, owned)| other != scope && owned.contains_key(id))
    }

    /// Those of `ids` that `scope` owns.
    pub(super) fn owned(&self, scope: &str, ids: &[Id]) -> BTreeMap<Id, Owned> {
        let owned = self.scopes.get(scope).into_iter().flatten();
        owned.filter(|(id, _)| ids.contains(id)).map(|(id, owned)| (id.clone(), owned.clone())).gather()
    }

    /// Takes up what was taken off it. What is there again stays as it is.
    pub(super) fn put_back(&mut self, scope: &str, removed: BTreeMap<Id, Owned>) {
        let owned = self.scopes.entry(scope.to_owned()).or_default();
        for (id, one) in removed {
            if let Entry::Vacant(free) = owned.entry(id) {
                // What comes back is what was before the run, whatever was applied since.
                free.insert(Owned { applied: None, rolled_back: one.applied.or(one.rolled_back), ..one });
                self.changed = true;
            }
        }
    }

    /// Why a resource that differs does, where `desired` is what is desired of it now. What another catalog applied counts where this
    /// one never had the resource.
    pub fn because(&self, scope: &str, id: &Id, desired: Option<Desired>) -> Because {
        let ours = self.scopes.get(scope).and_then(|owned| owned.get(id));
        let others = || self.scopes.values().filter_map(|owned| owned.get(id)).collect::<Vec<_>>();
        let known = ours.map_or_else(others, |ours| vec![ours]);
        let is = |known: Option<Desired>| known.is_some() && known == desired;
        if known.iter().any(|owned| is(owned.applied)) {
            Because::Drift
        } else if known.iter().any(|owned| is(owned.rolled_back)) {
            Because::RolledBack
        } else if known.iter().any(|owned| owned.applied.is_none() && owned.rolled_back.is_none())
            || (desired.is_none() && !known.is_empty())
        {
            Because::Unknown
        } else {
            Because::Intended
        }
    }

    /// What was applied of these, in all catalogs, is being rolled back.
    pub fn roll_back<'a>(&mut self, ids: impl IntoIterator<Item = &'a Id>) {
        for id in ids {
            for owned in self.scopes.values_mut().filter_map(|owned| owned.get_mut(id)) {
                if let Some(applied) = owned.applied.take() {
                    owned.rolled_back = Some(applied);
                    self.changed = true;
                }
            }
        }
    }

    /// Takes up the catalog's resources, of which `after` tells by position how they are now. Orphans stay, save those in `removed`.
    pub fn update(
        &mut self,
        scope: &str,
        (catalog, removed): (&Catalog, &[Id]),
        (after, applied): (&[After], &Applied<'_>),
    ) {
        let owned = self.scopes.entry(scope.to_owned()).or_default();
        for id in removed {
            self.changed |= owned.remove(id).is_some();
        }
        let (mut known, mut news) = (owned.iter().peekable(), Vec::new());
        for (at, node) in catalog.places() {
            let removal = (node.common.on_removal == OnRemoval::Remove).then(|| {
                let mut params = node.params.clone();
                drop_secrets(&mut params);
                params
            });
            while known.next_if(|(id, _)| **id < node.id).is_some() {}
            let before = known.peek().filter(|(id, _)| **id == node.id).map(|(_, owned)| *owned);
            let (was, back) = before.map_or((None, None), |before| (before.applied, before.rolled_back));
            let (applied, rolled_back) = match after.get(at).unwrap_or(&After::Left) {
                After::Even => (applied.of(node), None),
                After::Left => (was, back),
                After::Failed => (was.filter(|was| applied.of(node) == Some(*was)), None),
            };
            let now = Owned { removal, applied, rolled_back };
            if before != Some(&now) {
                news.push((node.id.clone(), now));
            }
        }
        self.changed |= !news.is_empty();
        owned.extend(news);
    }

    /// Writes the ledger, where anything in it changed.
    pub fn write(&mut self, state: &StateDir) -> Result<(), Failure> {
        if self.changed {
            let bytes =
                serde_json::to_vec(&self.scopes).map_err(|error| Failure::io("write", NAME, error))?;
            state.write(NAME, &summed(bytes))?;
            self.changed = false;
        }
        Ok(())
    }
}

impl DamagedLedger {
    /// Keeps its bytes beside an empty ledger that takes its place; says so.
    pub fn set_aside(&self, state: &StateDir) -> Result<String, Failure> {
        let mut number = 1;
        while state.read(&format!("{NAME}.damaged-{number}"))?.is_some() {
            number += 1;
        }
        let name = format!("{NAME}.damaged-{number}");
        state.write(&name, &self.bytes)?;
        state.write(NAME, b"{}")?;
        Ok(format!("{self}; it is set aside as {}", state.root().join(name).display()))
    }
}

/// Takes references to secrets out: what removes a thing needs none.
fn drop_secrets(value: &mut serde_json::Value) {
    let is_secret = |value: &serde_json::Value| value.get(SECRET_KEY).is_some();
    match value {
        serde_json::Value::Object(map) => {
            map.retain(|_, value| !is_secret(value));
            map.values_mut().for_each(drop_secrets);
        }
        serde_json::Value::Array(items) => {
            items.retain(|value| !is_secret(value));
            items.iter_mut().for_each(drop_secrets);
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::Ledger;

    #[test]
    fn what_is_wrong_with_a_ledger_is_said_in_harmless_words() {
        let long = "x".repeat(5000);
        for key in ["a\\nb", "a\\u001b[2J", &long] {
            let bytes = format!("{{\"site\":{{\"{key}\":{{}}}}}}").into_bytes();
            let words = Ledger::of(bytes).unwrap_err().to_string();
            assert!(words.len() < 1000 && !words.contains(char::is_control), "{words:?}");
        }
    }
}
