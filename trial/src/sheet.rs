//! One file of tests, read: what it declares, and what is wrong with it. The tables of checks are somebody else's to read.

use crate::fields::Fields;
use crate::files::{Home, Wanted};
use crate::subject::plain;
use crate::suite::{BoxCase, Suite, each};
use crate::unit::Case;
use dsl::document::{Table, read};
use dsl::{Extent, Loader, Source};
use model::{Diagnostic, Span};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Tables of a file of tests.
const TABLES: &str =
    "a file of tests has [unit.NAME], [box.NAME], [suite.NAME], [check.NAME] and [drill.NAME]";

/// What stands in one file of tests.
#[derive(Debug)]
pub struct Sheet {
    /// Where it belongs.
    pub home: Home,
    /// The file.
    pub source: Arc<Source>,
    /// Tests without a host.
    pub units: Vec<Case>,
    /// Tests in boxes.
    pub boxes: Vec<BoxCase>,
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
        Self::parse(home, &Source::new(&file, &text))
    }

    /// What a test says that nobody has written: a box with the module or role that the user calls `word`, and with the module where both
    /// are called so. `None` where there is neither.
    pub fn of_word(word: &str, wanted: Wanted<'_>, loader: &dyn Loader) -> Option<Self> {
        let (sort, name) = word.split_once('.').unwrap_or(("", word));
        let is_name = |one: char| one.is_ascii_alphanumeric() || matches!(one, '-' | '_');
        if name.is_empty() || !name.chars().all(is_name) {
            return None;
        }
        let is_there = |path: PathBuf| loader.read(&path).is_ok_and(|file| file.is_some());
        let below = |of: &str| wanted.library.iter().map(|root| root.join(of)).collect::<Vec<_>>();
        let modules = wanted.modules.iter().cloned().chain(below("modules"));
        let roles = wanted.site.map(|root| root.join("roles")).into_iter().chain(below("roles"));
        let is_module = modules.into_iter().any(|dir| is_there(dir.join(name).join("module.toml")));
        let is_role = roles.into_iter().any(|dir| is_there(dir.join(format!("{name}.toml"))));
        let sort = match sort {
            "" | "module" if is_module => "module",
            "" | "role" if is_role => "role",
            _ => return None,
        };
        let text = format!("[box.{name}]\n{sort} = \"{name}\"\n");
        Self::parse(Home::bare(wanted.site, wanted.library), &Source::new("command line", &text)).ok()
    }

    fn parse(home: Home, source: &Arc<Source>) -> Result<Self, Vec<Diagnostic>> {
        let table = read(source)?;
        let mut fields = Fields::of(source, "a file of tests", &table);
        // The parser of checks reads them.
        fields.take("check");
        fields.take("drill");
        let tables = ["unit", "box", "suite"].map(|sort| fields.table(sort).map(|(table, _)| table));
        let mut wrong = Vec::new();
        for entry in fields.rest() {
            let message = format!("unknown table `{}` of a file of tests", entry.key);
            let known = ["unit", "box", "suite", "check", "drill"];
            let help = dsl::advice(&entry.key, known).filter(|help| help.starts_with("did"));
            let help = help.unwrap_or_else(|| TABLES.to_owned());
            wrong.push(Diagnostic::error("unknown-key", message, source.span(entry.at)).help(help));
        }
        wrong.extend(fields.finish());
        let none = Table::default();
        let [units, boxes, suites] = tables.map(|table| table.unwrap_or(&none));
        let units = each((&home, source, "unit"), units, Case::read, &mut wrong);
        let suites = each((&home, source, "suite"), suites, Suite::read, &mut wrong);
        let mut boxes = each((&home, source, "box"), boxes, BoxCase::read, &mut wrong);
        boxes.iter_mut().for_each(|one| one.suites.clone_from(&suites));
        if wrong.is_empty() { Ok(Self { home, source: source.clone(), units, boxes }) } else { Err(wrong) }
    }

    /// True where a test of it is called so.
    pub fn knows(&self, word: &str) -> bool {
        self.units.iter().any(|one| one.is_called(word)) || self.boxes.iter().any(|one| one.is_called(word))
    }

    /// The words that mean its tests.
    pub fn names(&self) -> Vec<String> {
        self.units.iter().flat_map(Case::names).chain(self.boxes.iter().flat_map(BoxCase::names)).collect()
    }

    /// True where it is the file at `path`, as the user names it.
    pub fn is_at(&self, path: &Path) -> bool {
        let own = self.source.span(Extent::default()).file;
        plain(Path::new(&*own)) == plain(path)
    }
}
