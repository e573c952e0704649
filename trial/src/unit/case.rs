//! One test without a host: reads it, compiles what it is about, and has the result judged.

use crate::facts;
use crate::fields::Fields;
use crate::files::Home;
use crate::outcome::Outcome;
use crate::subject::{Means, Of, Subject};
use crate::unit::expect::Expect;
use crate::unit::judge::Judge;
use dsl::document::Table;
use dsl::{Extent, Source};
use model::{Diagnostic, Facts};
use std::sync::Arc;
use std::time::Instant;

/// `[unit.NAME]` of a file of tests.
#[derive(Clone, Debug)]
pub struct Case {
    /// Its name, `unit.NAME`.
    pub name: String,
    home: Home,
    source: Arc<Source>,
    at: Extent,
    subject: Subject,
    facts: Facts,
    expect: Expect,
}

impl Case {
    /// Reads one.
    ///
    /// Errors with all that is wrong in it.
    pub(crate) fn read(of: Of<'_>, table: &Table) -> Result<Self, Vec<Diagnostic>> {
        let mut fields = Fields::of(of.source, format!("[{}]", of.name), table);
        let subject = Subject::take(of, &mut fields);
        let facts = match fields.table("facts").map(|(table, _)| facts::with(of.source, table)) {
            None => facts::usual(),
            Some(Ok(facts)) => facts,
            Some(Err(wrong)) => {
                fields.add(wrong);
                facts::usual()
            }
        };
        let expect = match fields.table("expect") {
            None => Expect::default(),
            Some((table, _)) => Expect::read(of.source, &format!("[{}.expect]", of.name), table)
                .unwrap_or_else(|wrong| {
                    fields.add(wrong);
                    Expect::default()
                }),
        };
        let wrong = fields.finish();
        match subject {
            Some(subject) if wrong.is_empty() => Ok(Self {
                name: of.name.to_owned(),
                home: of.home.clone(),
                source: of.source.clone(),
                at: of.at,
                subject,
                facts,
                expect,
            }),
            _ => Err(wrong),
        }
    }

    /// What came of it.
    pub fn run(&self, means: Means<'_>) -> Outcome {
        let since = Instant::now();
        let compiled = self.subject.with_request(&self.home, (&self.facts, means), dsl::compile);
        let judge = Judge { source: &self.source, at: self.at, loader: means.loader, kinds: means.kinds };
        let faults = judge.faults(&self.expect, compiled);
        let (name, origin) = (self.name.clone(), self.source.origin(self.at));
        Outcome { name, origin, took: since.elapsed(), steps: Vec::new(), faults, skipped: Vec::new() }
    }

    /// True where `word` means it: its own name, or that of what it is about.
    pub fn is_called(&self, word: &str) -> bool {
        self.name == word || self.subject.is_called(word)
    }

    /// The words that mean it.
    pub fn names(&self) -> Vec<String> {
        std::iter::once(self.name.clone()).chain(self.subject.names()).collect()
    }
}
