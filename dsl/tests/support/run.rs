//! Compiles small sites in memory, and tells what came out in few words.

use dsl::{Closed, Compiled, Entry, LayerValue, Memory, Request, Texts, Unseal};
use model::{Catalog, Diagnostic, Facts, KindInfo, Secret, Severity};
use std::path::{Path, PathBuf};

/// A site below `s/`, with a library below `lib/`.
pub struct Site {
    files: Memory,
    sets: Vec<(String, String)>,
}

/// A site whose one host `web1` has the role `web`.
pub fn site(role: &str) -> Site {
    let files = Memory::default()
        .with("s/keel.toml", "[project]\nname = \"s\"\n")
        .with("s/hosts.toml", "[host.web1]\nroles = [\"web\"]\n")
        .with("s/roles/web.toml", role);
    Site { files, sets: Vec::new() }
}

impl Site {
    /// Adds or replaces a file.
    pub fn with(self, path: &str, text: impl Into<Vec<u8>>) -> Self {
        Self { files: self.files.with(path, text), ..self }
    }

    /// Adds a `--set`.
    pub fn set(mut self, key: &str, value: &str) -> Self {
        self.sets.push((key.to_owned(), value.to_owned()));
        self
    }

    fn request<T>(&self, run: impl FnOnce(&Request<'_>) -> T) -> T {
        let kinds = crate::support::kinds();
        let kinds: Vec<&dyn KindInfo> = kinds.iter().map(|kind| kind as &dyn KindInfo).collect();
        let facts = Facts { hostname: "box".into(), ..Facts::default() };
        let library = [PathBuf::from("lib")];
        let entry = Entry::Site { root: Path::new("s"), host: Some("web1"), roles: &[] };
        let (sets, loader) = (self.sets.as_slice(), &self.files);
        let texts = &Texts::default();
        let (facts, library, kinds) = (&facts, &library, &kinds);
        run(&Request { entry, facts, sets, library, kinds, loader, unseal: &Toy, texts })
    }

    /// What is wrong without its facts: codes and places.
    pub fn check(&self) -> Vec<String> {
        told(&self.request(dsl::check).err().unwrap_or_default())
    }

    /// What `web1` is to be.
    pub fn run(&self) -> Result<Compiled, Vec<Diagnostic>> {
        self.request(dsl::compile)
    }

    /// Where a value comes from: `layer place value`, the winner marked.
    pub fn explain(&self, key: &str) -> Vec<String> {
        let show = |one: LayerValue| {
            format!("{} {} {}{}", one.layer, one.origin, one.value, if one.wins { " wins" } else { "" })
        };
        self.request(|request| dsl::explain_value(request, key)).expect(key).into_iter().map(show).collect()
    }

    /// Codes and places of what is wrong.
    pub fn codes(&self) -> Vec<String> {
        told(&self.run().err().unwrap_or_default())
    }

    /// Ids, in order.
    pub fn ids(&self) -> Vec<String> {
        ids(&self.run().expect("compiles").catalog)
    }
}

/// Opens what begins with `open `, and nothing else; what begins with `later ` is a warning.
struct Toy;

impl Unseal for Toy {
    fn unseal(&self, name: &str, sealed: &[u8]) -> Result<Option<Secret<Vec<u8>>>, Closed> {
        if let Some(value) = sealed.strip_prefix(b"open ") {
            return Ok(Some(Secret::new(value.to_vec())));
        }
        let severity = if sealed.starts_with(b"later ") { Severity::Warning } else { Severity::Error };
        Err(Closed { severity, message: format!("no key for {name}"), help: "find one".to_owned() })
    }
}

/// Codes and places.
fn told(found: &[Diagnostic]) -> Vec<String> {
    found.iter().map(|one| format!("{} {}", one.code, one.labels[0].span.origin())).collect()
}

/// Ids, in order.
pub fn ids(catalog: &Catalog) -> Vec<String> {
    catalog.nodes().iter().map(|node| node.id.to_string()).collect()
}
