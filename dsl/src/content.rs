//! `source` and `template`: content that stands in files beside the resources. Nothing outside their directories is read.

use crate::context::{Both, Context};
use crate::draft::Draft;
use crate::findings::Findings;
use crate::source::Place;
use crate::unit::{Reader, Unit};
use model::{Diagnostic, Digest, SECRET_KEY};
use serde_json::{Value as Json, json};
use std::path::{Component, Path, PathBuf};

/// The keys of which a resource has one: each says what its content is.
const CONTENT_KEYS: [&str; 4] = ["content", "content_base64", "source", "template"];

/// A file that a `source` names.
#[derive(Clone, Debug)]
pub struct Found {
    /// Where it is.
    pub path: PathBuf,
    /// SHA-256 of its bytes.
    pub digest: Digest,
    /// Its size in bytes.
    pub size: u64,
}

/// Finds and reads them.
pub struct Contents<'a> {
    /// The one way to files.
    pub reader: Reader<'a>,
}

impl Contents<'_> {
    /// Finds the file that `source = "…"` names.
    pub fn source(&self, unit: &Unit, value: &Both, place: &Place, findings: &mut Findings) -> Option<Found> {
        let name = file_name(value, place, findings)?;
        for path in candidates(&unit.files, name) {
            match self.reader.loader.digest(&path) {
                Ok(Some((digest, size))) => return Some(Found { path, digest, size }),
                Ok(None) => {}
                Err(error) => {
                    let message = format!("cannot read {}: {error}", path.display());
                    findings.push(Diagnostic::error("unreadable", message, place.span()));
                    return None;
                }
            }
        }
        missing(("file", name), &unit.files, place, findings)
    }

    /// What the `source` of a sensitive resource names travels with the secrets, and never among the blobs.
    pub fn hide_source(&self, draft: &mut Draft<'_>, findings: &mut Findings) {
        let Some(found) = draft.source.take() else { return };
        let error = match self.reader.loader.read(&found.path) {
            Ok(Some(bytes)) => {
                let name = format!("{}#content", draft.id);
                draft.params.insert("content".to_owned(), json!({ SECRET_KEY: name }));
                draft.hidden.insert(name, bytes);
                return;
            }
            Ok(None) => "it is gone".to_owned(),
            Err(error) => error,
        };
        let message = format!("cannot read {}: {error}", found.path.display());
        findings.push(Diagnostic::error("unreadable", message, draft.span()));
    }

    /// Renders the file that `template = "…"` names.
    pub fn template(
        &self,
        unit: &Unit,
        (value, context): (&Both, &Context),
        place: &Place,
        findings: &mut Findings,
    ) -> Option<Both> {
        let name = file_name(value, place, findings)?;
        let before = findings.errors();
        let found = candidates(&unit.templates, name).find_map(|path| self.reader.text(&path, findings));
        if findings.errors() > before {
            return None;
        }
        let Some(source) = found else { return missing(("file", name), &unit.templates, place, findings) };
        match context.render(source.text(), context.real()) {
            Ok(real) => {
                let masked = context.masked().map(|masked| context.render(source.text(), masked));
                // A rendering that fails only without the real secret depends on the secret.
                let masked = masked.map(|masked| masked.map_or(Json::Null, Json::String));
                Some(Both::new(Json::String(real), masked))
            }
            Err(error) => {
                let start = offset(source.text(), error.line, error.col);
                let at = source.word(start, source.text().len());
                let diagnostic = Diagnostic::error("bad-template", error.message, source.span(at))
                    .and(place.span(), "rendered for this resource");
                findings.push(Diagnostic { help: error.help, ..diagnostic });
                None
            }
        }
    }
}

/// Tells where a resource says twice what its content is: only the compiler sees all four keys.
pub fn only_one(draft: &Draft<'_>, findings: &mut Findings) {
    let Some(main) = draft.declarations.first() else { return };
    let said: Vec<_> = main
        .resource
        .keys
        .entries
        .iter()
        .filter(|entry| CONTENT_KEYS.contains(&entry.key.as_str()))
        .collect();
    if let [first, .., last] = said.as_slice() {
        let message = format!("`{}` and `{}` both say what the content is", first.key, last.key);
        let diagnostic = Diagnostic::error("conflicting-keys", message, main.source.span(last.at))
            .and(main.source.span(first.at), "said here already")
            .help("leave out one of the two");
        findings.push(diagnostic);
    }
}

/// The value of `source` or `template` as a path below a directory.
pub(crate) fn file_name<'v>(value: &'v Both, place: &Place, findings: &mut Findings) -> Option<&'v str> {
    let mut wrong = |code, message: &str, help: &str| {
        findings.push(Diagnostic::error(code, message, place.span()).help(help));
        None
    };
    let Json::String(name) = &value.real else {
        return wrong("wrong-type", "expected the name of a file", "write it as a string");
    };
    if value.is_secret() {
        return wrong("secret-not-allowed", "a secret in the name of a file", "use another value");
    }
    let inside =
        !name.contains('\0') && Path::new(name).components().all(|part| matches!(part, Component::Normal(_)));
    if name.is_empty() || !inside {
        let help = "name a file below `files/` or `templates/`, without `..` and without a leading /";
        return wrong("path-escape", "this leads out of the directory of the site or module", help);
    }
    Some(name)
}

pub(crate) fn candidates(dirs: &[PathBuf], name: &str) -> impl Iterator<Item = PathBuf> {
    dirs.iter().map(move |dir| dir.join(name))
}

pub(crate) fn missing<T>(
    (what, name): (&str, &str),
    dirs: &[PathBuf],
    place: &Place,
    findings: &mut Findings,
) -> Option<T> {
    let looked: Vec<String> = candidates(dirs, name).map(|path| path.display().to_string()).collect();
    let diagnostic = Diagnostic::error("missing-file", format!("there is no {what} `{name}`"), place.span())
        .help(format!("looked for {}", looked.join(", ")));
    findings.push(diagnostic);
    None
}

/// Byte offset of a line and column, both from 1, the column in characters.
fn offset(text: &str, line: u32, col: u32) -> usize {
    let start: usize = text.split_inclusive('\n').take(line.saturating_sub(1) as usize).map(str::len).sum();
    let rest = text.get(start..).unwrap_or("");
    start + rest.char_indices().nth(col.saturating_sub(1) as usize).map_or(rest.len(), |(at, _)| at)
}
