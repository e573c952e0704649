//! Collects what is wrong, so that all of it is told at once: sorted by place, without repetition, without secrets.

use crate::source::Place;
use model::{Diagnostic, Severity, Span};
use std::collections::BTreeMap;
use std::sync::Arc;

/// More than this many errors help nobody.
const MOST: usize = 200;

/// What has been found so far.
#[derive(Debug, Default)]
pub struct Findings {
    list: Vec<Diagnostic>,
    errors: usize,
    hidden: Vec<Place>,
}

impl Findings {
    /// One more.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        self.errors += usize::from(diagnostic.severity == Severity::Error);
        self.list.push(diagnostic);
    }

    /// As many more as there are.
    pub fn extend(&mut self, diagnostics: impl IntoIterator<Item = Diagnostic>) {
        diagnostics.into_iter().for_each(|one| self.push(one));
    }

    /// All that others have found, once more.
    pub fn take_over(&mut self, found: &Self) {
        self.list.extend_from_slice(&found.list);
        self.errors += found.errors;
        self.hidden.extend_from_slice(&found.hidden);
    }

    /// Marks a literal of a source as secret: no rendered line may show it.
    pub fn hide(&mut self, place: Place) {
        self.hidden.push(place);
    }

    /// How many errors there are; warnings do not count.
    pub fn errors(&self) -> usize {
        self.errors
    }

    /// Everything by file and place.
    pub fn finish(mut self) -> Vec<Diagnostic> {
        self.blank_secrets();
        let key = |one: &Diagnostic| {
            let main = one.labels.first().map(|label| (label.span.file.clone(), label.span.range.start));
            (main, one.code, one.message.clone())
        };
        self.list.sort_by_cached_key(key);
        self.list.dedup_by(|next, kept| key(next) == key(kept));
        self.list.truncate(MOST);
        self.list
    }

    /// Replaces the letters of every secret literal in the texts that travel with the diagnostics.
    fn blank_secrets(&mut self) {
        let mut texts: BTreeMap<*const u8, Arc<str>> = BTreeMap::new();
        for label in self.list.iter_mut().flat_map(|one| &mut one.labels) {
            let text = &mut label.span.text;
            let blanked = texts.entry(text.as_ptr()).or_insert_with(|| {
                let here = self.hidden.iter().filter(|place| std::ptr::eq(place.source.text(), &**text));
                here.fold(text.clone(), |text, place| blank(&text, place.at.range()))
            });
            *text = blanked.clone();
        }
    }
}

/// The text with the letters of one stretch replaced, byte for byte and line for line.
fn blank(text: &Arc<str>, range: std::ops::Range<usize>) -> Arc<str> {
    let (Some(head), Some(literal), Some(tail)) =
        (text.get(..range.start), text.get(range.clone()), text.get(range.end..))
    else {
        return text.clone();
    };
    let keep = |one: char| matches!(one, '"' | '\'' | '\n' | '\r');
    let star = |one: char| std::iter::repeat_n(if keep(one) { one } else { '*' }, one.len_utf8());
    let stars: String = literal.chars().flat_map(star).collect();
    [head, &stars, tail].concat().into()
}

/// A place without a text: a file that cannot be read, or is not there.
pub fn whole_file(file: &str) -> Span {
    Span { file: file.into(), text: "".into(), range: 0..0 }
}

#[cfg(test)]
mod tests {
    use super::Findings;
    use crate::source::{Extent, Place, Source};
    use model::Diagnostic;

    #[test]
    fn secrets_are_blanked_byte_for_byte() {
        let source = Source::new("a", "p = \"hüsh\"\n");
        let mut findings = Findings::default();
        findings.hide(Place { source: source.clone(), at: Extent::new(4..11) });
        findings.push(Diagnostic::error("x", "x", source.span(Extent::new(0..1))));
        let text = findings.finish().remove(0).labels.remove(0).span.text;
        assert_eq!(&*text, "p = \"*****\"\n");
    }
}
