//! What is wrong with the user's input, shown: as text with places, or a JSON line each.

use super::color::wanted;
use super::diagnostics::render;
use super::out::{line, note};
use crate::format::Format;
use model::{Diagnostic, Severity};

/// Shows all of them.
pub fn show(diagnostics: &[Diagnostic], format: Format) {
    match format {
        Format::Json => diagnostics.iter().for_each(|one| line(&json(one))),
        Format::Human if diagnostics.is_empty() => {}
        Format::Human => note(&text(diagnostics)),
    }
}

/// All of them as text.
pub fn text(diagnostics: &[Diagnostic]) -> String {
    render(diagnostics, wanted(&std::io::stderr())).trim_end().to_owned()
}

/// All of them as plain text.
#[cfg(all(target_os = "linux", not(feature = "elsewhere")))]
pub fn plain(diagnostics: &[Diagnostic]) -> String {
    render(diagnostics, super::diagnostics::Color::Never).trim_end().to_owned()
}

/// One of them as a line of JSON.
pub fn json(diagnostic: &Diagnostic) -> String {
    let place =
        |label: &model::Label| serde_json::json!({ "origin": label.span.origin(), "text": label.text });
    let places: Vec<_> = diagnostic.labels.iter().map(place).collect();
    let severity = match diagnostic.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    serde_json::json!({
        "event": "diagnostic",
        "severity": severity,
        "code": diagnostic.code,
        "message": diagnostic.message,
        "places": places,
        "help": diagnostic.help,
    })
    .to_string()
}
