//! What to compile, and for which machine: the arguments that most verbs share.

use crate::library;
use anyhow::{Context, anyhow, bail};
use dsl::{Compiled, Request};
use fleet::{Entry, Unmatched};
use model::{Diagnostic, Facts, KindInfo};
use std::path::{Path, PathBuf};

/// What to compile it from.
#[derive(Clone, Debug, clap::Args)]
pub struct Site {
    /// Resources straight from one TOML file, without a site.
    #[arg(short, long, value_name = "FILE", conflicts_with_all = ["roles", "site"])]
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

/// Which hosts, and what to compile for them.
#[derive(Clone, Debug, clap::Args)]
pub struct Target {
    /// Hosts of the inventory: names, globs such as 'db*', or @group.
    #[arg(value_name = "HOST", conflicts_with = "file")]
    pub hosts: Vec<String>,
    /// This machine. Pushing to other machines is not there yet, so this has to be said where the host is touched.
    #[arg(long)]
    pub local: bool,
    #[command(flatten)]
    pub site: Site,
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

impl From<anyhow::Error> for Refusal {
    fn from(error: anyhow::Error) -> Self {
        Self::Other(error)
    }
}

impl Target {
    /// The one host whose catalog this machine is to have; `None` where it is in no inventory.
    pub fn one_host(&self) -> Result<Option<String>, Refusal> {
        let chosen = self.site.choose(&self.hosts)?;
        let mut many = chosen.iter().cloned();
        let (first, second) = (many.next(), many.next());
        let refused = match (self.local, second) {
            (true, None) => return Ok(first),
            (true, Some(_)) => {
                anyhow!("--local is one machine: say which of {} it is", chosen.join(", "))
            }
            (false, Some(_)) => anyhow!(
                "{} are {} machines, and this version works only on the one it runs on, with --local; pushing \
                 to others comes next",
                chosen.join(", "),
                chosen.len()
            ),
            (false, None) => anyhow!(
                "say --local: this version works on the machine it runs on; pushing to others comes next"
            ),
        };
        Err(Refusal::Other(refused))
    }
}

impl Site {
    /// The hosts that `patterns` mean; none for a machine that is in no inventory.
    pub fn choose(&self, patterns: &[String]) -> Result<Vec<String>, Refusal> {
        if !patterns.is_empty() {
            return self.select(patterns);
        }
        if self.file.is_none() && self.roles.is_empty() {
            self.require()?;
            return Err(Refusal::Other(anyhow!(
                "say which host of the inventory is meant, or give it roles with --role"
            )));
        }
        Ok(Vec::new())
    }

    /// The hosts that `patterns` mean, in the order of the inventory.
    pub fn select(&self, patterns: &[String]) -> Result<Vec<String>, Refusal> {
        let hosts: Vec<Entry> = self.inventory()?;
        fleet::select(&hosts, patterns).map_err(|error| {
            let (Unmatched::Host { pattern, known } | Unmatched::Group { pattern, known }) = &error else {
                return Refusal::Other(error.into());
            };
            let advice = dsl::advice(pattern, known.iter().map(String::as_str));
            let advice = advice.unwrap_or_else(|| "declare it in hosts.toml".to_owned());
            Refusal::Other(anyhow!("{error}: {advice}"))
        })
    }

    /// All hosts of the inventory, in its order.
    pub fn inventory(&self) -> Result<Vec<Entry>, Refusal> {
        self.require()?;
        let hosts = dsl::hosts(self.root(), &library::Files).map_err(Refusal::Diagnostics)?;
        Ok(hosts.into_iter().map(|host| Entry { name: host.name, groups: host.groups }).collect())
    }

    /// The directory as its files are named to the user: those of the one we are in have no `./`.
    fn root(&self) -> &Path {
        if self.site == Path::new(".") { Path::new("") } else { &self.site }
    }

    fn require(&self) -> anyhow::Result<()> {
        if !self.site.join("keel.toml").is_file() {
            bail!(
                "there is no keel.toml in {}: give -f FILE, or --site DIR, or make a site with `keel init`",
                self.site.display()
            );
        }
        Ok(())
    }

    /// Compiles for a machine that says `facts` of itself.
    pub fn compile(&self, host: Option<&str>, facts: &Facts) -> Result<Compiled, Refusal> {
        self.with_request(host, facts, dsl::compile)
    }

    /// Calls `then` with the request that these arguments make.
    pub fn with_request<T>(
        &self,
        host: Option<&str>,
        facts: &Facts,
        then: impl FnOnce(&Request<'_>) -> Result<T, Vec<Diagnostic>>,
    ) -> Result<T, Refusal> {
        let (kinds, library, loader) = (kinds(), library::roots(), library::Files);
        let entry = match &self.file {
            Some(file) => dsl::Entry::File(file),
            None => {
                self.require()?;
                dsl::Entry::Site { root: self.root(), host, roles: &self.roles }
            }
        };
        let request =
            Request { entry, facts, sets: &self.sets, library: &library, kinds: &kinds, loader: &loader };
        then(&request).map_err(Refusal::Diagnostics)
    }

    /// Which source of catalogs this is: resources that leave it are told from those of another.
    pub fn scope(&self, host: Option<&str>) -> anyhow::Result<String> {
        let place = self.file.as_deref().unwrap_or(&self.site);
        let place = absolute(place)?;
        Ok(match (&self.file, host) {
            (Some(_), _) => format!("file {}", place.display()),
            (None, Some(host)) => format!("site {} host {host}", place.display()),
            (None, None) => format!("site {} roles {}", place.display(), self.roles.join(",")),
        })
    }

    /// The same in a few words, for the journal.
    pub fn words(&self, host: Option<&str>) -> String {
        let mut words = vec!["--local".to_owned()];
        words.extend(host.map(str::to_owned));
        words.extend(self.file.iter().map(|file| format!("-f {}", file.display())));
        words.extend(self.roles.iter().map(|role| format!("--role {role}")));
        words.join(" ")
    }
}

fn absolute(path: &Path) -> anyhow::Result<PathBuf> {
    std::fs::canonicalize(path).with_context(|| format!("cannot find {}", path.display()))
}
