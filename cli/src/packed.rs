//! A site that comes as a bundle: a file, or what a place has. Nothing of it is looked at before its signature is verified.

use crate::clock;
use crate::commands::bundle::{ALLOWED, beside, signature};
use crate::library::Files;
use crate::site::{Refusal, Site};
use crate::view;
use anyhow::{Context as _, anyhow};
use bundle::{Allowed, Bundle, Depot, Policy};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where a host keeps the bundles in force, a directory for each site.
const ROOT: &str = "/var/lib/evenkeel/bundles";
/// The same, in the directory of the state.
#[cfg(all(target_os = "linux", not(feature = "elsewhere")))]
pub const DEPOTS: &str = "bundles";
/// What a host opens secrets with.
const HOST_KEY: &str = "/etc/ssh/ssh_host_ed25519_key";

/// Where the site comes from, where it is no directory.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Packed {
    /// A site as a signed bundle, with its signature in FILE.sig; or a place where bundles are published, with --name.
    #[arg(long, value_name = "FILE|PLACE", conflicts_with_all = ["site", "file"])]
    bundle: Option<String>,
    /// The site whose last bundle is taken from the place. What is taken is kept, and stays in force where no newer one can be had.
    #[arg(long, value_name = "SITE", requires = "bundle")]
    name: Option<String>,
    /// Who may sign bundles, as `ssh-keygen -Y verify -f` takes it.
    #[arg(long, value_name = "FILE", default_value = ALLOWED, requires = "bundle")]
    allowed_signers: PathBuf,
    /// Where bundles that were taken are kept, a directory for each site.
    #[arg(long, value_name = "DIR", default_value = ROOT, requires = "bundle")]
    bundle_dir: PathBuf,
}

impl Packed {
    /// The files of the site, and how it is compiled.
    pub fn files(&self, site: Site) -> (Site, Result<Files, Refusal>) {
        let Some(from) = &self.bundle else { return (site, Ok(Files::default())) };
        (of_bundle(site), self.open(from).map(Files::of))
    }

    fn open(&self, from: &str) -> Result<Bundle, Refusal> {
        match &self.name {
            Some(name) => self.last(from, name),
            None => self.file(Path::new(from)),
        }
    }

    fn policy<'a>(&self, allowed: &'a Allowed) -> Policy<'a> {
        Policy { allowed, site: None, now: clock::seconds() }
    }

    fn file(&self, path: &Path) -> Result<Bundle, Refusal> {
        if !path.is_file() {
            return Err(anyhow!(
                "{} is no file: of a place say with --name which site's bundle is to be taken",
                path.display()
            )
            .into());
        }
        let file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
        let signature = signature(&beside(path))?;
        let allowed = Allowed::read(&self.allowed_signers).map_err(refused)?;
        let verified = bundle::verify(Arc::new(file), &signature, &self.policy(&allowed));
        Ok(verified.map_err(refused)?.bundle)
    }

    /// The last one of a place, else the one that was in force.
    fn last(&self, place: &str, name: &str) -> Result<Bundle, Refusal> {
        if !bundle::is_site_name(name) {
            return Err(anyhow!("no site that is made into bundles is called `{name}`").into());
        }
        let depot = Depot::new(self.bundle_dir.join(name));
        let take = || {
            let (allowed, source) = (Allowed::read(&self.allowed_signers)?, bundle::source(place)?);
            depot.take(&*source, name, &self.policy(&allowed))
        };
        let trouble = take().err();
        match (depot.in_force(), trouble) {
            (Ok(Some((_, bundle))), None) => Ok(bundle),
            (Ok(Some((record, bundle))), Some(trouble)) => {
                let counter = record.counter;
                view::remark(&format!("{trouble}; the bundle with the counter {counter} stays in force"));
                Ok(bundle)
            }
            (_, Some(trouble)) => Err(refused(trouble)),
            (Err(damaged), None) => Err(refused(damaged)),
            (Ok(None), None) => Err(anyhow!("nothing is in force").into()),
        }
    }
}

/// The same site, with its files in a bundle; this host's own key opens its secrets.
pub fn of_bundle(mut site: Site) -> Site {
    site.is_packed = true;
    if Path::new(HOST_KEY).exists() {
        site.identities.push(PathBuf::from(HOST_KEY));
    }
    site
}

fn refused(refusal: bundle::Refusal) -> Refusal {
    Refusal::Other(refusal.into())
}
