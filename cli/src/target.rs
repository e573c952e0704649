//! What to compile, and for which machine: the arguments that most verbs share.

use crate::library;
use anyhow::{Context, bail};
use dsl::{Compiled, Entry, Request};
use model::{Diagnostic, Facts, KindInfo};
use std::path::{Path, PathBuf};

/// What to compile.
#[derive(Clone, Debug, clap::Args)]
pub struct Target {
    /// A host of the inventory whose catalog to use.
    #[arg(value_name = "HOST")]
    pub host: Option<String>,
    /// This machine. Pushing to other machines is not there yet, so this has to be said where the host is touched.
    #[arg(long)]
    pub local: bool,
    /// Resources straight from one TOML file, without a site.
    #[arg(short, long, value_name = "FILE", conflicts_with_all = ["host", "roles", "site"])]
    pub file: Option<PathBuf>,
    /// A role for a machine that is in no inventory; may be repeated.
    #[arg(long = "role", value_name = "ROLE")]
    pub roles: Vec<String>,
    /// The directory that holds `keel.toml`.
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub site: PathBuf,
    /// Gives an input its value: `NAME.INPUT=VALUE`, or `INPUT=VALUE` for a file's own; may be repeated.
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = pair)]
    pub sets: Vec<(String, String)>,
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("write KEY=VALUE")?;
    Ok((key.to_owned(), value.to_owned()))
}

/// The kinds, as the compiler wants them.
pub fn kinds() -> Vec<&'static dyn KindInfo> {
    agent::kinds::ALL.iter().map(|kind| *kind as &dyn KindInfo).collect()
}

/// Why there is no catalog.
pub enum Refusal {
    /// The user's input is wrong.
    Diagnostics(Vec<Diagnostic>),
    /// Something else.
    Other(anyhow::Error),
}

impl Target {
    /// The machine that is touched has to be said, until there is a way to others.
    pub fn require_local(&self) -> anyhow::Result<()> {
        if self.local {
            return Ok(());
        }
        bail!("say --local: this version works on the machine it runs on; pushing to others comes next")
    }

    /// Compiles for a machine that says `facts` of itself.
    pub fn compile(&self, facts: &Facts) -> Result<Compiled, Refusal> {
        let kinds = kinds();
        let library = library::roots();
        self.with_request(facts, (&kinds, &library), |request| {
            dsl::compile(request).map_err(Refusal::Diagnostics)
        })
    }

    /// Calls `then` with the request that these arguments make.
    pub fn with_request<T>(
        &self,
        facts: &Facts,
        (kinds, library): (&[&dyn KindInfo], &[PathBuf]),
        then: impl FnOnce(&Request<'_>) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        let entry = self.entry().map_err(Refusal::Other)?;
        let loader = library::Files;
        then(&Request { entry, facts, sets: &self.sets, library, kinds, loader: &loader })
    }

    fn entry(&self) -> anyhow::Result<Entry<'_>> {
        if let Some(file) = &self.file {
            return Ok(Entry::File(file));
        }
        if !self.site.join("keel.toml").is_file() {
            bail!(
                "there is no keel.toml in {}: give -f FILE, or --site DIR, or make a site with `keel init`",
                self.site.display()
            );
        }
        if self.host.is_none() && self.roles.is_empty() {
            bail!(
                "say which host of the inventory this is (`keel plan --local HOST`), or give it roles with --role"
            );
        }
        Ok(Entry::Site { root: &self.site, host: self.host.as_deref(), roles: &self.roles })
    }

    /// Which source of catalogs this is: resources that leave it are told from those of another.
    pub fn scope(&self) -> anyhow::Result<String> {
        let place = self.file.as_deref().unwrap_or(&self.site);
        let place = absolute(place)?;
        Ok(match (&self.file, &self.host) {
            (Some(_), _) => format!("file {}", place.display()),
            (None, Some(host)) => format!("site {} host {host}", place.display()),
            (None, None) => format!("site {} roles {}", place.display(), self.roles.join(",")),
        })
    }

    /// The same in a few words, for the journal.
    pub fn words(&self) -> String {
        let mut words = vec!["--local".to_owned()];
        words.extend(self.host.clone());
        words.extend(self.file.iter().map(|file| format!("-f {}", file.display())));
        words.extend(self.roles.iter().map(|role| format!("--role {role}")));
        words.join(" ")
    }
}

fn absolute(path: &Path) -> anyhow::Result<PathBuf> {
    std::fs::canonicalize(path).with_context(|| format!("cannot find {}", path.display()))
}
