//! What a module or a role says of itself: its documentation and its inputs. Evaluates nothing.

use crate::findings::Findings;
use crate::inputs::InputDecl;
use crate::loader::Loader;
use crate::source::Source;
use crate::texts::Texts;
use crate::types::InputType;
use crate::unit::Reader;
use model::{Diagnostic, Field, KindInfo, Merge, Runtime, Taint};
use std::path::Path;

/// The documentation of a resources file.
#[derive(Clone, Debug, PartialEq)]
pub struct Manual {
    /// What it is for; empty where it does not say.
    pub doc: String,
    /// Its inputs, in the order of the text.
    pub inputs: Vec<Field>,
}

/// Reads what the file at `path` says of itself; `None` where there is no such file.
///
/// Errors with everything that is wrong in its text.
pub fn manual(
    path: &Path,
    kinds: &[&dyn KindInfo],
    loader: &dyn Loader,
) -> Result<Option<Manual>, Vec<Diagnostic>> {
    let mut findings = Findings::default();
    let found = Reader { loader, kinds, texts: &Texts::default() }.parts(path, &mut findings);
    if findings.errors() > 0 {
        return Err(findings.finish());
    }
    Ok(found.map(|(source, parts)| Manual {
        doc: parts.doc.clone().unwrap_or_default(),
        inputs: parts.inputs.iter().flat_map(|input| fields(input, "", &source)).collect(),
    }))
}

/// An input, and the fields of its tables: `sites.NAME.port` where each of a map of tables has a port.
fn fields(input: &InputDecl, above: &str, source: &Source) -> Vec<Field> {
    let mut below = format!("{above}{}", input.name);
    let mut own = field(input, source);
    own.name.clone_from(&below);
    let mut kind = &input.kind;
    let inner = loop {
        match kind {
            InputType::Map(of) => (kind, below) = (of, format!("{below}.NAME")),
            InputType::List(of) => (kind, below) = (of, format!("{below}[]")),
            InputType::Table(inner) => break inner.as_slice(),
            _ => break &[],
        }
    };
    let below = format!("{below}.");
    std::iter::once(own).chain(inner.iter().flat_map(|one| fields(one, &below, source))).collect()
}

/// An input in the form of a key of a kind.
fn field(input: &InputDecl, source: &Source) -> Field {
    let choices = input.choices.iter().flatten().map(ToString::to_string).collect::<Vec<_>>().join(" or ");
    let default = input
        .default
        .as_ref()
        .and_then(|item| source.text().get(item.at.start as usize..item.at.end as usize));
    let secret = input.kind.holds_secrets();
    Field {
        name: input.name.clone(),
        doc: input.doc.clone().unwrap_or_default(),
        expects: if choices.is_empty() { input.kind.to_string() } else { choices },
        required: input.default.is_none() && !input.optional,
        default: default.filter(|_| !secret).unwrap_or("").to_owned(),
        merge: Merge::Equal,
        taint: if secret { Taint::Always } else { Taint::Never },
        runtime: Runtime::Plain,
    }
}
