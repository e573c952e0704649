//! Diagnostics as text: code, message, file:line:col, the lines with carets, and the way out. Reads no file: the text
//! travels in the spans. Prints nothing.

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{Annotation, AnnotationKind, Element, Level, Origin, Renderer, Snippet};
use model::{Diagnostic, Label, Severity};

/// Labels of one file that are further apart, in bytes, are shown apart.
const APART: usize = 8 * 1024;

/// Whether the output is for a terminal that shows colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Color {
    /// Plain text.
    Never,
    /// With escape sequences.
    Always,
}

/// All diagnostics, a blank line after each.
pub fn render(diagnostics: &[Diagnostic], color: Color) -> String {
    let renderer = match color {
        Color::Never => Renderer::plain(),
        Color::Always => Renderer::styled(),
    };
    let renderer = renderer.decor_style(DecorStyle::Ascii);
    diagnostics.iter().map(|one| format!("{}\n\n", render_one(one, &renderer))).collect()
}

fn render_one(diagnostic: &Diagnostic, renderer: &Renderer) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let mut elements: Vec<Element<'_>> = Vec::new();
    let mut rest: Vec<(&Label, AnnotationKind)> = diagnostic
        .labels
        .iter()
        .zip(std::iter::once(AnnotationKind::Primary).chain(std::iter::repeat(AnnotationKind::Context)))
        .collect();
    while let Some((first, _)) = rest.first().copied() {
        let (near, far) = rest.into_iter().partition(|(label, _)| is_near(first, label));
        elements.push(snippet(near));
        rest = far;
    }
    elements.extend(diagnostic.help.as_deref().map(|help| Element::from(Level::HELP.message(help))));
    let title = level.primary_title(&diagnostic.message).id(diagnostic.code);
    renderer.render(&[title.elements(elements)])
}

fn is_near(one: &Label, other: &Label) -> bool {
    one.span.file == other.span.file && one.span.range.start.abs_diff(other.span.range.start) < APART
}

/// The lines that the labels stand in, and no more of the text: it may be large.
fn snippet<'a>(labels: Vec<(&'a Label, AnnotationKind)>) -> Element<'a> {
    let Some((first, _)) = labels.first() else { return Element::from(Level::NOTE.message("")) };
    let text: &'a str = &first.span.text;
    let file: &'a str = &first.span.file;
    if text.is_empty() {
        return Origin::path(file).into();
    }
    let starts = || labels.iter().map(|(label, _)| floor(text, label.span.range.start));
    let from = starts()
        .min()
        .map_or(0, |at| text.get(..at).and_then(|head| head.rfind('\n')).map_or(0, |at| at + 1));
    let to = starts().max().map_or(text.len(), |at| line_end(text, at));
    let line = text.get(..from).map_or(0, |head| head.matches('\n').count()) + 1;
    let source = text.get(from..to).unwrap_or("");
    let annotations = labels.iter().map(|(label, kind)| annotation(label, *kind, from));
    Snippet::source(source).line_start(line).path(file).annotations(annotations).into()
}

/// The part of a label that stands in its first line.
fn annotation<'a>(label: &'a Label, kind: AnnotationKind, from: usize) -> Annotation<'a> {
    let text = &label.span.text;
    let start = floor(text, label.span.range.start);
    let end = floor(text, label.span.range.end).clamp(start, line_end(text, start).max(start));
    let annotation = kind.span(start - from..end - from);
    if label.text.is_empty() { annotation } else { annotation.label(label.text.as_str()) }
}

fn line_end(text: &str, at: usize) -> usize {
    text.get(at..).and_then(|tail| tail.find('\n')).map_or(text.len(), |length| at + length)
}

/// The nearest character boundary at or before `at`.
fn floor(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}
