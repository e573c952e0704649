//! What the tests in boxes say of themselves: `[box.NAME]` and `[suite.NAME]`. Runs nothing; `course` does.

use crate::fields::Fields;
use crate::files::Home;
use crate::subject::{Of, Subject};
use dsl::document::{Table, Value};
use dsl::{Extent, Source};
use model::{Diagnostic, Origin};
use std::sync::Arc;
use std::time::Duration;

/// How long a suite may take unless it says so.
const USUAL: Duration = Duration::from_secs(600);

/// `[box.NAME]`: a box that is to be converged.
#[derive(Clone, Debug)]
pub struct BoxCase {
    /// Its name, `box.NAME`.
    pub name: String,
    /// Where it is declared.
    pub origin: Origin,
    /// What it is converged to.
    pub subject: Subject,
    /// Where the file belongs.
    pub home: Home,
    /// The sort of box it needs; `None` where any will do.
    pub driver: Option<String>,
    /// What is done with the box at the end.
    pub ends: Ends,
    /// What may be there after a rollback, with all below: what packages make of their own, and leave.
    pub leaves: Vec<String>,
    /// Programs that are run in it.
    pub suites: Vec<Suite>,
}

/// What is done with a box at the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ends {
    /// It is destroyed.
    AsItIs,
    /// It is rolled back before, and must be as it was made.
    RolledBack,
}

/// `[suite.NAME]`: a program of the user's own that tests a box, such as bats, serverspec or goss.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suite {
    /// Its name, `suite.NAME`.
    pub name: String,
    /// Where it is declared.
    pub origin: Origin,
    /// What is run in the box, as root. It passed where it ends with 0.
    pub argv: Vec<String>,
    /// What it reads on its standard input: the bytes of this file of the site.
    pub input: Option<String>,
    /// How long it may take.
    pub timeout: Duration,
}

impl BoxCase {
    /// Reads one.
    ///
    /// Errors with all that is wrong in it.
    pub(crate) fn read(of: Of<'_>, table: &Table) -> Result<Self, Vec<Diagnostic>> {
        let mut fields = Fields::of(of.source, format!("[{}]", of.name), table);
        let subject = Subject::take(of, &mut fields);
        let driver = fields.text("driver").map(|(name, _)| name.to_owned());
        let leaves = fields.texts("leaves").into_iter().map(|(path, _)| path.to_owned()).collect();
        let ends = if fields.flag("rollback") { Ends::RolledBack } else { Ends::AsItIs };
        let wrong = fields.finish();
        match subject {
            Some(subject) if wrong.is_empty() => Ok(Self {
                name: of.name.to_owned(),
                origin: of.source.origin(of.at),
                subject,
                home: of.home.clone(),
                driver,
                ends,
                leaves,
                suites: Vec::new(),
            }),
            _ => Err(wrong),
        }
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

impl Suite {
    /// Reads one.
    ///
    /// Errors with all that is wrong in it.
    pub(crate) fn read(of: Of<'_>, table: &Table) -> Result<Self, Vec<Diagnostic>> {
        let mut fields = Fields::of(of.source, format!("[{}]", of.name), table);
        let argv: Vec<String> = fields.texts("argv").into_iter().map(|(word, _)| word.to_owned()).collect();
        if argv.is_empty() {
            let message = format!("{} has to say what is run", of.name);
            fields.refuse(("missing-key", message), of.at, "write argv = [\"bats\", \"/srv/tests\"]");
        }
        let input = fields.text("input").map(|(name, _)| name.to_owned());
        let timeout = match fields.text("timeout") {
            None => Some(USUAL),
            Some((text, at)) => dsl::duration(text).map(Duration::from_secs).or_else(|| {
                let message = format!("`{text}` is no duration");
                fields.refuse(
                    ("bad-value", message),
                    at,
                    "write a whole number with s, m or h, such as \"60s\"",
                );
                None
            }),
        };
        let wrong = fields.finish();
        match timeout {
            Some(timeout) if wrong.is_empty() => {
                let (name, origin) = (of.name.to_owned(), of.source.origin(of.at));
                Ok(Self { name, origin, argv, input, timeout })
            }
            _ => Err(wrong),
        }
    }
}

/// Reads each table of a sort, such as all of `[box]`.
pub(crate) fn each<T>(
    (home, source, sort): (&Home, &Arc<Source>, &str),
    tables: &Table,
    read: impl Fn(Of<'_>, &Table) -> Result<T, Vec<Diagnostic>>,
    wrong: &mut Vec<Diagnostic>,
) -> Vec<T> {
    let mut all = Vec::new();
    for entry in &tables.entries {
        let name = format!("{sort}.{}", entry.key);
        let of = Of { home, source, name: &name, at: entry.at };
        let Value::Table(table) = &entry.item.value else {
            wrong.push(mistyped(&name, entry.item.value.type_name(), (source, entry.at)));
            continue;
        };
        match read(of, table) {
            Ok(one) => all.push(one),
            Err(found) => wrong.extend(found),
        }
    }
    all
}

fn mistyped(name: &str, found: &str, (source, at): (&Arc<Source>, Extent)) -> Diagnostic {
    let message = format!("{name} is a table, not {found}");
    Diagnostic::error("wrong-type", message, source.span(at)).help(format!("write [{name}]"))
}
