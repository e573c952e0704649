//! What is wrong with the user's input: collected, coded, spanned, each with a way out. Rendering is the CLI's.

use std::ops::Range;
use std::sync::Arc;

/// A stretch of a source text. The text travels along so that rendering reads no file again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// The file as the user would name it.
    pub file: Arc<str>,
    /// The whole text of that file.
    pub text: Arc<str>,
    /// Byte range within `text`.
    pub range: Range<usize>,
}

impl Span {
    /// Line and column of the start, both from 1, the column in characters.
    pub fn line_col(&self) -> (u32, u32) {
        let upto = self.text.get(..self.range.start).unwrap_or(&self.text);
        let line = upto.bytes().filter(|byte| *byte == b'\n').count() + 1;
        let col = upto.rsplit('\n').next().map_or(0, |tail| tail.chars().count()) + 1;
        (line as u32, col as u32)
    }

    /// The same place as an [`crate::Origin`].
    pub fn origin(&self) -> crate::Origin {
        let (line, col) = self.line_col();
        crate::Origin { file: self.file.to_string(), line, col }
    }
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Compilation goes on and succeeds.
    Warning,
    /// No catalog is made.
    Error,
}

/// A marked place with a few words beside it. The first label of a diagnostic is its main place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// Where.
    pub span: Span,
    /// What is to be said right there; may be empty.
    pub text: String,
}

/// One problem in the user's input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Stable code, kebab-case, such as `unknown-key`.
    pub code: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// One sentence without a final stop.
    pub message: String,
    /// Places, the main one first.
    pub labels: Vec<Label>,
    /// What to type instead, or how to go on.
    pub help: Option<String>,
}

impl Diagnostic {
    /// An error at `span`.
    pub fn error(code: &'static str, message: impl Into<String>, span: Span) -> Self {
        let labels = vec![Label { span, text: String::new() }];
        Self { code, severity: Severity::Error, message: message.into(), labels, help: None }
    }

    /// A warning at `span`.
    pub fn warning(code: &'static str, message: impl Into<String>, span: Span) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, message, span) }
    }

    /// Words beside the main place.
    pub fn at(mut self, text: impl Into<String>) -> Self {
        if let Some(first) = self.labels.first_mut() {
            first.text = text.into();
        }
        self
    }

    /// A further place.
    pub fn and(mut self, span: Span, text: impl Into<String>) -> Self {
        self.labels.push(Label { span, text: text.into() });
        self
    }

    /// The way out.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}
