//! What the agent's reports leave the host by: the TLS and the resolver that checks use, and keys of reports that are sealed by age. It
//! tells nobody anything; `daemon` does.

use super::compiled::site_of;
use crate::vault::{Opening, Vault};
use checks::{Resolver, Rustls};
use daemon::{Opens, Outside, Settings};
use model::Secret;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// For these settings: a sealed key is opened by what opens the site's secrets.
pub fn outside(settings: &Settings) -> Outside {
    Outside { tls: Some(&Rustls), names: Some(&Resolver), opens: Some(Arc::new(Identities::of(settings))) }
}

/// Files of private keys.
struct Identities(Vec<PathBuf>);

impl Identities {
    fn of(settings: &Settings) -> Self {
        Self(site_of(settings).0.identities)
    }
}

impl Opens for Identities {
    fn open(&self, path: &Path, sealed: &[u8]) -> Result<Secret<Vec<u8>>, String> {
        // Nobody is at a terminal.
        let vault = Vault::new(Opening::Unasked);
        let name = path.display().to_string();
        let opened = vault.opener(Path::new("/"), &self.0).open(&name, sealed);
        opened.map_err(|closed| format!("no key here opens {name}: {}", closed.help))
    }

    fn by(&self, settings: &Settings) -> Arc<dyn Opens> {
        Arc::new(Self::of(settings))
    }
}
