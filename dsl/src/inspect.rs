//! Lets each kind check its drafts, and learns what they own and need. Runs after merging: two declarations may be
//! complete only together.

use crate::draft::Draft;
use crate::findings::Findings;
use crate::{nearest, sealed, wording};
use model::{Diagnostic, Footprint, Problem, REDACTED, SECRET_KEY, Secrets, Segment};
use serde_json::Value as Json;

/// One footprint for each draft, in the same order; empty for one that is wrong, which has then been told.
pub fn inspect(drafts: &mut [Draft<'_>], findings: &mut Findings) -> Vec<Footprint> {
    drafts.iter_mut().map(|draft| footprint(draft, findings)).collect()
}

fn footprint(draft: &mut Draft<'_>, findings: &mut Findings) -> Footprint {
    if draft.broken {
        return Footprint::default();
    }
    let fields = draft.kind.fields().iter();
    let missing: Vec<_> =
        fields.filter(|field| field.required && !draft.params.contains_key(&field.name)).collect();
    for field in &missing {
        let message = format!("{} lacks the key `{}`", draft.id, field.name);
        let help = format!("add `{} = …` ({})", field.name, field.expects);
        findings.push(Diagnostic::error("missing-key", message, draft.span()).help(help));
    }
    if !missing.is_empty() {
        return Footprint::default();
    }
    let kind = draft.kind;
    let inspected = if draft.hidden.is_empty() && !draft.params.values().any(mentions_secret) {
        // Contents may be large: they are lent and not copied.
        let params = Json::Object(std::mem::take(&mut draft.params));
        let inspected = kind.inspect(draft.id.name(), &params);
        if let Json::Object(params) = params {
            draft.params = params;
        }
        inspected
    } else {
        let mut params = Json::Object(draft.params.clone());
        if let Err(name) = resolve(draft, &mut params) {
            // A key that a resource's own text names `$secret`.
            let message = format!("`{name}` is no secret of {}", draft.id);
            findings.push(
                Diagnostic::error("bad-value", message, draft.span()).help("no key may be called `$secret`"),
            );
            return Footprint::default();
        }
        kind.inspect(draft.id.name(), &params)
    };
    match inspected {
        Ok(footprint) => footprint,
        Err(problems) => {
            problems.into_iter().for_each(|problem| tell(draft, problem, findings));
            Footprint::default()
        }
    }
}

/// Whether any table in there has the key that stands for a secret.
fn mentions_secret(value: &Json) -> bool {
    match value {
        Json::Object(map) => map.contains_key(SECRET_KEY) || map.values().any(mentions_secret),
        Json::Array(items) => items.iter().any(mentions_secret),
        _ => false,
    }
}

fn resolve(draft: &Draft<'_>, params: &mut Json) -> Result<(), String> {
    let mut secrets = Secrets::default();
    for (name, bytes) in &draft.hidden {
        secrets.keep(name.clone(), bytes.clone());
    }
    secrets.resolve(params)
}

fn tell(draft: &Draft<'_>, problem: Problem, findings: &mut Findings) {
    let at = draft.span_of(&problem.path);
    let Problem { message, mut help, path } = problem;
    let mut code = if message.starts_with("invalid type: ") { "wrong-type" } else { "bad-value" };
    let mut text = wording::reword(&message);
    let way_out = if draft.is_templated(&path) { wording::keeps_type } else { wording::way_out };
    help = help.or_else(|| named_secret(draft, &path)).or_else(|| way_out(&text).map(str::to_owned));
    if let Some((word, known)) = wording::unknown_word(&message) {
        code = "unknown-word";
        text = format!("`{word}` is none of the words that may stand here");
        help = help.or_else(|| nearest::advice(word, known));
    }
    let diagnostic = Diagnostic::error(code, redact(draft, text), at);
    findings.push(Diagnostic { help: help.map(|help| redact(draft, help)), ..diagnostic });
}

/// What to write where a key of a resource names a secret as an input may.
fn named_secret(draft: &Draft<'_>, path: &[Segment]) -> Option<String> {
    let Some(Segment::Key(key)) = path.first() else { return None };
    let items = draft.declarations.iter().filter_map(|one| one.resource.keys.get(key));
    items.map(|entry| &entry.item).find_map(sealed::misplaced)
}

/// A kind may quote the value it refuses; that of a secret it must not show.
fn redact(draft: &Draft<'_>, text: String) -> String {
    let secrets = draft.hidden.values().filter_map(|bytes| std::str::from_utf8(bytes).ok());
    secrets.filter(|secret| !secret.is_empty()).fold(text, |text, secret| text.replace(secret, REDACTED))
}
