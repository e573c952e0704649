//! The compiler: TOML text to a [`model::Catalog`]. Pure: no clock, no network, no processes; files only through one
//! [`Loader`]. It knows kinds only as [`model::KindInfo`]. Read [`compile`] first: it is the list of passes.

mod ahead;
mod auto;
mod claims;
mod common;
mod content;
mod context;
mod cycle;
mod destination;
pub mod document;
mod draft;
mod expand;
pub mod expr;
mod findings;
mod host_key;
mod inputs;
mod inspect;
mod inventory;
mod layers;
mod links;
mod loader;
mod manual;
mod merge;
mod nearest;
mod order;
mod parts;
mod printed;
mod project;
mod reach;
mod request;
mod schema;
mod seal;
mod sealed;
mod sets;
mod settings;
mod source;
mod strings;
pub mod template;
mod texts;
mod trees;
mod trials;
mod turns;
mod types;
mod unit;
mod used;
mod walk;
mod wiring;
mod wording;

pub use common::{common_fields, duration};
pub use destination::Destination;
pub use inventory::Host;
pub use loader::{Disk, LeavesOut, Loader, Memory};
pub use manual::{Manual, manual};
pub use nearest::{advice, did_you_mean};
pub use reach::{Reach, Transport};
pub use request::{Compiled, Entry, LayerValue, Request};
pub use schema::schema;
pub use sealed::{Closed, NoKeys, SECRET_ENDING, Unseal, is_secret_name, secrets_of};
pub use source::{Extent, Source};
pub use texts::Texts;
pub use trees::FoundTree;
pub use trials::{Tests, Wanted as TestsWanted, check_fields, drill_fields, tests, tests_schema};
pub use used::{Used, used};

use draft::Draft;
use findings::Findings;
use links::Known;
use model::{Diagnostic, Digest};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Compiles a request.
///
/// Errors with everything that is wrong, sorted by file and place.
pub fn compile(request: &Request<'_>) -> Result<Compiled, Vec<Diagnostic>> {
    let mut findings = Findings::default();
    match passes(request, &mut findings) {
        Some((compiled, 0)) => Ok(Compiled { warnings: findings.finish(), ..compiled }),
        _ => Err(findings.finish()),
    }
}

/// The passes, in order; with the number of errors they found.
fn passes(request: &Request<'_>, findings: &mut Findings) -> Option<(Compiled, usize)> {
    let project = project::load(request, findings);
    let scopes = layers::evaluate(&project, request, findings)?;
    let drafts = expand::expand(&project, scopes, request, findings);
    let (drafts, known) = Known::new(drafts);
    let mut drafts = merge::merge(drafts, findings);
    let footprints = inspect::inspect(&mut drafts, findings);
    let mut links = links::link(&drafts, &known, findings);
    links.extend(auto::link(&drafts, &footprints, findings));
    claims::tell(&mut drafts, &footprints);
    let (blobs, trees) = (blobs(&drafts), drafts.iter_mut().filter_map(|draft| draft.tree.take()).collect());
    let (catalog, secrets) = order::catalog(drafts, &links, findings)?;
    let (name, keep) = (project.name, project.keep);
    let compiled = Compiled { catalog, secrets, blobs, trees, project: name, keep, warnings: Vec::new() };
    Some((compiled, findings.errors()))
}

fn blobs(drafts: &[Draft<'_>]) -> BTreeMap<Digest, PathBuf> {
    let sources = drafts.iter().filter_map(|draft| draft.source.as_ref());
    sources.map(|found| (found.digest, found.path.clone())).collect()
}

/// What is wrong already without the facts of a host: text that cannot be parsed, an inventory that is wrong, roles and modules
/// that are not there, secrets that stay closed. What evaluates nothing can only find a part; the rest is [`compile`]'s.
///
/// Errors with all of that.
pub fn check(request: &Request<'_>) -> Result<(), Vec<Diagnostic>> {
    let mut findings = Findings::default();
    let project = project::load(request, &mut findings);
    let sets = sets::read(request.sets, &project, &mut findings);
    ahead::look(&project, (request, &sets), &mut findings);
    if findings.errors() == 0 { Ok(()) } else { Err(findings.finish()) }
}

/// Every layer of one input on one host, the weakest first. `key` is `NAME.INPUT`, or `INPUT` of a bare file.
///
/// Errors with everything that is wrong up to there.
pub fn explain_value(request: &Request<'_>, key: &str) -> Result<Vec<LayerValue>, Vec<Diagnostic>> {
    let mut findings = Findings::default();
    let project = project::load(request, &mut findings);
    let scopes = layers::evaluate(&project, request, &mut findings).unwrap_or_default();
    for (unit, scope) in project.units.iter().zip(&scopes) {
        let name = match unit.name.key() {
            "" => Some(key),
            own => key.strip_prefix(own).and_then(|rest| rest.strip_prefix('.')),
        };
        if let Some(said) = name.and_then(|name| scope.inputs.get(name)) {
            return Ok(layers::plain(said));
        }
    }
    sets::tell_unknown(key, &project, &mut findings);
    Err(findings.finish())
}

/// The directories in which a site keeps modules of its own, as its `keel.toml` names them.
///
/// Errors with everything that is wrong in that file.
pub fn module_dirs(root: &Path, loader: &dyn Loader) -> Result<Vec<PathBuf>, Vec<Diagnostic>> {
    let mut findings = Findings::default();
    let reader = unit::Reader { loader, kinds: &[], texts: &Texts::default() };
    let source = reader.text(&root.join("keel.toml"), &mut findings);
    let settings = source.map(|source| settings::read(&source, &mut findings)).unwrap_or_default();
    match findings.errors() {
        0 => Ok(settings.modules.into_iter().map(|dir| root.join(dir)).collect()),
        _ => Err(findings.finish()),
    }
}

/// The hosts of a site's inventory, in the order of the text; none where there is no inventory.
///
/// Errors with everything that is wrong in it.
pub fn hosts(root: &Path, loader: &dyn Loader) -> Result<Vec<Host>, Vec<Diagnostic>> {
    let mut findings = Findings::default();
    let reader = unit::Reader { loader, kinds: &[], texts: &Texts::default() };
    let inventory = reader.inventory(&root.join("hosts.toml"), &mut findings);
    match findings.errors() {
        0 => Ok(inventory.map(|inventory| inventory.list()).unwrap_or_default()),
        _ => Err(findings.finish()),
    }
}
