//! What a test is about: a module, roles, a host of the inventory or a file of resources, with the inputs that the test gives it. It
//! becomes a request of the compiler; what is wrong with the inputs is told at their places in the file of tests.

use crate::fields::Fields;
use crate::files::Home;
use dsl::document::Table;
use dsl::{Entry, Extent, LeavesOut, Loader, Request, Source, Texts, Unseal};
use model::{Diagnostic, Digest, Facts, KindInfo, SourceTree};
use serde_json::Value as Json;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What compiling takes, whatever is compiled.
#[derive(Clone, Copy)]
pub struct Means<'a> {
    /// The kinds there are.
    pub kinds: &'a [&'a dyn KindInfo],
    /// Directories that hold `modules/` and `roles/`, looked through after those of a site.
    pub library: &'a [PathBuf],
    /// The one way to files.
    pub loader: &'a (dyn Loader + Sync),
    /// Who can open the secrets of the site.
    pub unseal: &'a (dyn Unseal + Sync),
    /// What was parsed for other tests already.
    pub texts: &'a Texts,
}

/// What a test is about.
#[derive(Clone, Debug)]
pub struct Subject {
    /// A name that no other test of this call has, made of letters, digits, `-` and `_`.
    label: String,
    what: What,
    /// Values by the inputs' names; with the places of these.
    inputs: Vec<(String, Extent, Json)>,
    /// Values by the names that `--set` knows them by.
    sets: Vec<(String, Extent, Json)>,
    source: Arc<Source>,
    at: Extent,
}

#[derive(Clone, Debug, PartialEq)]
enum What {
    Module(String),
    Roles(Vec<String>),
    Host(String),
    File(PathBuf),
}

/// Which test it is of.
#[derive(Clone, Copy)]
pub struct Of<'a> {
    /// Where the file of tests belongs.
    pub home: &'a Home,
    /// The file of tests.
    pub source: &'a Arc<Source>,
    /// The test, such as `unit.defaults`.
    pub name: &'a str,
    /// Where that stands.
    pub at: Extent,
}

impl Subject {
    /// Takes what it is about from a test's keys; the module that the tests belong to unless something else is said.
    pub fn take(of: Of<'_>, fields: &mut Fields<'_>) -> Option<Self> {
        let mut said: Vec<What> = Vec::new();
        said.extend(fields.text("module").map(|(name, _)| What::Module(name.to_owned())));
        said.extend(fields.text("role").map(|(name, _)| What::Roles(vec![name.to_owned()])));
        let roles: Vec<String> = fields.texts("roles").into_iter().map(|(name, _)| name.to_owned()).collect();
        said.extend(Some(roles).filter(|roles| !roles.is_empty()).map(What::Roles));
        said.extend(fields.text("host").map(|(name, _)| What::Host(name.to_owned())));
        said.extend(fields.text("file").map(|(name, _)| What::File(plain(&of.home.tests().join(name)))));
        let own = || of.home.module().map(|name| What::Module(name.to_owned()));
        let what = match said.len() {
            1 => said.pop(),
            0 => own(),
            _ => None,
        };
        let values = |found: Option<(&Table, Extent)>| -> Vec<(String, Extent, Json)> {
            let entries = found.into_iter().flat_map(|(table, _)| &table.entries);
            entries.map(|entry| (entry.key.clone(), entry.at, entry.item.plain())).collect()
        };
        let (inputs, sets) = (values(fields.table("inputs")), values(fields.table("set")));
        let Some(what) = what else {
            let message = format!("{} has to say what it is about", of.name);
            let help = "say one of module = \"NAME\", role = \"NAME\", roles = […], host = \"NAME\" or file = \"FILE\"";
            fields.refuse(("missing-subject", message), of.at, help);
            return None;
        };
        if let (What::Host(_), Some((_, at, _))) = (&what, inputs.first()) {
            let message = "a host has no inputs of its own".to_owned();
            fields.refuse(("bad-value", message), *at, "write set = { \"NAME.INPUT\" = … }");
        }
        let name = of.source.span(of.at).file;
        let label = format!("{}-{name}", of.name).replace(|one: char| !one.is_ascii_alphanumeric(), "-");
        Some(Self { label, what, inputs, sets, source: of.source.clone(), at: of.at })
    }

    /// True where it is the module or role that the user calls `word`: by its name, or with what it is before that.
    pub fn is_called(&self, word: &str) -> bool {
        self.names()
            .iter()
            .any(|name| name == word || name.split_once('.').is_some_and(|(_, bare)| bare == word))
    }

    /// What it is, such as `module.nginx`.
    pub fn names(&self) -> Vec<String> {
        match &self.what {
            What::Module(name) => vec![format!("module.{name}")],
            What::Roles(roles) => roles.iter().map(|name| format!("role.{name}")).collect(),
            What::Host(name) => vec![format!("host.{name}")],
            What::File(_) => Vec::new(),
        }
    }

    /// Calls `then` with the request that it makes, for a host that says `facts` of itself.
    ///
    /// Errors with what `then` finds, at places of the user's own files.
    pub fn with_request<T>(
        &self,
        home: &Home,
        (facts, means): (&Facts, Means<'_>),
        then: impl FnOnce(&Request<'_>) -> Result<T, Vec<Diagnostic>>,
    ) -> Result<T, Vec<Diagnostic>> {
        let root = home.root();
        let (role, path) = (self.label.clone(), root.join("roles").join(format!("{}.toml", self.label)));
        let mut beside = vec![(path.clone(), self.text())];
        if home.is_library() {
            // A library is no site: it has nothing to say of itself.
            beside.push((root.join("keel.toml"), "[project]\n".to_owned()));
        }
        let loader = Beside { loader: means.loader, texts: beside };
        let roles = match &self.what {
            What::Roles(roles) => roles.clone(),
            What::Module(_) => vec![role],
            What::Host(_) | What::File(_) => Vec::new(),
        };
        let entry = match &self.what {
            What::File(file) => Entry::File(file),
            What::Host(host) => Entry::Site { root, host: Some(host), roles: &[] },
            What::Module(_) | What::Roles(_) => Entry::Site { root, host: None, roles: &roles },
        };
        let Means { kinds, library, unseal, texts, .. } = means;
        let sets = self.sets();
        let request = Request { entry, facts, sets: &sets, library, kinds, loader: &loader, unseal, texts };
        then(&request).map_err(|found| found.into_iter().map(|one| self.placed(one, &path)).collect())
    }

    /// The role that uses the module: a line for its header, and one for each input.
    fn text(&self) -> String {
        let What::Module(module) = &self.what else { return String::new() };
        let header = format!("[module.{}]\n", Json::String(module.clone()));
        let lines =
            self.inputs.iter().map(|(name, _, value)| format!("{} = {}\n", quoted(name), inline(value)));
        std::iter::once(header).chain(lines).collect()
    }

    fn sets(&self) -> Vec<(String, String)> {
        let own = match &self.what {
            What::Module(_) | What::Host(_) => &[],
            What::Roles(_) | What::File(_) => &self.inputs[..],
        };
        let own = own.iter().map(|(name, _, value)| (self.set_key(name), inline(value)));
        own.chain(self.sets.iter().map(|(key, _, value)| (key.clone(), inline(value)))).collect()
    }

    /// What `--set` calls an input.
    fn set_key(&self, name: &str) -> String {
        match &self.what {
            What::Roles(roles) => format!("{}.{name}", roles.first().map_or("", String::as_str)),
            _ => name.to_owned(),
        }
    }

    /// A diagnostic whose places are all in files of the user.
    fn placed(&self, mut found: Diagnostic, path: &Path) -> Diagnostic {
        let path = path.display().to_string();
        for label in &mut found.labels {
            let at = if *label.span.file == *path {
                let line = label.span.line_col().0 as usize;
                line.checked_sub(2).and_then(|line| self.inputs.get(line)).map_or(self.at, |(_, at, _)| *at)
            } else if &*label.span.file == "--set" {
                let key = label.span.text.split('=').next().unwrap_or("");
                let is_meant =
                    |(name, ..): &&(String, Extent, Json)| name == key || self.set_key(name) == key;
                self.sets.iter().chain(&self.inputs).find(is_meant).map_or(self.at, |(_, at, _)| *at)
            } else if &*label.span.file == "--role" {
                self.at
            } else {
                continue;
            };
            label.span = self.source.span(at);
        }
        found
    }
}

/// The files, and texts that are in none.
struct Beside<'a> {
    loader: &'a dyn Loader,
    texts: Vec<(PathBuf, String)>,
}

impl Loader for Beside<'_> {
    fn read(&self, path: &Path) -> Result<Option<Vec<u8>>, String> {
        match self.texts.iter().find(|(own, _)| own == path) {
            Some((_, text)) => Ok(Some(text.clone().into_bytes())),
            None => self.loader.read(path),
        }
    }

    fn digest(&self, path: &Path) -> Result<Option<(Digest, u64)>, String> {
        self.loader.digest(path)
    }

    fn list(&self, dir: &Path) -> Result<Vec<String>, String> {
        self.loader.list(dir)
    }

    fn tree(&self, dir: &Path, leaves_out: LeavesOut<'_>) -> Result<Option<SourceTree>, String> {
        self.loader.tree(dir, leaves_out)
    }
}

/// A path without `.` and `..`, as far as names can tell: the library is no place that a system could resolve.
pub(crate) fn plain(path: &Path) -> PathBuf {
    use std::path::Component;
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if matches!(out.components().next_back(), Some(Component::Normal(_))) => {
                out.pop();
            }
            other => out.push(other),
        }
    }
    out
}

/// A value in one line of TOML.
fn inline(value: &Json) -> String {
    match value {
        Json::String(text) => quoted(text),
        Json::Array(items) => format!("[{}]", items.iter().map(inline).collect::<Vec<_>>().join(", ")),
        Json::Object(map) => {
            let entry = |(key, value): (&String, &Json)| format!("{} = {}", quoted(key), inline(value));
            format!("{{ {} }}", map.iter().map(entry).collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}

/// Strings of JSON are strings of TOML, but for this one character.
fn quoted(text: &str) -> String {
    Json::String(text.to_owned()).to_string().replace('\u{7f}', "\\u007f")
}

#[cfg(test)]
mod tests {
    use super::{inline, plain};
    use serde_json::json;
    use std::path::Path;

    #[test]
    fn a_value_is_the_same_in_one_line() {
        let value = json!({ "a": ["x\n\u{7f}\"", 1, 1.5, true], "b c": { "d": {} } });
        let text = format!("x = {}\n", inline(&value));
        let table = dsl::document::read(&dsl::Source::new("t", &text)).unwrap();
        assert_eq!(table.get("x").unwrap().item.plain(), value);
    }

    #[test]
    fn a_path_loses_its_dots() {
        for (path, expected) in
            [("a/tests/../x.toml", "a/x.toml"), ("tests/../../x", "../x"), ("library:/m/./x", "library:/m/x")]
        {
            assert_eq!(plain(Path::new(path)), Path::new(expected));
        }
    }
}
