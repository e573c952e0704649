//! Which tests files there are for a host, and what each of them may name.

use super::check::{self, Said};
use super::drill::{self, Read};
use crate::context::Context;
use crate::document::{self, Entry as Pair, Value};
use crate::findings::{Findings, whole_file};
use crate::layers;
use crate::nearest::did_you_mean;
use crate::project::{self, Project};
use crate::request::{Entry, Request};
use crate::source::{Place, Source};
use crate::strings::Strings;
use crate::unit::{Name, Reader};
use model::{CheckSpec, Diagnostic, DrillSpec, Sight, SubjectInfo};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

/// What is wanted of tests files.
#[derive(Clone, Copy)]
pub struct Wanted<'a> {
    /// This one alone, in place of those of the site: it may name facts, and nothing else.
    pub file: Option<&'a Path>,
    /// What checks can look at.
    pub subjects: &'a [&'a dyn SubjectInfo],
    /// What drills can do to a host.
    pub faults: &'a [&'a dyn SubjectInfo],
}

/// What tests files say for one host.
#[derive(Debug, Default)]
pub struct Tests {
    /// Its checks, those of the site first, then those of its modules; in the order of the files and of their text.
    pub checks: Vec<CheckSpec>,
    /// Its drills, in the same order.
    pub drills: Vec<DrillSpec>,
    /// What is not wrong, but not good either.
    pub warnings: Vec<Diagnostic>,
}

/// Reads the tests files for the host of `request`.
///
/// Errors with everything that is wrong.
pub fn tests(request: &Request<'_>, wanted: &Wanted<'_>) -> Result<Tests, Vec<Diagnostic>> {
    let mut findings = Findings::default();
    let mut loading = Loading {
        request,
        wanted,
        findings: &mut findings,
        names: BTreeMap::new(),
        declared: BTreeSet::new(),
        drills: Vec::new(),
        tests: Tests::default(),
    };
    match wanted.file {
        Some(file) => loading.lone(file),
        None => loading.site(),
    }
    loading.look_up();
    let tests = loading.tests;
    if findings.errors() > 0 {
        return Err(findings.finish());
    }
    Ok(Tests { warnings: findings.finish(), ..tests })
}

/// Tables of the same files that `trial` reads.
const READ_ELSEWHERE: [&str; 3] = ["unit", "box", "suite"];

struct Loading<'a> {
    request: &'a Request<'a>,
    wanted: &'a Wanted<'a>,
    findings: &'a mut Findings,
    /// Where each check stands that was read so far.
    names: BTreeMap<String, Place>,
    /// The names of all checks, also of those that are not for this host.
    declared: BTreeSet<String>,
    /// The drills, with the module that each is of.
    drills: Vec<(Read, Place, Option<String>)>,
    tests: Tests,
}

impl Loading<'_> {
    fn lone(&mut self, file: &Path) {
        let context = layers::base(&Project::default(), self.request);
        let before = self.findings.errors();
        if !self.file(file, &context, None) && self.findings.errors() == before {
            let name = file.display().to_string();
            let message = format!("there is no file {name}");
            self.findings.push(Diagnostic::error("missing-file", message, whole_file(&name)));
        }
    }

    fn site(&mut self) {
        let project = project::load(self.request, self.findings);
        let Some(scopes) = layers::evaluate(&project, self.request, self.findings) else { return };
        if let Entry::Site { root, .. } = self.request.entry {
            let context = layers::base(&project, self.request);
            self.folder(&root.join("tests"), &context, None);
        }
        for (unit, scope) in project.units.iter().zip(&scopes) {
            let (Name::Module(instance), Some(files)) = (&unit.name, unit.files.first()) else { continue };
            let Some(root) = files.parent().filter(|_| scope.on && !scope.broken) else { continue };
            self.folder(&root.join("tests"), &scope.context, Some(instance));
        }
    }

    fn folder(&mut self, folder: &Path, context: &Context, module: Option<&str>) {
        let names = match self.request.loader.list(folder) {
            Ok(names) => names,
            Err(error) => {
                let name = folder.display().to_string();
                let message = format!("cannot list {name}: {error}");
                return self.findings.push(Diagnostic::error("unreadable", message, whole_file(&name)));
            }
        };
        for name in names.iter().filter(|name| name.ends_with(".toml") && !name.starts_with('.')) {
            self.file(&folder.join(name), context, module);
        }
    }

    /// Reads one file; false where it is not there, or is told to be none.
    fn file(&mut self, path: &Path, context: &Context, module: Option<&str>) -> bool {
        let reader =
            Reader { loader: self.request.loader, kinds: self.request.kinds, texts: self.request.texts };
        let Some(source) = reader.text(path, self.findings) else { return false };
        let Some(root) = document::parse(&source, self.findings) else { return false };
        for entry in root.entries {
            self.top(&source, entry, context, module);
        }
        true
    }

    /// One table of the file.
    fn top(&mut self, source: &Arc<Source>, entry: Pair, context: &Context, module: Option<&str>) {
        let strings = Strings { source, context };
        if entry.key == "check" {
            let Value::Table(table) = &entry.item.value else {
                return self.no_table(source, &entry);
            };
            for one in &table.entries {
                self.declared.insert(named(&one.key, module));
                let said = check::check(one, strings, self.wanted.subjects, self.findings);
                self.keep(said, &Place { source: source.clone(), at: one.at }, module);
            }
            return;
        }
        if entry.key == "drill" {
            let Value::Table(table) = &entry.item.value else {
                return self.no_table(source, &entry);
            };
            for one in &table.entries {
                let read = drill::drill(one, strings, self.wanted.faults, self.findings);
                let module = module.map(str::to_owned);
                let place = Place { source: source.clone(), at: one.at };
                self.drills.extend(read.map(|read| (read, place, module)));
            }
            return;
        }
        if READ_ELSEWHERE.contains(&entry.key.as_str()) {
            return;
        }
        let known = READ_ELSEWHERE.iter().copied().chain(["check", "drill"]);
        let help =
            did_you_mean(&entry.key, known).unwrap_or_else(|| "a check is a table [check.NAME]".to_owned());
        let message = format!("unknown table `{}` of a file of tests", entry.key);
        self.findings.push(Diagnostic::error("unknown-key", message, source.span(entry.at)).help(help));
    }

    fn no_table(&mut self, source: &Source, entry: &Pair) {
        let message = format!("`{}` is {}, not a table", entry.key, entry.item.value.type_name());
        let diagnostic = Diagnostic::error("wrong-type", message, source.span(entry.item.at));
        self.findings.push(diagnostic.help(format!("write [{}.NAME] and its keys below", entry.key)));
    }

    /// Keeps a check under a name that no other has.
    fn keep(&mut self, said: Said, place: &Place, module: Option<&str>) {
        let Said::Check(mut check) = said else { return };
        check.name = named(&check.name, module);
        if let Some(first) = self.names.get(&check.name) {
            let message = format!("there is a check `{}` already", check.name);
            let diagnostic = Diagnostic::error("conflict", message, place.span());
            let diagnostic = diagnostic.and(first.span(), "it stands here");
            return self.findings.push(diagnostic.help("give one of the two another name"));
        }
        self.names.insert(check.name.clone(), place.clone());
        self.tests.checks.push(*check);
    }

    /// Keeps the drills, each under a name that no other has, with the whole names of the checks that they are seen by.
    fn look_up(&mut self) {
        let mut places: BTreeMap<String, Place> = BTreeMap::new();
        for (Read { mut drill, places: ats }, place, module) in std::mem::take(&mut self.drills) {
            drill.name = named(&drill.name, module.as_deref());
            for (sight, at) in drill.sees.iter_mut().zip(ats) {
                if let Sight::Check(name) = sight {
                    let own = named(name, module.as_deref());
                    match [own, name.clone()].into_iter().find(|name| self.names.contains_key(name)) {
                        Some(found) => *name = found,
                        None => self.no_check(
                            name,
                            &Place { source: place.source.clone(), at },
                            module.as_deref(),
                        ),
                    }
                }
            }
            if let Some(first) = places.get(&drill.name) {
                let message = format!("there is a drill `{}` already", drill.name);
                let diagnostic = Diagnostic::error("conflict", message, place.span());
                let diagnostic = diagnostic.and(first.span(), "it stands here");
                self.findings.push(diagnostic.help("give one of the two another name"));
                continue;
            }
            places.insert(drill.name.clone(), place);
            self.tests.drills.push(drill);
        }
    }

    fn no_check(&mut self, name: &str, place: &Place, module: Option<&str>) {
        let is_declared = self.declared.contains(name) || self.declared.contains(&named(name, module));
        let known = self.names.keys().map(String::as_str).chain(["drift", "agent"]);
        let (message, help) = match is_declared {
            true => {
                let help = "give the drill the same `when`".to_owned();
                (format!("the check `{name}` is not for this host, and the drill is"), help)
            }
            false => {
                let help = did_you_mean(name, known);
                let help = help.unwrap_or_else(|| format!("declare [check.{name}], or write \"drift\""));
                (format!("there is no check `{name}` that could see the drill"), help)
            }
        };
        let diagnostic = Diagnostic::error("missing-check", message, place.span());
        self.findings.push(diagnostic.help(help));
    }
}

/// The name of a check or drill; of a module `INSTANCE/NAME`.
fn named(name: &str, module: Option<&str>) -> String {
    module.map_or_else(|| name.to_owned(), |module| format!("{module}/{name}"))
}
