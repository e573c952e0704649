//! Which resources the catalogs of this host own, so that one that disappears from its catalog is noticed.

use super::StateDir;
use model::{Catalog, Failure, Id, OnRemoval, SECRET_KEY};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Owned resources by scope: a scope is one source of catalogs, such as a site or a file of resources. Two files that
/// are applied to one host do not orphan each other's resources.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Ledger(BTreeMap<String, BTreeMap<Id, Owned>>);

/// A resource that some catalog owned.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Owned {
    /// Its keys, without anything secret.
    pub params: serde_json::Value,
    /// What becomes of the thing.
    pub on_removal: OnRemoval,
}

const NAME: &str = "ledger";

impl Ledger {
    /// Reads the ledger; empty where there is none yet.
    pub fn read(state: &StateDir) -> Result<Self, Failure> {
        match state.read(NAME)? {
            None => Ok(Self::default()),
            Some(bytes) => serde_json::from_slice(&bytes).map_err(|error| Failure::io("read", NAME, error)),
        }
    }

    /// What `scope` owned and `catalog` no longer has.
    pub fn orphans(&self, scope: &str, catalog: &Catalog) -> BTreeMap<Id, Owned> {
        let index = catalog.index();
        let owned = self.0.get(scope).into_iter().flatten();
        owned
            .filter(|(id, _)| !index.contains_key(id))
            .map(|(id, owned)| (id.clone(), owned.clone()))
            .collect()
    }

    /// Takes up the catalog's resources. Orphans stay, save those in `removed`.
    pub fn update(&mut self, scope: &str, catalog: &Catalog, removed: &[Id]) {
        let owned = self.0.entry(scope.to_owned()).or_default();
        owned.retain(|id, _| !removed.contains(id));
        for node in catalog.nodes() {
            let mut params = node.params.clone();
            drop_secrets(&mut params);
            owned.insert(node.id.clone(), Owned { params, on_removal: node.common.on_removal });
        }
    }

    /// Writes the ledger, where it differs from what is there.
    pub fn write(&self, state: &StateDir) -> Result<(), Failure> {
        let bytes = serde_json::to_vec(self).map_err(|error| Failure::io("write", NAME, error))?;
        if state.read(NAME)?.as_deref() == Some(bytes.as_slice()) {
            Ok(())
        } else {
            state.write(NAME, &bytes)
        }
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
