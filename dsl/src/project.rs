//! Finds and reads every text that a request leads to: the file or the site, its roles, the modules they use. Evaluates
//! nothing; `layers` comes next.

use crate::findings::{Findings, whole_file};
use crate::inventory::Inventory;
use crate::nearest::did_you_mean;
use crate::parts::{Parts, is_plain_name};
use crate::request::{Entry, Request};
use crate::settings::{self, Settings};
use crate::source::{Extent, Place, Source};
use crate::unit::{Name, Reader, Unit};
use model::{Diagnostic, Retention};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// All texts of one request.
#[derive(Debug, Default)]
pub struct Project {
    /// Resources files in the order in which they were met.
    pub units: Vec<Unit>,
    /// The inventory, where there is one.
    pub inventory: Option<Arc<Inventory>>,
    /// What the site calls itself.
    pub name: Option<String>,
    /// How long its hosts remember their runs.
    pub keep: Retention,
    /// Positions of the units.
    names: BTreeMap<Name, usize>,
}

impl Project {
    /// Position of a unit.
    pub fn find(&self, name: &Name) -> Option<usize> {
        self.names.get(name).copied()
    }

    /// One more unit, of a name that there is not yet.
    fn add(&mut self, unit: Unit) {
        self.names.insert(unit.name.clone(), self.units.len());
        self.units.push(unit);
    }
}

/// Reads all texts.
pub fn load(request: &Request<'_>, findings: &mut Findings) -> Project {
    let reader = Reader { loader: request.loader, kinds: request.kinds, texts: request.texts };
    let mut walker = Walker {
        reader,
        modules: Vec::new(),
        roles: Vec::new(),
        library: request.library,
        project: Project::default(),
        findings,
    };
    match request.entry {
        Entry::File(path) => walker.file(path),
        Entry::Site { root, host, roles } => walker.site(root, host, roles),
    }
    walker.modules.extend(request.library.iter().map(|root| root.join("modules")));
    walker.roles.extend(request.library.iter().map(|root| root.join("roles")));
    if let Entry::Site { host, roles, .. } = request.entry {
        walker.first_roles(host, roles);
    }
    walker.follow();
    walker.project
}

struct Walker<'a> {
    reader: Reader<'a>,
    modules: Vec<PathBuf>,
    roles: Vec<PathBuf>,
    library: &'a [PathBuf],
    project: Project,
    findings: &'a mut Findings,
}

impl Walker<'_> {
    fn file(&mut self, path: &Path) {
        let dir = path.parent().unwrap_or(Path::new(""));
        self.modules.push(dir.join("modules"));
        let Some((source, parts)) = self.reader.parts(path, self.findings) else {
            let name = path.display().to_string();
            let diagnostic =
                Diagnostic::error("missing-file", format!("there is no file {name}"), whole_file(&name));
            return self.findings.push(diagnostic);
        };
        let files = vec![dir.to_path_buf(), dir.join("files"), dir.join("templates")];
        self.project.add(Unit { name: Name::File, source, parts, templates: files.clone(), files });
    }

    fn site(&mut self, root: &Path, host: Option<&str>, _: &[String]) {
        self.roles.push(root.join("roles"));
        let file = root.join("keel.toml");
        let before = self.findings.errors();
        match self.reader.text(&file, self.findings) {
            Some(source) => self.settings(root, &source),
            None if self.findings.errors() > before => {}
            None => {
                let message = format!("there is no keel.toml in {}", root.display());
                let place = whole_file(&file.display().to_string());
                self.findings.push(
                    Diagnostic::error("no-site", message, place)
                        .help("`keel init` makes a site; `-f FILE` needs none"),
                );
            }
        }
        let before = self.findings.errors();
        self.project.inventory = self.reader.inventory(&root.join("hosts.toml"), self.findings);
        let Some(host) = host.filter(|_| self.findings.errors() == before) else { return };
        let hosts = self.project.inventory.iter().flat_map(|inventory| &inventory.hosts);
        let names = hosts.map(|host| host.name.as_str());
        if names.clone().all(|name| name != host) {
            let help = did_you_mean(host, names)
                .unwrap_or_else(|| format!("declare it in hosts.toml: [host.{host}]"));
            let file = root.join("hosts.toml").display().to_string();
            let message = format!("there is no host `{host}` in the inventory");
            self.findings.push(Diagnostic::error("unknown-host", message, whole_file(&file)).help(help));
        }
    }

    fn settings(&mut self, root: &Path, source: &Arc<Source>) {
        let Settings { name, modules, keep } = settings::read(source, self.findings);
        (self.project.name, self.project.keep) = (name, keep);
        self.modules.extend(modules.into_iter().map(|dir| root.join(dir)));
    }

    /// Roles of the host and of the command line.
    fn first_roles(&mut self, host: Option<&str>, roles: &[String]) {
        let mut wanted: Vec<(String, Place)> = Vec::new();
        if let Some(inventory) = &self.project.inventory
            && let Some(host) = host.and_then(|name| inventory.host(name))
        {
            let members = inventory.groups_of(host).chain([host]);
            let place = |at| Place { source: inventory.source.clone(), at };
            wanted.extend(members.flat_map(|one| &one.roles).map(|(name, at)| (name.clone(), place(*at))));
        }
        for role in roles {
            let source = Source::new("--role", role);
            wanted.push((role.clone(), Place { source, at: Extent::new(0..role.len()) }));
        }
        for (role, place) in wanted {
            self.role(&role, &place);
        }
    }

    fn role(&mut self, name: &str, place: &Place) {
        let unit = Name::Role(name.to_owned());
        if self.project.find(&unit).is_some() {
            return;
        }
        for dir in self.roles.clone().iter().filter(|_| is_plain_name(name)) {
            if let Some((source, parts)) = self.reader.parts(&dir.join(format!("{name}.toml")), self.findings)
            {
                let root = dir.parent().unwrap_or(Path::new(""));
                let (files, templates) = (vec![root.join("files")], vec![root.join("templates")]);
                return self.project.add(Unit { name: unit, source, parts, files, templates });
            }
        }
        let known = self.known(&self.roles.clone(), |_, entry| entry.strip_suffix(".toml"));
        self.unknown("unknown-role", ("role", name), place, &known);
    }

    fn module(&mut self, instance: &str, (module, place): (&str, &Place)) {
        let unit = Name::Module(instance.to_owned());
        if self.project.find(&unit).is_some() {
            return;
        }
        for dir in self.modules.clone().iter().filter(|_| is_plain_name(module)) {
            let dir = dir.join(module);
            if let Some((source, parts)) = self.reader.parts(&dir.join("module.toml"), self.findings) {
                if self.library.iter().any(|root| dir.starts_with(root)) {
                    self.documented(&source, &parts);
                }
                let (files, templates) = (vec![dir.join("files")], vec![dir.join("templates")]);
                return self.project.add(Unit { name: unit, source, parts, files, templates });
            }
        }
        // Beside modules there may be a README, and tests of a module that is still to be written.
        let loader = self.reader.loader;
        let holds_one =
            |dir: &Path| loader.list(dir).is_ok_and(|names| names.contains(&"module.toml".to_owned()));
        let known =
            self.known(&self.modules.clone(), |dir, entry| holds_one(&dir.join(entry)).then_some(entry));
        self.unknown("unknown-module", ("module", module), place, &known);
    }

    /// What a library offers is to be understood without reading it.
    fn documented(&mut self, source: &Arc<Source>, parts: &Parts) {
        for decl in parts.inputs.iter().filter(|decl| decl.doc.is_none()) {
            let message = format!("input `{}` of a library module has no `doc`", decl.name);
            let diagnostic = Diagnostic::warning("undocumented-input", message, source.span(decl.at));
            self.findings.push(diagnostic.help("add doc = \"what it is for\""));
        }
    }

    /// Reads what the units read so far include and use, and so on until nothing is new.
    fn follow(&mut self) {
        let mut sources: BTreeMap<String, (String, Place)> = BTreeMap::new();
        let mut at = 0;
        while let Some(unit) = self.project.units.get(at) {
            at += 1;
            let place = |at| Place { source: unit.source.clone(), at };
            let include: Vec<_> =
                unit.parts.include.iter().map(|(name, at)| (name.clone(), place(*at))).collect();
            let uses: Vec<_> = unit
                .parts
                .uses
                .iter()
                .map(|one| (one.name.clone(), one.module.0.clone(), place(one.module.1)))
                .collect();
            include.iter().for_each(|(name, place)| self.role(name, place));
            for (instance, module, place) in uses {
                let first =
                    sources.entry(instance.clone()).or_insert_with(|| (module.clone(), place.clone()));
                if first.0 != module {
                    let message = format!("module.{instance} is `{module}` here and `{}` elsewhere", first.0);
                    let diagnostic = Diagnostic::error("conflict", message, place.span())
                        .and(first.1.span(), "used here already")
                        .help("give one of the two another name");
                    self.findings.push(diagnostic);
                    continue;
                }
                self.module(&instance, (&module, &place));
            }
        }
    }

    fn known(
        &mut self,
        dirs: &[PathBuf],
        name: impl for<'a> Fn(&Path, &'a str) -> Option<&'a str>,
    ) -> Vec<String> {
        let mut known = Vec::new();
        for dir in dirs {
            match self.reader.loader.list(dir) {
                Ok(names) => {
                    known.extend(names.iter().filter_map(|entry| name(dir, entry)).map(str::to_owned))
                }
                Err(error) => {
                    let file = dir.display().to_string();
                    let message = format!("cannot list {file}: {error}");
                    self.findings.push(Diagnostic::error("unreadable", message, whole_file(&file)));
                }
            }
        }
        known
    }

    fn unknown(&mut self, code: &'static str, (what, name): (&str, &str), place: &Place, known: &[String]) {
        let help = did_you_mean(name, known.iter().map(String::as_str)).unwrap_or_else(|| match known {
            [] => format!("there are no {what}s here"),
            known => format!("there are {}", known.join(", ")),
        });
        self.findings
            .push(Diagnostic::error(code, format!("there is no {what} `{name}`"), place.span()).help(help));
    }
}
