//! What is wrong with a template, and where. Never holds a value of the context: it may be secret.

use std::fmt;

/// A template that cannot be rendered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// Line in the source, from 1.
    pub line: u32,
    /// Column in the source, from 1, in characters.
    pub col: u32,
    /// One sentence without a final stop.
    pub message: String,
    /// What to write instead.
    pub help: Option<String>,
}

impl Error {
    /// An error at a byte offset of `source`.
    pub(super) fn new(source: &str, offset: usize, message: impl Into<String>) -> Self {
        let (line, col) = line_col(source, offset);
        Self { line, col, message: message.into(), help: None }
    }

    /// The way out.
    pub(super) fn help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.line, self.col, self.message)
    }
}

impl std::error::Error for Error {}

/// Line and column of a byte offset, both from 1, the column in characters.
pub(super) fn line_col(source: &str, offset: usize) -> (u32, u32) {
    let upto = source.get(..offset).unwrap_or(source);
    let line = upto.bytes().filter(|byte| *byte == b'\n').count() + 1;
    let col = upto.rsplit('\n').next().map_or(0, |tail| tail.chars().count()) + 1;
    (line as u32, col as u32)
}

/// Byte offset of a line and column as [`line_col`] counts them; the end of the source where there is no such place.
pub(super) fn offset(source: &str, (line, col): (usize, usize)) -> usize {
    let start: usize = source.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    let within = source[start..].char_indices().nth(col.saturating_sub(1)).map(|(at, _)| at);
    within.map_or(source.len(), |at| start + at)
}

/// What a helper found wrong while rendering; travels through the renderer as its nested error.
#[derive(Debug)]
pub(super) struct Fault {
    /// Byte offset in the source, where it is known better than by the tag.
    pub(super) offset: Option<usize>,
    /// One sentence without a final stop.
    pub(super) message: String,
    /// What to write instead.
    pub(super) help: Option<String>,
}

impl Fault {
    /// A fault of the tag that is being rendered.
    pub(super) fn raise(message: impl Into<String>, help: Option<String>) -> handlebars::RenderError {
        Self { offset: None, message: message.into(), help }.wrap()
    }

    /// Makes it the renderer's.
    pub(super) fn wrap(self) -> handlebars::RenderError {
        handlebars::RenderErrorReason::NestedError(Box::new(self)).into()
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Fault {}
