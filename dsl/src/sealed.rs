//! Secrets at rest: `{ secret = "NAME" }` where a value of the type `secret` is given stands for what `secrets/NAME.age` holds. Finds
//! those references and reads the files; who can open one is handed in as an [`Unseal`]. Only text of the user names a secret: no
//! template does, so that no host chooses what it is given.

use crate::context::Both;
use crate::document::{Item, Table, Value};
use crate::findings::Findings;
use crate::nearest::{did_you_mean, nearest};
use crate::parts::is_plain_name;
use crate::request::{Entry, Request};
use crate::source::{Extent, Place, Source};
use crate::types::InputType;
use model::{Diagnostic, Secret, Severity};
use serde_json::Value as Json;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The one key of a reference.
const KEY: &str = "secret";
/// The value of a secret that is not opened and need not be: good for all that kinds check, a password's hash among it.
const ANY: &str = "*";
/// How the name of a secret's file ends.
pub const SECRET_ENDING: &str = ".age";

/// Whether a secret can have that name.
pub fn is_secret_name(name: &str) -> bool {
    is_plain_name(name)
}

/// Opens what is sealed.
pub trait Unseal {
    /// The bytes of the secret `name`, of whose file `sealed` is the content; `None` where nobody will look at them, and any others do.
    ///
    /// # Errors
    /// Why it stays closed.
    fn unseal(&self, name: &str, sealed: &[u8]) -> Result<Option<Secret<Vec<u8>>>, Closed>;
}

/// Why a secret was not opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closed {
    /// As a warning it is told, and compiling goes on with something in place of the value.
    pub severity: Severity,
    /// What is the matter, without a final stop.
    pub message: String,
    /// How to go on.
    pub help: String,
}

/// Opens nothing: for what is compiled without anybody's keys.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoKeys;

impl Unseal for NoKeys {
    fn unseal(&self, name: &str, _: &[u8]) -> Result<Option<Secret<Vec<u8>>>, Closed> {
        let message = format!("the secret `{name}` is not opened here");
        let help = "no keys were given to open it with".to_owned();
        Err(Closed { severity: Severity::Error, message, help })
    }
}

/// The directory of the secrets that a request may name.
pub fn secrets_of(entry: &Entry<'_>) -> PathBuf {
    match entry {
        Entry::File(file) => file.parent().unwrap_or(Path::new("")).join("secrets"),
        Entry::Site { root, .. } => root.join("secrets"),
    }
}

/// A secret that is named in place of a value.
#[derive(Clone, Debug)]
pub struct Reference {
    /// Its name.
    name: String,
    /// Where the name stands.
    place: Place,
    /// Keys and positions that lead to it in the value.
    path: Vec<String>,
}

/// What [`taken`] makes of a value.
pub struct Taken {
    /// The value, with a text in place of each reference.
    pub item: Item,
    /// What was named.
    pub references: Vec<Reference>,
}

/// Takes the references out of a value that is given to an input of the type `kind`. `None` and told where one is malformed.
pub fn taken(kind: &InputType, item: &Item, source: &Arc<Source>, findings: &mut Findings) -> Option<Taken> {
    let before = findings.errors();
    let mut taken = Taken { item: item.clone(), references: Vec::new() };
    if kind.holds_secrets() {
        let mut taker = Taker { source, findings, references: &mut taken.references, path: Vec::new() };
        taker.take(kind, &mut taken.item);
    }
    (findings.errors() == before).then_some(taken)
}

/// The places in a table that is given where a secret is wanted which may hold the secret itself, by a slip.
pub fn literals(table: &Table) -> Vec<Extent> {
    match name_of(table) {
        Some(_) => Vec::new(),
        None => table.entries.iter().map(|entry| entry.item.at).collect(),
    }
}

/// What to write where a reference stands in place of a value of another type.
pub fn misplaced(item: &Item) -> Option<String> {
    let Value::Table(table) = &item.value else { return None };
    let help =
        "a secret is given to an input of the type \"secret\", and taken from there: {{ inputs.NAME }}";
    name_of(table).map(|_| help.to_owned())
}

/// The name in a reference, where it is one.
fn name_of(table: &Table) -> Option<&str> {
    match table.entries.as_slice() {
        [entry] if entry.key == KEY => match &entry.item.value {
            Value::Text(name) if is_secret_name(name) => Some(name),
            _ => None,
        },
        _ => None,
    }
}

struct Taker<'a> {
    source: &'a Arc<Source>,
    findings: &'a mut Findings,
    references: &'a mut Vec<Reference>,
    path: Vec<String>,
}

impl Taker<'_> {
    fn take(&mut self, kind: &InputType, item: &mut Item) {
        match (kind, &mut item.value) {
            (InputType::Secret, Value::Table(table)) => match name_of(table) {
                Some(name) => {
                    let name = name.to_owned();
                    let place = Place { source: self.source.clone(), at: name_at(table, item.at) };
                    item.value = Value::Text(stand_in(&name));
                    self.references.push(Reference { name, place, path: self.path.clone() });
                }
                None => self.malformed(table, item.at),
            },
            (InputType::List(of), Value::Array(items)) => {
                for (at, item) in items.iter_mut().enumerate() {
                    self.within(at.to_string(), of, item);
                }
            }
            (InputType::Map(of), Value::Table(table)) => {
                for entry in &mut table.entries {
                    self.within(entry.key.clone(), of, &mut entry.item);
                }
            }
            (InputType::Table(fields), Value::Table(table)) => {
                for entry in &mut table.entries {
                    if let Some(field) = fields.iter().find(|field| field.name == entry.key) {
                        self.within(entry.key.clone(), &field.kind, &mut entry.item);
                    }
                }
            }
            _ => {}
        }
    }

    fn within(&mut self, step: String, kind: &InputType, item: &mut Item) {
        self.path.push(step);
        self.take(kind, item);
        self.path.pop();
    }

    /// Nothing of the value is shown: it may be the secret itself.
    fn malformed(&mut self, table: &Table, whole: Extent) {
        for at in literals(table) {
            self.findings.hide(Place { source: self.source.clone(), at });
        }
        let example = "write { secret = \"NAME\" } for what `keel secret create NAME` has sealed";
        let mut wrong = |message: String, at, help: &str| {
            self.findings.push(Diagnostic::error("bad-secret", message, self.source.span(at)).help(help));
        };
        for entry in table.entries.iter().filter(|entry| entry.key != KEY) {
            let help = did_you_mean(&entry.key, [KEY]).unwrap_or_else(|| example.to_owned());
            wrong(format!("unknown key `{}` where a secret is named", entry.key), entry.at, &help);
        }
        match table.get(KEY).map(|entry| (&entry.item.value, entry.item.at)) {
            Some((Value::Text(name), at)) if name.contains("{{") => {
                wrong(
                    "the name of a secret is no template".to_owned(),
                    at,
                    "write it out, for each host or group that has another",
                );
            }
            Some((Value::Text(name), at)) if !is_secret_name(name) => {
                let help = "its name is made of letters, digits, `-` and `_`";
                wrong("no secret can have this name".to_owned(), at, help);
            }
            Some((Value::Text(_), _)) => {}
            Some((other, at)) => {
                wrong(
                    format!("the name of a secret is a string, not {}", other.type_name()),
                    at,
                    "write it in quotes",
                );
            }
            None if table.entries.is_empty() => wrong("this names no secret".to_owned(), whole, example),
            None => {}
        }
    }
}

fn name_at(table: &Table, whole: Extent) -> Extent {
    table.get(KEY).map_or(whole, |entry| entry.item.at)
}

/// Stands for the value until the layer is known that holds: the same for the same secret, and equal to nothing that is written.
fn stand_in(name: &str) -> String {
    format!("\u{1}sealed {name}\u{1}")
}

/// Opens the secrets that one request names.
pub struct Opener<'a> {
    /// What is compiled.
    pub request: &'a Request<'a>,
}

impl Opener<'_> {
    /// Puts what was sealed in the places of the references. What cannot be had is told.
    pub fn open(
        &self,
        references: &[Reference],
        kind: &InputType,
        value: Both,
        findings: &mut Findings,
    ) -> Both {
        let Both { mut real, masked } = value;
        for reference in references {
            let text = match self.text(reference) {
                Ok(text) => text,
                Err(diagnostic) => {
                    findings.push(*diagnostic);
                    None
                }
            };
            let place = reference.path.iter().try_fold(&mut real, |value, step| match value {
                Json::Array(items) => items.get_mut(step.parse::<usize>().ok()?),
                other => other.get_mut(step),
            });
            if let Some(place) = place {
                *place = Json::String(text.unwrap_or_else(|| ANY.to_owned()));
            }
        }
        kind.taint(Both::new(real, masked))
    }

    /// The value of one; nothing where anything does.
    ///
    /// # Errors
    /// What to tell the user.
    pub fn text(&self, reference: &Reference) -> Result<Option<String>, Box<Diagnostic>> {
        let Reference { name, place, .. } = reference;
        let error = |code, message: String, help: String| {
            Box::new(Diagnostic::error(code, message, place.span()).help(help))
        };
        let path = secrets_of(&self.request.entry).join(format!("{name}{SECRET_ENDING}"));
        let sealed = self.request.loader.read(&path).map_err(|why| {
            let message = format!("cannot read {}: {why}", path.display());
            error("unreadable", message, "check its type and its permissions".to_owned())
        })?;
        let Some(sealed) = sealed else { return Err(self.missing(reference)) };
        let opened = self.request.unseal.unseal(name, &sealed).map_err(|closed| {
            let told = error("closed-secret", closed.message, closed.help);
            Box::new(Diagnostic { severity: closed.severity, ..*told })
        })?;
        let Some(bytes) = opened else { return Ok(None) };
        String::from_utf8(bytes.expose().clone()).map(Some).map_err(|_| {
            let help = format!(
                "a secret is text: seal it anew with `keel secret edit {name}`, in base64 where it is none"
            );
            error("closed-secret", format!("the secret `{name}` is not UTF-8"), help)
        })
    }

    fn missing(&self, reference: &Reference) -> Box<Diagnostic> {
        let Reference { name, place, .. } = reference;
        let folder = secrets_of(&self.request.entry);
        let make = format!("make it with `keel secret create {name}`");
        let help = match self.request.loader.list(&folder) {
            Err(why) => format!("cannot list {}: {why}", folder.display()),
            Ok(files) => {
                match nearest(name, files.iter().filter_map(|file| file.strip_suffix(SECRET_ENDING))) {
                    Some(near) => format!("did you mean `{near}`? Else {make}"),
                    None => make,
                }
            }
        };
        let message = format!("there is no secret `{name}`");
        Box::new(Diagnostic::error("missing-secret", message, place.span()).help(help))
    }
}
