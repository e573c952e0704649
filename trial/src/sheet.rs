//! One file of tests, read: what it declares, and what is wrong with it. The tables of checks are somebody else's to read.

use crate::fields::Fields;
use crate::files::Home;
use crate::subject::Of;
use crate::unit::Case;
use dsl::document::{Table, Value, read};
use dsl::{Extent, Loader, Source};
use model::{Diagnostic, Span};
use std::path::Path;
use std::sync::Arc;

/// Tables of a file of tests.
const TABLES: &str = "a file of tests has [unit.NAME] and [check.NAME]";

/// What stands in one file of tests.
#[derive(Debug)]
pub struct Sheet {
    /// Where it belongs.
    pub home: Home,
    /// The file.
    pub source: Arc<Source>,
    /// Tests without a host.
    pub units: Vec<Case>,
}

impl Sheet {
    /// Reads a file.
    ///
    /// Errors with all that is wrong in it.
    pub fn read(home: Home, path: &Path, loader: &dyn Loader) -> Result<Self, Vec<Diagnostic>> {
        let file = path.display().to_string();
        let unreadable = |why: String| {
            let span = Span { file: file.as_str().into(), text: "".into(), range: 0..0 };
            vec![Diagnostic::error("unreadable", format!("cannot read {file}: {why}"), span)]
        };
        let bytes =
            loader.read(path).map_err(unreadable)?.ok_or_else(|| unreadable("it is gone".to_owned()))?;
        let text = String::from_utf8(bytes).map_err(|_| unreadable("it is not UTF-8".to_owned()))?;
        let source = Source::new(&file, &text);
        let table = read(&source)?;
        let mut fields = Fields::of(&source, "a file of tests", &table);
        // The parser of checks reads them.
        fields.take("check");
        let units = fields.table("unit").map(|(table, _)| table);
        let mut wrong = Vec::new();
        for entry in fields.rest() {
            let message = format!("unknown table `{}` of a file of tests", entry.key);
            let help = dsl::advice(&entry.key, ["unit", "check"]).filter(|help| help.starts_with("did"));
            let help = help.unwrap_or_else(|| TABLES.to_owned());
            wrong.push(Diagnostic::error("unknown-key", message, source.span(entry.at)).help(help));
        }
        wrong.extend(fields.finish());
        let mut sheet = Self { home, source: source.clone(), units: Vec::new() };
        sheet.units = units.map(|units| sheet.cases(units, &mut wrong)).unwrap_or_default();
        if wrong.is_empty() { Ok(sheet) } else { Err(wrong) }
    }

    /// True where it is the file at `path`, as the user names it.
    pub fn is_at(&self, path: &Path) -> bool {
        let own = self.source.span(Extent::default()).file;
        *own == *path.to_string_lossy()
    }

    fn cases(&self, units: &Table, wrong: &mut Vec<Diagnostic>) -> Vec<Case> {
        let mut cases = Vec::new();
        for entry in &units.entries {
            let name = format!("unit.{}", entry.key);
            let of = Of { home: &self.home, source: &self.source, name: &name, at: entry.at };
            let Value::Table(table) = &entry.item.value else {
                let message = format!("{name} is a table, not {}", entry.item.value.type_name());
                let found = Diagnostic::error("wrong-type", message, self.source.span(entry.at));
                wrong.push(found.help(format!("write [{name}]")));
                continue;
            };
            match Case::read(of, table) {
                Ok(case) => cases.push(case),
                Err(found) => wrong.extend(found),
            }
        }
        cases
    }
}
