//! The site in force: read anew when it was altered, kept as it was where there is none to be had, and told when it is another one. What is done
//! by it is `reconcile`'s business.

use crate::report::What;
use crate::reporters::Reporters;
use crate::source::{Refused, Site, Source};
use crate::status::Status;
use agent::session::Clock;
use model::Digest;
use std::path::PathBuf;
use std::sync::Arc;

/// The site, and where it comes from.
pub struct InForce<'a> {
    source: &'a dyn Source,
    clock: Clock<'a>,
    site: Option<Arc<Site>>,
}

/// What came of reading it.
pub struct Loaded {
    /// What is to be watched, so that it is read again.
    pub files: Vec<PathBuf>,
    /// True where its catalog is another one than before, or a secret in it.
    pub is_new: bool,
}

impl<'a> InForce<'a> {
    /// None yet.
    pub fn new(source: &'a dyn Source, clock: Clock<'a>) -> Self {
        Self { source, clock, site: None }
    }

    /// Where it comes from.
    pub fn source(&self) -> &'a dyn Source {
        self.source
    }

    /// The site; `None` while there is none.
    pub fn site(&self) -> Option<&Arc<Site>> {
        self.site.as_ref()
    }

    /// Reads it anew.
    pub fn load(&mut self, reporters: &mut Reporters<'_>, status: &mut Status) -> Loaded {
        let site = match self.source.site() {
            Ok(site) => site,
            Err(none) => {
                if status.no_catalog.as_ref() != Some(&none.why) {
                    status.no_catalog = Some(none.why.clone());
                    reporters.tell(status, What::NoCatalog { why: none.why });
                }
                return Loaded { files: none.files, is_new: false };
            }
        };
        let version = version(&site);
        let is_new = status.catalog.as_ref() != Some(&version);
        // A catalog has no secret in it: one that was rotated leaves it as it was.
        let is_rotated = self.site.as_ref().is_some_and(|before| before.secrets != site.secrets);
        let (files, resources) = (site.files.clone(), site.work.catalog.nodes().len());
        let warnings = site.warnings.clone();
        self.mind_bundle(&site, reporters, status);
        self.site = Some(Arc::new(site));
        status.no_catalog = None;
        if is_new {
            (status.catalog, status.resources) = (Some(version), resources);
            reporters.tell(status, What::Catalog { resources, warnings });
        }
        Loaded { files, is_new: is_new || is_rotated }
    }

    /// Tells which bundle is in force, and why none newer is, when that is news.
    fn mind_bundle(&self, site: &Site, reporters: &mut Reporters<'_>, status: &mut Status) {
        if site.bundle != status.bundle {
            status.bundle.clone_from(&site.bundle);
            site.bundle
                .iter()
                .for_each(|bundle| reporters.tell(status, What::Bundle { bundle: bundle.clone() }));
        }
        let Some(why) = &site.refused else { return status.refused = None };
        if status.refused.as_ref().is_none_or(|refused| refused.why != *why) {
            status.refused = Some(Refused { why: why.clone(), since: (self.clock)() });
            let counter = site.bundle.as_ref().map(|bundle| bundle.counter);
            reporters.tell(status, What::Refused { why: why.clone(), counter });
        }
    }
}

/// A catalog by its bytes, which are the same for the same input.
fn version(site: &Site) -> String {
    let bytes = serde_json::to_vec(&site.work.catalog).unwrap_or_default();
    let mut version = Digest::of(&bytes).to_string();
    version.truncate(12);
    version
}
