//! `source` of a directory: what lies in a directory beside the resources becomes the resource's `tree`. Nothing outside is read.

use crate::content::{Contents, candidates, file_name, missing};
use crate::context::Both;
use crate::findings::Findings;
use crate::source::Place;
use crate::unit::Unit;
use model::{Diagnostic, Globs, SourceTree};
use serde_json::Value as Json;
use std::path::PathBuf;
use std::sync::Arc;

/// A directory that a `source` names.
#[derive(Debug)]
pub struct FoundTree {
    /// Where it is.
    pub path: PathBuf,
    /// What lies in it.
    pub tree: SourceTree,
}

impl Contents<'_> {
    /// Finds the directory that `source = "…"` names, without what the globs in `excluded` match.
    pub fn tree(
        &self,
        unit: &Unit,
        (value, excluded): (&Both, Option<&Json>),
        place: &Place,
        findings: &mut Findings,
    ) -> Option<Arc<FoundTree>> {
        let name = file_name(value, place, findings)?;
        let texts = excluded.and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_str);
        let texts: Vec<String> = texts.map(str::to_owned).collect();
        let globs = globs(&texts);
        for path in candidates(&unit.files, name) {
            let found = self.reader.texts.tree((&path, &texts), || {
                let tree = self.reader.loader.tree(&path, &|path| globs.is_match(path))?;
                Ok(tree.map(|tree| Arc::new(FoundTree { path: path.clone(), tree })))
            });
            match found {
                Ok(Some(found)) => return Some(found),
                Ok(None) => {}
                Err(error) => {
                    let message = format!("cannot read {}: {error}", path.display());
                    let help =
                        "check its type, its permissions and what lies in it, or leave that out by `exclude`";
                    findings.push(Diagnostic::error("unreadable", message, place.span()).help(help));
                    return None;
                }
            }
        }
        missing(("directory", name), &unit.files, place, findings)
    }
}

/// As the kind reads them; what is no glob the kind tells.
fn globs(texts: &[String]) -> Globs {
    let mut globs = Globs::default();
    texts.iter().for_each(|text| drop(globs.add(text)));
    globs
}
