//! What a site consists of, whichever host it is compiled for: its settings, its roles, and the modules that these lead to. Evaluates
//! nothing, so a module that some host switches off is among them.

use crate::findings::Findings;
use crate::project;
use crate::request::{Entry, Request};
use crate::settings;
use crate::unit::{Name, Reader};
use model::Diagnostic;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// What a site consists of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Used {
    /// What it calls itself.
    pub project: Option<String>,
    /// Where it looks for modules, as `keel.toml` has it.
    pub search: Vec<String>,
    /// Directories of modules, each with a `module.toml`.
    pub modules: BTreeSet<PathBuf>,
    /// Files of roles.
    pub roles: BTreeSet<PathBuf>,
}

/// What the site of a request and its roles lead to.
///
/// # Errors
/// Everything that is wrong up to there.
pub fn used(request: &Request<'_>) -> Result<Used, Vec<Diagnostic>> {
    let mut findings = Findings::default();
    let project = project::load(request, &mut findings);
    let mut used = Used { project: project.name.clone(), ..Used::default() };
    for unit in &project.units {
        match &unit.name {
            Name::Module(_) => {
                used.modules.extend(unit.files.first().and_then(|dir| dir.parent()).map(Path::to_owned))
            }
            Name::Role(_) => {
                used.roles.insert(PathBuf::from(&*unit.source.span(crate::source::Extent::default()).file));
            }
            Name::File => {}
        }
    }
    if let Entry::Site { root, .. } = request.entry {
        let reader = Reader { loader: request.loader, kinds: request.kinds, texts: request.texts };
        // What is wrong in it has been told.
        let mut twice = Findings::default();
        let found = reader.text(&root.join("keel.toml"), &mut twice);
        used.search = found.map(|source| settings::read(&source, &mut twice).modules).unwrap_or_default();
    }
    match findings.errors() {
        0 => Ok(used),
        _ => Err(findings.finish()),
    }
}
