//! Resources of one unit to drafts: `for_each`, `when`, names, strings. Merging and checking come next.

use crate::content::{self, Contents};
use crate::context::{Both, Context};
use crate::document::{Entry, Item, Value};
use crate::draft::{Declaration, Direction, Draft, Drafts, Relation, Target};
use crate::findings::Findings;
use crate::layers;
use crate::parts::Resource;
use crate::printed::printed;
use crate::project::Project;
use crate::request::Request;
use crate::seal;
use crate::source::{Extent, Place};
use crate::strings::Strings;
use crate::turns::{self, Turn};
use crate::unit::{Reader, Unit};
use crate::{common, wiring};
use model::{Common, Diagnostic, Id, KindInfo, Runtime, Scope};
use serde_json::{Map, Value as Json};

/// Expands the resources of all units: of a module before those of its users.
pub fn expand<'u>(
    project: &'u Project,
    scopes: Vec<layers::Scope>,
    request: &Request<'u>,
    findings: &mut Findings,
) -> Drafts<'u> {
    let mut drafts = Drafts::default();
    let contents =
        Contents { reader: Reader { loader: request.loader, kinds: request.kinds, texts: request.texts } };
    let mut scopes: Vec<Option<layers::Scope>> = scopes.into_iter().map(Some).collect();
    for at in wiring::resources_order(project) {
        let scope = scopes.get_mut(at).and_then(Option::take);
        let (Some(unit), Some(scope)) = (project.units.get(at), scope) else { continue };
        let shared = scope.shared.clone();
        let mut expander = Expander {
            unit,
            kinds: request.kinds,
            context: scope.context,
            shared,
            contents: &contents,
            drafts: &mut drafts,
            findings,
        };
        if scope.on && !scope.broken { expander.run() } else { expander.skip() }
    }
    drafts
}

/// Expands the resources of one unit.
struct Expander<'a, 'u> {
    unit: &'u Unit,
    kinds: &'u [&'u dyn KindInfo],
    context: Context,
    shared: (Vec<Relation>, Common),
    contents: &'a Contents<'u>,
    drafts: &'a mut Drafts<'u>,
    findings: &'a mut Findings,
}

impl<'u> Expander<'_, 'u> {
    /// Notes the names of a unit that is switched off, or whose inputs are wrong: references to them are no errors.
    fn skip(&mut self) {
        self.note_modules();
        for resource in &self.unit.parts.resources {
            let Some(kind) = self.kinds.get(resource.kind) else { continue };
            if resource.common("for_each").is_some() {
                self.drafts.groups.entry(format!("{}.{}", kind.name(), resource.name)).or_default();
            }
            let id = self.scoped(*kind, &resource.name);
            self.drafts.off.insert(id.to_string());
        }
    }

    /// A module that is used is known, whether or not it has resources here.
    fn note_modules(&mut self) {
        let used = self.unit.parts.uses.iter().map(|one| one.name.as_str());
        for name in used.chain(self.unit.name.module()) {
            self.drafts.modules.entry(name.to_owned()).or_default();
        }
    }

    /// Expands all resources in the order of the text.
    fn run(&mut self) {
        let unit = self.unit;
        self.note_modules();
        unit.parts.resources.iter().for_each(|resource| self.resource(resource));
    }

    fn resource(&mut self, resource: &'u Resource) {
        let Some(kind) = self.kinds.get(resource.kind).copied() else { return };
        let Some(each) = resource.common("for_each") else {
            if self.turn(kind, resource).is_none() {
                let id = self.scoped(kind, &resource.name);
                self.drafts.off.insert(id.to_string());
            }
            return;
        };
        let group = format!("{}.{}", kind.name(), resource.name);
        let strings = Strings { source: &self.unit.source, context: &self.context };
        let turns = turns::turns(strings, &each.item, self.findings);
        let mut ids = Vec::new();
        for Turn { key, value } in turns.unwrap_or_default() {
            let pair = |key: &Json, value: &Json| serde_json::json!({ "key": key, "value": value });
            let real = pair(&key, &value.real);
            let masked = value.masked.as_ref().map(|masked| pair(&key, masked));
            self.context.set("each", Both::new(real, masked));
            ids.extend(self.turn(kind, resource));
        }
        self.context.unset("each");
        if ids.is_empty() {
            self.drafts.off.insert(group.clone());
        }
        self.drafts.groups.entry(group).or_default().extend(ids);
    }

    fn value(&mut self, item: &Item) -> Option<Both> {
        Strings { source: &self.unit.source, context: &self.context }.value(item, self.findings)
    }

    fn error(&mut self, code: &'static str, message: String, at: Extent, help: &str) {
        self.findings.push(Diagnostic::error(code, message, self.unit.source.span(at)).help(help));
    }

    /// One resource; its id where it exists.
    fn turn(&mut self, kind: &'u dyn KindInfo, resource: &'u Resource) -> Option<Id> {
        let id = self.id(kind, resource)?;
        let strings = Strings { source: &self.unit.source, context: &self.context };
        let wanted = match resource.common("when") {
            Some(when) => turns::holds(strings, &when.item, self.findings),
            None => Some(true),
        };
        if wanted != Some(true) {
            self.drafts.off.insert(id.to_string());
            return None;
        }
        let draft = self.draft(id.clone(), kind, resource);
        if let Some(module) = self.unit.name.module() {
            self.drafts.modules.entry(module.to_owned()).or_default().push(id.clone());
        }
        self.drafts.list.push(draft);
        Some(id)
    }

    fn id(&mut self, kind: &dyn KindInfo, resource: &Resource) -> Option<Id> {
        let name = Strings { source: &self.unit.source, context: &self.context }.text(
            &resource.name,
            resource.at,
            self.findings,
        )?;
        if name.is_secret() {
            let help = "names are shown in every plan: use another value";
            self.error(
                "secret-not-allowed",
                format!("a secret in the name of a {}", kind.name()),
                resource.at,
                help,
            );
            return None;
        }
        let name = match name.real {
            Json::String(name) if !name.is_empty() => name,
            Json::Number(number) => number.to_string(),
            _ => {
                let message = format!("the name of this {} comes out as no string", kind.name());
                self.error("bad-name", message, resource.at, "a name is a string that is not empty");
                return None;
            }
        };
        Some(self.scoped(kind, &name))
    }

    /// The id of a name: labels belong to the module that says them.
    fn scoped(&self, kind: &dyn KindInfo, name: &str) -> Id {
        match (kind.scope(), self.unit.name.module()) {
            (Scope::Module, Some(module)) => Id::new(kind.name(), format!("{module}/{name}")),
            _ => Id::new(kind.name(), name),
        }
    }

    fn draft(&mut self, id: Id, kind: &'u dyn KindInfo, resource: &'u Resource) -> Draft<'u> {
        let before = self.findings.errors();
        let declaration = Declaration { source: &self.unit.source, resource };
        let (relations, common) = self.shared.clone();
        let mut draft = Draft {
            id,
            kind,
            declarations: vec![declaration],
            params: Map::new(),
            hidden: Default::default(),
            source: None,
            tree: None,
            common,
            auto: true,
            relations,
            broken: false,
        };
        for entry in &resource.common {
            self.common_key(&mut draft, resource, entry);
        }
        let fields = self.fields(&mut draft, resource);
        seal::seal(&mut draft, fields, self.findings);
        draft.broken = resource.broken || self.findings.errors() > before;
        draft
    }

    /// Evaluates the kind's own keys. `source` and `template` become `content`.
    fn fields(&mut self, draft: &mut Draft<'u>, resource: &'u Resource) -> Vec<(&'u str, Both)> {
        let (mut fields, mut named) = (Vec::new(), None);
        content::only_one(draft, self.findings);
        for entry in &resource.keys.entries {
            let Some(field) = draft.kind.fields().iter().find(|field| field.name == entry.key) else {
                continue;
            };
            if field.runtime == Runtime::Path {
                // The host fills it in: it stands for itself.
                self.context.set("path", Both::plain(Json::from("{{ path }}")));
            }
            let value = self.value(&entry.item);
            if field.runtime == Runtime::Path {
                self.context.unset("path");
            }
            // Nothing, such as an input that is left out, is as if the key were not there.
            let Some(value) = value.filter(|value| !value.real.is_null()) else { continue };
            let place = self.place(&entry.item);
            match field.runtime {
                Runtime::Source => {
                    let found = self.contents.source(self.unit, &value, &place, self.findings);
                    draft.source = found;
                }
                Runtime::Tree => named = Some((value, place)),
                Runtime::Template => {
                    let found =
                        self.contents.template(self.unit, (&value, &self.context), &place, self.findings);
                    fields.extend(found.map(|content| ("content", content)));
                }
                Runtime::Path | Runtime::Claims | Runtime::Plain => {
                    fields.push((entry.key.as_str(), printed(field, &entry.item, value)));
                }
            }
        }
        if let Some((value, place)) = named {
            let excluded = fields.iter().find(|(key, _)| *key == "exclude").map(|(_, globs)| &globs.real);
            draft.tree = self.contents.tree(self.unit, (&value, excluded), &place, self.findings);
        }
        if fields.iter().any(|(key, value)| *key == "sensitive" && value.real == Json::Bool(true)) {
            self.contents.hide_source(draft, self.findings);
        }
        fields
    }

    fn place(&self, item: &Item) -> Place {
        Place { source: self.unit.source.clone(), at: item.at }
    }

    fn common_key(&mut self, draft: &mut Draft<'u>, resource: &Resource, entry: &Entry) {
        if matches!(entry.key.as_str(), "when" | "for_each") {
            return;
        }
        if let Some(direction) = Direction::parse(&entry.key) {
            let writer = if resource.common("for_each").is_some() { Writer::Group } else { Writer::Single };
            let strings = Strings { source: &self.unit.source, context: &self.context };
            let found = relations(strings, direction, &entry.item, writer, self.findings);
            let module = self.unit.name.module();
            draft
                .relations
                .extend(found.into_iter().map(|one| Relation { module: module.map(str::to_owned), ..one }));
            return;
        }
        let Some(value) = self.value(&entry.item) else { return };
        if value.is_secret() {
            return self.findings.push(common::no_secret(&entry.key, &self.place(&entry.item)));
        }
        match (entry.key.as_str(), &value.real) {
            ("auto", Json::Bool(auto)) => draft.auto = *auto,
            ("auto", _) => self.error(
                "wrong-type",
                "`auto` is true or false".to_owned(),
                entry.item.at,
                "leave it out to have automatic edges",
            ),
            (key, value) => {
                let place = self.place(&entry.item);
                if let Err(diagnostic) = common::set(&mut draft.common, key, value, &place) {
                    self.findings.push(diagnostic);
                }
            }
        }
    }
}

/// Who writes a reference: one resource, or each of a `for_each`, in which `each` has a meaning of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Writer {
    /// One resource or module.
    Single,
    /// Each element of a `for_each`.
    Group,
}

/// Reads the references of one relation key: a string or an array of strings.
pub fn relations(
    strings: Strings<'_>,
    direction: Direction,
    item: &Item,
    writer: Writer,
    findings: &mut Findings,
) -> Vec<Relation> {
    let items = match &item.value {
        Value::Array(items) => items.as_slice(),
        _ => std::slice::from_ref(item),
    };
    let mut found = Vec::new();
    for item in items {
        let place = Place { source: strings.source.clone(), at: item.at };
        let group = match &item.value {
            Value::Text(text)
                if text.contains("{{") && writer == Writer::Single && text.contains("each.") =>
            {
                Some(text.clone())
            }
            _ => None,
        };
        let target = match group {
            Some(text) => Some(Target::Group(text)),
            None => named(strings, item, findings),
        };
        found.extend(target.map(|target| Relation { direction, target, place, module: None }));
    }
    found
}

fn named(strings: Strings<'_>, item: &Item, findings: &mut Findings) -> Option<Target> {
    let value = strings.value(item, findings)?;
    match value {
        Both { real: Json::String(text), masked: None } => Some(Target::Named(text)),
        Both { masked: Some(_), .. } => {
            let diagnostic = Diagnostic::error(
                "secret-not-allowed",
                "a secret in a reference",
                strings.source.span(item.at),
            );
            findings.push(diagnostic);
            None
        }
        _ => {
            let message = format!("expected a reference, found {}", item.value.type_name());
            let diagnostic = Diagnostic::error("wrong-type", message, strings.source.span(item.at));
            findings.push(diagnostic.help("a reference is a string such as \"package.nginx\""));
            None
        }
    }
}
