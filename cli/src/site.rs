//! What to compile: the arguments that most verbs share. Which machines are meant is `machines`' business.

use crate::library::{self, Files};
use crate::vault;
use anyhow::{Context, anyhow, bail};
use dsl::{Compiled, Host, Request, Tests, TestsWanted};
use fleet::{Entry, Unmatched};
use model::{Diagnostic, Facts, KindInfo};
use std::path::{Path, PathBuf};

/// What to compile it from.
#[derive(Clone, Debug, Default, clap::Args)]
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
    /// The same with what a file holds, standard input for `-`: for secrets, which the arguments of a program would show to
    /// everybody on this machine; may be repeated.
    #[arg(long = "set-file", value_name = "KEY=FILE", value_parser = held)]
    pub set_files: Vec<(String, String)>,
    /// A private key that opens secrets, besides ~/.ssh/id_ed25519 and ~/.ssh/id_rsa; may be repeated.
    #[arg(long = "unseal-with", value_name = "FILE")]
    pub identities: Vec<PathBuf>,
    /// True where its files are in a bundle.
    #[arg(skip)]
    pub is_packed: bool,
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("write KEY=VALUE")?;
    Ok((key.to_owned(), value.to_owned()))
}

/// A key, and what the file holds as a string of TOML.
fn held(text: &str) -> Result<(String, String), String> {
    let (key, file) = pair(text).map_err(|_| "write KEY=FILE")?;
    let value = vault::held(Path::new(&file)).map_err(|error| format!("{error:#}"))?;
    let text = String::from_utf8(value.expose().clone()).map_err(|_| "it is not UTF-8")?;
    // Strings of JSON are strings of TOML, but for this one character.
    Ok((key, serde_json::Value::String(text).to_string().replace('\u{7f}', "\\u007f")))
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

impl Site {
    /// The site in a directory, and nothing said besides.
    pub fn at(dir: impl Into<PathBuf>) -> Self {
        Self { site: dir.into(), ..Self::default() }
    }

    /// True where what to compile does not come from the inventory: no host needs to be in it.
    pub fn is_direct(&self) -> bool {
        self.file.is_some() || !self.roles.is_empty()
    }

    /// The hosts of the inventory that `patterns` mean, in its order.
    pub fn select(&self, patterns: &[String], files: &Files) -> Result<Vec<Host>, Refusal> {
        let hosts = self.inventory(files)?;
        let entry = |host: &Host| Entry { name: host.name.clone(), groups: host.groups.clone() };
        let entries: Vec<Entry> = hosts.iter().map(entry).collect();
        let names = chosen(&entries, patterns, "declare it in hosts.toml")?;
        Ok(hosts.into_iter().filter(|host| names.contains(&host.name)).collect())
    }

    /// All hosts of the inventory, in its order.
    pub fn inventory(&self, files: &Files) -> Result<Vec<Host>, Refusal> {
        self.require()?;
        dsl::hosts(self.root(), files).map_err(Refusal::Diagnostics)
    }

    /// Whether there is a site.
    pub fn is_there(&self) -> bool {
        self.is_packed || self.site.join("keel.toml").is_file()
    }

    /// The directory as its files are named to the user: those of the one we are in have no `./`.
    pub fn root(&self) -> &Path {
        if self.site == Path::new(".") { Path::new("") } else { &self.site }
    }

    /// There has to be a site.
    pub fn require(&self) -> anyhow::Result<()> {
        if !self.is_there() {
            bail!(
                "there is no keel.toml in {}: give -f FILE, or --site DIR, or make a site with `keel init`",
                self.site.display()
            );
        }
        Ok(())
    }

    /// Compiles for a machine that says `facts` of itself.
    pub fn compile(&self, host: Option<&str>, facts: &Facts, files: &Files) -> Result<Compiled, Refusal> {
        self.with_request((host, facts), files, dsl::compile)
    }

    /// What the tests files say for a machine that says `facts` of itself. The file of `-f` is one of them here, and the only one.
    pub fn tests(&self, host: Option<&str>, facts: &Facts, files: &Files) -> Result<Tests, Refusal> {
        let wanted = TestsWanted {
            file: self.file.as_deref(),
            subjects: agent::checks::SUBJECTS,
            faults: agent::drills::FAULTS,
        };
        self.with_request((host, facts), files, |request| dsl::tests(request, &wanted))
    }

    /// What is wrong already without knowing a host's facts; nothing, as far as that can be told.
    pub fn check(&self, host: Option<&str>, files: &Files) -> Result<(), Refusal> {
        self.with_request((host, &Facts::default()), files, dsl::check)
    }

    /// Calls `then` with the request that these arguments make.
    pub fn with_request<T>(
        &self,
        (host, facts): (Option<&str>, &Facts),
        files: &Files,
        then: impl FnOnce(&Request<'_>) -> Result<T, Vec<Diagnostic>>,
    ) -> Result<T, Refusal> {
        let (kinds, library) = (kinds(), library::roots());
        let entry = match &self.file {
            Some(file) => dsl::Entry::File(file),
            None => {
                self.require()?;
                dsl::Entry::Site { root: self.root(), host, roles: &self.roles }
            }
        };
        let unseal = files.vault.opener(&dsl::secrets_of(&entry), &self.identities);
        let sets = [&self.sets[..], &self.set_files].concat();
        let (sets, library, kinds, loader, texts) = (&sets, &library, &kinds, files, &files.texts);
        let request = Request { entry, facts, sets, library, kinds, loader, unseal: &unseal, texts };
        then(&request).map_err(Refusal::Diagnostics)
    }

    /// Which source of catalogs this is: resources that leave it are told from those of another.
    /// A site that has a name is known by it, wherever somebody has checked it out.
    pub fn scope(&self, host: Option<&str>, project: Option<&str>) -> anyhow::Result<String> {
        if let Some(file) = &self.file {
            return Ok(format!("file {}", absolute(file)?.display()));
        }
        let site = match project {
            Some(name) => format!("project {name}"),
            None => format!("site {}", absolute(&self.site)?.display()),
        };
        Ok(match host {
            Some(host) => format!("{site} host {host}"),
            None => format!("{site} roles {}", self.roles.join(",")),
        })
    }

    /// The same in a few words, for the journal. `machine` is how the host was named.
    pub fn words(&self, machine: &[&str]) -> String {
        let mut words: Vec<String> = machine.iter().map(|word| (*word).to_owned()).collect();
        words.extend(self.file.iter().map(|file| format!("-f {}", file.display())));
        words.extend(self.roles.iter().map(|role| format!("--role {role}")));
        words.join(" ")
    }
}

/// The names of the hosts that `patterns` mean. `otherwise` is the advice where no name is near to a wrong one.
pub fn chosen(hosts: &[Entry], patterns: &[String], otherwise: &str) -> Result<Vec<String>, Refusal> {
    fleet::select(hosts, patterns).map_err(|error| {
        let (Unmatched::Host { pattern, known } | Unmatched::Group { pattern, known }) = &error else {
            return Refusal::Other(error.into());
        };
        let advice = dsl::advice(pattern, known.iter().map(String::as_str));
        let advice = advice.unwrap_or_else(|| otherwise.to_owned());
        Refusal::Other(anyhow!("{error}: {advice}"))
    })
}

fn absolute(path: &Path) -> anyhow::Result<PathBuf> {
    std::fs::canonicalize(path).with_context(|| format!("cannot find {}", path.display()))
}
