//! One resources file in its place: a bare file, a role, or one instance of a module.

use crate::document;
use crate::findings::{Findings, whole_file};
use crate::inventory::Inventory;
use crate::loader::Loader;
use crate::parts::{self, Parts};
use crate::source::Source;
use crate::texts::{Declared, Texts};
use model::{Diagnostic, KindInfo};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// No text of a user is larger than this, in bytes.
pub const LARGEST: usize = 16 << 20;

/// What a unit is to the others.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Name {
    /// The file of `-f FILE`.
    File,
    /// A role.
    Role(String),
    /// An instance of a module.
    Module(String),
}

impl Name {
    /// The name of the instance, where it is one of a module.
    pub fn module(&self) -> Option<&str> {
        match self {
            Self::Module(name) => Some(name),
            _ => None,
        }
    }

    /// What data layers know its inputs by; nothing for a bare file.
    pub fn key(&self) -> &str {
        match self {
            Self::Role(name) | Self::Module(name) => name,
            Self::File => "",
        }
    }
}

impl std::fmt::Display for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File => f.write_str("file"),
            Self::Role(name) => write!(f, "role {name}"),
            Self::Module(name) => write!(f, "module {name}"),
        }
    }
}

/// One resources file in its place.
#[derive(Debug)]
pub struct Unit {
    /// What it is to the others.
    pub name: Name,
    /// Its text.
    pub source: Arc<Source>,
    /// What it declares.
    pub parts: Arc<Parts>,
    /// Where `source` looks, in order.
    pub files: Vec<PathBuf>,
    /// Where `template` looks, in order.
    pub templates: Vec<PathBuf>,
}

/// What reading texts takes.
#[derive(Clone, Copy)]
pub struct Reader<'a> {
    /// The one way to files.
    pub loader: &'a dyn Loader,
    /// The kinds there are.
    pub kinds: &'a [&'a dyn KindInfo],
    /// What was read and parsed already.
    pub texts: &'a Texts,
}

impl Reader<'_> {
    /// Reads a text; `None` where there is no such file, or where it cannot be used, which has then been told.
    pub fn text(&self, path: &Path, findings: &mut Findings) -> Option<Arc<Source>> {
        self.texts.source(path, findings, |findings| self.read(path, findings))
    }

    fn read(&self, path: &Path, findings: &mut Findings) -> Option<Arc<Source>> {
        let name = path.display().to_string();
        let mut refuse = |message: String, help: &str| {
            findings.push(Diagnostic::error("unreadable", message, whole_file(&name)).help(help));
            None
        };
        let bytes = match self.loader.read(path) {
            Err(error) => {
                return refuse(format!("cannot read {name}: {error}"), "check its type and its permissions");
            }
            Ok(bytes) => bytes?,
        };
        if bytes.len() > LARGEST {
            return refuse(
                format!("{name} is larger than 16 MiB"),
                "take large content from a file by `source`",
            );
        }
        match String::from_utf8(bytes) {
            Ok(text) => Some(Source::new(&name, &text)),
            Err(error) => {
                let good = error.utf8_error().valid_up_to();
                let text = String::from_utf8_lossy(error.as_bytes());
                let source = Source::new(&name, &text);
                let at = crate::source::Extent::new(good..good + '\u{fffd}'.len_utf8());
                let message = "this is not UTF-8".to_owned();
                findings.push(
                    Diagnostic::error("syntax", message, source.span(at)).help("save the file as UTF-8"),
                );
                None
            }
        }
    }

    /// Reads the declarations of a resources file. `None` where there is no such file; one that is no TOML is told
    /// and declares nothing.
    pub fn parts(&self, path: &Path, findings: &mut Findings) -> Option<Declared> {
        self.texts.resources(path, findings, |findings| self.split(path, findings))
    }

    fn split(&self, path: &Path, findings: &mut Findings) -> Option<Declared> {
        let before = findings.errors();
        let Some(source) = self.text(path, findings) else {
            let told = findings.errors() > before;
            return told.then(|| (Source::new(&path.display().to_string(), ""), Arc::default()));
        };
        let parts = match document::parse(&source, findings) {
            Some(root) => parts::split(&source, root, self.kinds, findings),
            None => Parts::default(),
        };
        Some((source, Arc::new(parts)))
    }

    /// Reads an inventory. `None` where there is no such file, or where it cannot be used, which has then been told.
    pub fn inventory(&self, path: &Path, findings: &mut Findings) -> Option<Arc<Inventory>> {
        self.texts.inventory(path, findings, |findings| {
            let source = self.text(path, findings)?;
            Some(Arc::new(Inventory::read(&source, findings)))
        })
    }
}
