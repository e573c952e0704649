//! A text of the user and places in it. Every later stage points here; nothing here reads files.

use model::{Origin, Span};
use std::sync::{Arc, OnceLock};

/// Byte range within a source. A source is at most 16 MiB, so 32 bits do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Extent {
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Extent {
    /// An extent from a range of bytes.
    pub fn new(range: std::ops::Range<usize>) -> Self {
        let clamp = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        Self { start: clamp(range.start), end: clamp(range.end) }
    }

    /// As a range of bytes.
    pub fn range(self) -> std::ops::Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// One text with the name the user knows it by.
#[derive(Debug)]
pub struct Source {
    file: Arc<str>,
    text: Arc<str>,
    lines: OnceLock<Vec<u32>>,
}

impl Source {
    /// Takes a text.
    pub fn new(file: &str, text: &str) -> Arc<Self> {
        Arc::new(Self { file: file.into(), text: text.into(), lines: OnceLock::new() })
    }

    /// The whole text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// A stretch of it, for a diagnostic.
    pub fn span(&self, at: Extent) -> Span {
        Span { file: self.file.clone(), text: self.text.clone(), range: at.range() }
    }

    /// The word that starts at `start`, up to `limit`; at least one character.
    pub fn word(&self, start: usize, limit: usize) -> Extent {
        let tail = self.text.get(start..limit).unwrap_or("");
        let word = tail.find(|one: char| !(one.is_alphanumeric() || matches!(one, '_' | '-')));
        let first = tail.chars().next().map_or(0, char::len_utf8);
        Extent::new(start..start + word.unwrap_or(tail.len()).max(first))
    }

    /// Line and column of the start of a stretch. The lines are indexed once: many nodes ask.
    pub fn origin(&self, at: Extent) -> Origin {
        let lines = self.lines.get_or_init(|| {
            let ends = memchr::memchr_iter(b'\n', self.text.as_bytes());
            std::iter::once(0).chain(ends.map(|at| at as u32 + 1)).collect()
        });
        let line = lines.partition_point(|start| *start <= at.start).max(1);
        let start = lines.get(line - 1).copied().unwrap_or(0) as usize;
        let col = self.text.get(start..at.start as usize).map_or(0, |head| head.chars().count()) + 1;
        Origin { file: self.file.to_string(), line: line as u32, col: col as u32 }
    }
}

/// A stretch of one source.
#[derive(Clone, Debug)]
pub struct Place {
    /// The text.
    pub source: Arc<Source>,
    /// Where in it.
    pub at: Extent,
}

impl Place {
    /// For a diagnostic.
    pub fn span(&self) -> Span {
        self.source.span(self.at)
    }

    /// Line and column of its start.
    pub fn origin(&self) -> Origin {
        self.source.origin(self.at)
    }
}

#[cfg(test)]
mod tests {
    use super::{Extent, Source};

    #[test]
    fn origin_counts_lines_and_characters_from_one() {
        let source = Source::new("a", "x\nühm = 1\n");
        let at = |start| source.origin(Extent::new(start..start)).to_string();
        assert_eq!([at(0), at(2), at(4), at(1)], ["a:1:1", "a:2:1", "a:2:2", "a:1:2"]);
    }

    #[test]
    fn origin_agrees_with_the_span() {
        let source = Source::new("a", "one\ntwo = é\n\nthree");
        for at in (0..source.text().len()).filter(|at| source.text().is_char_boundary(*at)) {
            let at = Extent::new(at..at);
            assert_eq!(source.origin(at), source.span(at).origin());
        }
    }
}
