//! Tells a resource that asks for it (`purge = true`) what other resources own below its path: the host sees one resource
//! at a time. Runs when all footprints are known.

use crate::draft::Draft;
use model::{Claim, Footprint, HostPath, Presence, Runtime, Thing};
use serde_json::{Value as Json, json};
use std::cell::OnceCell;
use std::collections::BTreeSet;

/// Puts the list in place of each `true` that asks for it.
pub fn tell(drafts: &mut [Draft<'_>], footprints: &[Footprint]) {
    // Sorted for those who ask, who are few: most catalogs have none.
    let owned = OnceCell::new();
    let sort = || footprints.iter().flat_map(paths).collect::<BTreeSet<&HostPath>>();
    for (draft, footprint) in drafts.iter_mut().zip(footprints) {
        let asks = draft.kind.fields().iter().filter(|field| field.runtime == Runtime::Claims);
        let asks = asks.filter(|field| draft.params.get(&field.name) == Some(&Json::Bool(true)));
        let keys: Vec<String> = asks.map(|field| field.name.clone()).collect();
        for key in keys {
            // It may own a whole tree: what is in there is its own.
            let own: BTreeSet<&HostPath> = paths(footprint).collect();
            let is_below =
                |path: &&&HostPath| !own.contains(**path) && path.ancestors().any(|top| own.contains(&top));
            let below: Vec<&&HostPath> = owned.get_or_init(sort).iter().filter(is_below).collect();
            draft.params.insert(key, json!(below));
        }
    }
}

/// The paths that have to stay; what owns nothing edits what it wants.
fn paths(footprint: &Footprint) -> impl Iterator<Item = &HostPath> {
    let claimed = footprint.claims.iter().filter_map(|claim| match claim {
        Claim { thing: Thing::Path(path), presence: Presence::Present } => Some(path),
        _ => None,
    });
    let edited =
        footprint.wants.iter().filter(|_| footprint.claims.is_empty()).filter_map(|want| match want {
            Thing::Path(path) => Some(path),
            _ => None,
        });
    claimed.chain(edited)
}
