//! Bundles as the agent's source: what the place has is asked for, and what is in force is compiled, whether or not a newer one was taken.
//! One that does not compile on this host is not put in force. It keeps nothing in mind: it runs in the process that compiles.

use crate::clock;
use crate::library::Files;
use crate::packed;
use crate::site::{Refusal, Site};
use crate::view;
use bundle::{Allowed, Bundle, Depot, Policy, Record};
use daemon::settings::Origin;
use model::Facts;
use std::path::{Path, PathBuf};

/// What is in force now.
pub struct InForce {
    /// What it says of itself, and where it came from.
    pub record: Record,
    /// The files in it.
    pub files: Files,
    /// Why no newer one was taken, where one was refused, or none could be had.
    pub refused: Option<String>,
}

/// Where a host keeps the bundles of a site.
pub fn depot(state: &Path, site: &str) -> Depot {
    Depot::new(state.join(packed::DEPOTS).join(site))
}

/// As a site whose files are in a bundle is compiled.
pub fn site_of(origin: Origin) -> (Site, Option<String>) {
    let Origin::Bundles { host, roles, set, unseal_with, .. } = origin else {
        return (Site::default(), None);
    };
    let site = Site { roles, sets: set.into_iter().collect(), identities: unseal_with, ..Site::default() };
    (packed::of_bundle(site), host)
}

/// What is to be watched, so that a newer one, or a newer signer, is noticed.
pub fn watched(origin: &Origin, state: &Path) -> Vec<PathBuf> {
    let Origin::Bundles { place, name, allowed_signers, .. } = origin else { return Vec::new() };
    let mut files =
        vec![allowed_signers.clone(), state.join(packed::DEPOTS).join(name).join("in-force.json")];
    let dir = place.strip_prefix("file://").unwrap_or(place);
    if !dir.contains("://") {
        files.push(Path::new(dir).join(format!("{name}.latest")));
    }
    files
}

/// Who is asked for a newer bundle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    /// The place.
    Place,
    /// Nobody: what is in force will do.
    Nobody,
}

/// Asks the place, and opens what is in force then.
///
/// # Errors
/// Why nothing is.
pub fn take(origin: &Origin, (facts, ask): (&Facts, Ask), state: &Path) -> Result<InForce, String> {
    let Origin::Bundles { place, name, allowed_signers, .. } = origin else {
        return Err("the settings name no place of bundles".to_owned());
    };
    if !bundle::is_site_name(name) {
        return Err(format!("no site that is made into bundles is called `{name}`"));
    }
    let depot = depot(state, name);
    let is_fit = |bundle: &Bundle| compiles(origin, facts, bundle);
    let take = || {
        let allowed = Allowed::read(allowed_signers)?;
        let (source, policy) =
            (bundle::source(place)?, Policy { allowed: &allowed, site: None, now: clock::seconds() });
        depot.take_if(&*source, name, &policy, &is_fit)
    };
    let refused = match ask {
        Ask::Place => take().err().map(|refusal| refusal.to_string()),
        Ask::Nobody => None,
    };
    match (depot.in_force(), refused) {
        (Ok(Some((record, bundle))), refused) => Ok(InForce { record, files: Files::of(bundle), refused }),
        (_, Some(refused)) => Err(refused),
        (Err(damaged), None) => Err(damaged.to_string()),
        (Ok(None), None) => Err("nothing is in force".to_owned()),
    }
}

fn compiles(origin: &Origin, facts: &Facts, bundle: &Bundle) -> Result<(), String> {
    let (site, host) = site_of(origin.clone());
    match site.compile(host.as_deref(), facts, &Files::of(bundle.clone())) {
        Ok(_) => Ok(()),
        Err(Refusal::Diagnostics(found)) => Err(view::wrong::plain(&found)),
        Err(Refusal::Other(error)) => Err(format!("{error:#}")),
    }
}
