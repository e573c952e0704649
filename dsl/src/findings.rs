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
    hidden: Vec<Place>,
}

impl Findings {
    /// One more.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        self.list.push(diagnostic);
    }

    /// As many more as there are.
    pub fn extend(&mut self, diagnostics: impl IntoIterator<Item = Diagnostic>) {
        self.list.extend(diagnostics);
    }

    /// Marks a literal of a source as secret: no rendered line may show it.
    pub fn hide(&mut self, place: Place) {
        self.hidden.push(place);
    }

    /// How many errors there are; warnings do not count.
    pub fn errors(&self) -> usize {
        self.list.iter().filter(|one| one.severity == Severity::Error).count()
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
        let mut blanked: BTreeMap<Arc<str>, String> = BTreeMap::new();
        for place in &self.hidden {
            let text =
                blanked.entry(place.source.file().clone()).or_insert_with(|| place.source.text().to_owned());
            let range = place.at.range();
            if let Some(literal) = text.get(range.clone()) {
                text.replace_range(range, &blank(literal));
            }
        }
        let blanked: BTreeMap<Arc<str>, Arc<str>> =
            blanked.into_iter().map(|(file, text)| (file, text.into())).collect();
        for label in self.list.iter_mut().flat_map(|one| &mut one.labels) {
            if let Some(text) = blanked.get(&label.span.file)
                && text.len() == label.span.text.len()
            {
                label.span.text = text.clone();
            }
        }
    }
}

/// The same number of bytes and the same lines, without a letter of the secret.
fn blank(literal: &str) -> String {
    let keep = |one: char| matches!(one, '"' | '\'' | '\n' | '\r');
    literal
        .chars()
        .flat_map(|one| std::iter::repeat_n(if keep(one) { one } else { '*' }, one.len_utf8()))
        .collect()
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
