//! What is wrong with the user's input, shown: as text with places, or a JSON line each.

use super::diagnostics::{Color, render};
use super::out::{line, note};
use crate::args::Format;
use model::{Diagnostic, Severity};
use std::io::IsTerminal;

/// Shows all of them.
pub fn show(diagnostics: &[Diagnostic], format: Format) {
    match format {
        Format::Json => diagnostics.iter().for_each(|one| line(&json(one))),
        Format::Human if diagnostics.is_empty() => {}
        Format::Human => note(render(diagnostics, color()).trim_end()),
    }
}

/// Colours on a terminal, unless `NO_COLOR` is set (no-color.org).
fn color() -> Color {
    let wanted = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    if wanted && std::io::stderr().is_terminal() { Color::Always } else { Color::Never }
}

fn json(diagnostic: &Diagnostic) -> String {
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
