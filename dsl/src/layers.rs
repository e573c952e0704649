//! Values of inputs, layer by layer: default, use by a module, role, groups, host, command line. The last one wins, and
//! every one is kept, so that it can be told where a value comes from. `expand` comes next.

use crate::context::{Both, Context};
use crate::document::Item;
use crate::draft::{Direction, Relation};
use crate::expand::{self, Writer};
use crate::findings::Findings;
use crate::inputs::{Given, InputDecl};
use crate::nearest::did_you_mean;
use crate::parts::Use;
use crate::project::Project;
use crate::request::{Entry, LayerValue, Request};
use crate::sealed::{self, Opener, Reference};
use crate::sets::{self, Set};
use crate::source::{Place, Source};
use crate::strings::Strings;
use crate::turns;
use crate::unit::{Name, Unit};
use crate::{common, wiring};
use model::{Common, Diagnostic, REDACTED};
use serde_json::{Map, Value as Json, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What a unit's strings may name, and how it came to be.
pub struct Scope {
    /// Names and values.
    pub context: Context,
    /// Every layer of every input, the weakest first.
    pub inputs: BTreeMap<String, Vec<Said>>,
    /// False for a module that is switched off on this host.
    pub on: bool,
    /// True where its values could not be had: nothing that depends on them is worth telling.
    pub broken: bool,
    /// What was said of it as a whole.
    pub shared: (Vec<Relation>, Common),
}

/// What one layer says of one input.
pub struct Said {
    /// The layer, in words.
    pub layer: String,
    /// Where.
    pub place: Place,
    /// The value.
    pub value: Both,
    /// The unit that says so, where it is one.
    by: Option<usize>,
    /// The secrets that are named in it, and not opened yet.
    sealed: Vec<Reference>,
}

/// A value that is offered to an input, before it is checked.
struct Offer<'a> {
    layer: String,
    source: Arc<Source>,
    item: &'a Item,
    context: &'a Context,
    by: Option<usize>,
}

/// One scope for each unit. `None` and told where modules use each other.
pub fn evaluate(project: &Project, request: &Request<'_>, findings: &mut Findings) -> Option<Vec<Scope>> {
    let order = wiring::inputs_order(project, findings)?;
    let sets = sets::read(request.sets, project, findings);
    let mut layers = Layers {
        project,
        sets,
        opener: Opener { request },
        base: base(project, request),
        users: wiring::users(project),
        inventory: of_inventory(project, request),
        scopes: BTreeMap::new(),
        findings,
    };
    layers.check_inventory();
    for at in order {
        layers.unit(at);
    }
    Some(layers.scopes.into_values().collect())
}

/// What every string may name.
pub fn base(project: &Project, request: &Request<'_>) -> Context {
    let mut context = Context::new(request.texts);
    let facts = serde_json::to_value(request.facts).expect("facts are plain data");
    context.set("facts", Both::plain(facts));
    if let (Some(inventory), Entry::Site { host: Some(name), .. }) = (&project.inventory, request.entry)
        && let Some(host) = inventory.host(name)
    {
        let host = inventory.plain(host);
        let value = json!({ "name": host.name, "address": host.address, "groups": host.groups });
        context.set("host", Both::plain(value));
    }
    context
}

struct Layers<'a> {
    project: &'a Project,
    sets: Vec<Set>,
    opener: Opener<'a>,
    base: Context,
    users: Vec<Vec<(usize, &'a Use)>>,
    inventory: Vec<Layer<'a>>,
    scopes: BTreeMap<usize, Scope>,
    findings: &'a mut Findings,
}

impl<'a> Layers<'a> {
    fn unit(&mut self, at: usize) {
        let Some(unit) = self.project.units.get(at) else { return };
        let before = self.findings.errors();
        let uses = self.active_uses(at);
        let on = unit.name.module().is_none() || !uses.is_empty();
        let mut broken = uses.iter().any(|(user, _)| self.scopes.get(user).is_some_and(|scope| scope.broken));
        let mut scope = Scope {
            context: self.base.clone(),
            inputs: BTreeMap::new(),
            on,
            broken,
            shared: self.shared(&uses),
        };
        let empty = || Both::plain(Json::Object(Map::new()));
        for name in ["inputs", "modules"] {
            scope.context.set(name, empty());
        }
        if let Some(name) = unit.name.module() {
            scope.context.set("module", Both::plain(json!({ "name": name })));
        }
        if on && !broken {
            self.inputs(unit, &uses, &mut scope);
            self.outputs(at, unit, &scope);
        }
        broken |= self.findings.errors() > before;
        self.scopes.insert(at, Scope { broken, ..scope });
    }

    /// The uses of a module that are not switched off.
    fn active_uses(&mut self, at: usize) -> Vec<(usize, &'a Use)> {
        let mut active = Vec::new();
        for (user, one) in self.users.get(at).into_iter().flatten().copied() {
            let Some(unit) = self.project.units.get(user) else { continue };
            let Some(scope) = self.scopes.get(&user).filter(|scope| scope.on) else { continue };
            let when = one.common.iter().find(|entry| entry.key == "when");
            let strings = Strings { source: &unit.source, context: &scope.context };
            let holds = match when {
                Some(entry) if !scope.broken => turns::holds(strings, &entry.item, self.findings),
                _ => Some(true),
            };
            if holds != Some(false) {
                active.push((user, one));
            }
        }
        active
    }

    /// Relations, tags and what is done about drift, as users say it of the module as a whole.
    fn shared(&mut self, uses: &[(usize, &'a Use)]) -> (Vec<Relation>, Common) {
        let (mut relations, mut shared) = (Vec::new(), Common::default());
        for (user, one) in uses {
            let (Some(unit), Some(scope)) = (self.project.units.get(*user), self.scopes.get(user)) else {
                continue;
            };
            let strings = Strings { source: &unit.source, context: &scope.context };
            for entry in one.common.iter().filter(|_| !scope.broken) {
                if let Some(direction) = Direction::parse(&entry.key) {
                    let found =
                        expand::relations(strings, direction, &entry.item, Writer::Single, self.findings);
                    let module = unit.name.module().map(str::to_owned);
                    relations.extend(found.into_iter().map(|one| Relation { module: module.clone(), ..one }));
                } else if matches!(entry.key.as_str(), "tags" | "on_drift")
                    && let Some(value) = strings.value(&entry.item, self.findings)
                {
                    let place = Place { source: unit.source.clone(), at: entry.item.at };
                    let told = match value.is_secret() {
                        true => Some(common::no_secret(&entry.key, &place)),
                        false => common::set(&mut shared, &entry.key, &value.real, &place).err(),
                    };
                    self.findings.extend(told);
                }
            }
        }
        (relations, shared)
    }

    fn inputs(&mut self, unit: &Unit, uses: &[(usize, &'a Use)], scope: &mut Scope) {
        self.unknown_inputs(unit, uses);
        for decl in &unit.parts.inputs {
            let before = self.findings.errors();
            let mut said = self.said(unit, decl, uses);
            if let Some(winner) = said.pop() {
                said.push(self.opened(winner, decl));
            }
            match said.last() {
                Some(winner) => scope.context.set_in("inputs", &decl.name, winner.value.clone()),
                None if self.findings.errors() > before => {}
                None if decl.optional => {
                    scope.context.set_in("inputs", &decl.name, Both::plain(Json::Null));
                }
                None => self.missing(unit, decl, uses),
            }
            scope.inputs.insert(decl.name.clone(), said);
        }
    }

    /// What each layer says of one input, the weakest first.
    fn said(&mut self, unit: &Unit, decl: &InputDecl, uses: &[(usize, &'a Use)]) -> Vec<Said> {
        let mut said = Vec::new();
        let (project, base) = (self.project, &self.base);
        let mut offers: Vec<Offer<'_>> = Vec::new();
        let offer = |layer: String, source: &Arc<Source>, item| Offer {
            layer,
            source: source.clone(),
            item,
            context: base,
            by: None,
        };
        offers.extend(decl.default.iter().map(|item| offer("default".to_owned(), &unit.source, item)));
        let mut from_uses: Vec<Offer<'_>> = Vec::new();
        for (user, one) in uses {
            let (Some(by), Some(scope)) = (project.units.get(*user), self.scopes.get(user)) else { continue };
            let entry = one.inputs.iter().find(|entry| entry.key == decl.name);
            from_uses.extend(entry.map(|entry| Offer {
                context: &scope.context,
                by: Some(*user),
                ..offer(by.name.to_string(), &by.source, &entry.item)
            }));
        }
        from_uses.sort_by_key(|offer| (!offer.layer.starts_with("module "), offer.by));
        offers.extend(from_uses);
        for (layer, source, inputs) in &self.inventory {
            let table = inputs.iter().find(|entry| entry.key == unit.name.key());
            let entry = table.and_then(|entry| match &entry.item.value {
                crate::document::Value::Table(table) => table.get(&decl.name),
                _ => None,
            });
            offers.extend(entry.map(|entry| offer(layer.clone(), source, &entry.item)));
        }
        for Offer { layer, source, item, context, by } in offers {
            let strings = Strings { source: &source, context };
            let Some(taken) = sealed::taken(&decl.kind, item, &source, self.findings) else { continue };
            let Some(value) = strings.value(&taken.item, self.findings) else { continue };
            let given = Given { source: &source, item, value };
            let Some(value) = decl.accept(&unit.source, given, self.findings) else { continue };
            let (place, sealed) = (Place { source, at: item.at }, taken.references);
            push(project, decl, Said { layer, place, value, by, sealed }, &mut said, self.findings);
        }
        for set in self.sets.iter().filter(|set| set.unit == unit.name && set.input == decl.name) {
            let item = set.value(&decl.kind);
            let given =
                Given { source: &set.source, value: Both::plain(crate::strings::plain(&item)), item: &item };
            let Some(value) = decl.accept(&unit.source, given, self.findings) else { continue };
            let place = Place { source: set.source.clone(), at: item.at };
            let layer = "command line".to_owned();
            said.push(Said { layer, place, value, by: None, sealed: Vec::new() });
        }
        said
    }

    /// The layer that holds, with the secrets that it names.
    fn opened(&mut self, winner: Said, decl: &InputDecl) -> Said {
        let value = self.opener.open(&winner.sealed, &decl.kind, winner.value, self.findings);
        Said { value, ..winner }
    }

    fn missing(&mut self, unit: &Unit, decl: &InputDecl, uses: &[(usize, &Use)]) {
        let declared = unit.source.span(decl.at);
        let of = if unit.name == Name::File { String::new() } else { format!(" of {}", unit.name) };
        let message = format!("input `{}`{of} has no value", decl.name);
        let place =
            uses.first().and_then(|(user, one)| Some(self.project.units.get(*user)?.source.span(one.at)));
        let diagnostic = match place {
            Some(place) => Diagnostic::error("missing-input", message, place)
                .and(declared, format!("declared here as {}, without a default", decl.kind)),
            None => Diagnostic::error("missing-input", message, declared),
        };
        let key = match &unit.name {
            Name::File => decl.name.clone(),
            other => format!("{}.{}", other.key(), decl.name),
        };
        self.findings.push(diagnostic.help(format!("give it a value here, or by `--set {key}=…`")));
    }

    fn unknown_inputs(&mut self, unit: &Unit, uses: &[(usize, &Use)]) {
        let known = || unit.parts.inputs.iter().map(|decl| decl.name.as_str());
        let mut found = Vec::new();
        for (user, one) in uses {
            let source = self.project.units.get(*user).map(|unit| &unit.source);
            found.extend(one.inputs.iter().filter_map(|entry| Some((source?, entry))));
        }
        for (_, source, inputs) in &self.inventory {
            for entry in inputs.iter().filter(|entry| entry.key == unit.name.key()) {
                if let crate::document::Value::Table(table) = &entry.item.value {
                    found.extend(table.entries.iter().map(|entry| (*source, entry)));
                }
            }
        }
        for (source, entry) in found.into_iter().filter(|(_, entry)| !known().any(|name| name == entry.key)) {
            let help =
                did_you_mean(&entry.key, known()).unwrap_or_else(|| match known().collect::<Vec<_>>() {
                    known if known.is_empty() => "it declares none".to_owned(),
                    known => format!("it has {}", known.join(", ")),
                });
            let message = format!("{} has no input `{}`", unit.name, entry.key);
            self.findings.push(Diagnostic::error("unknown-input", message, source.span(entry.at)).help(help));
        }
    }

    /// Values for a module or role that the host does not have are likely a slip.
    fn check_inventory(&mut self) {
        let keys: Vec<&str> = self.project.units.iter().map(|unit| unit.name.key()).collect();
        for (layer, source, inputs) in &self.inventory {
            for entry in inputs.iter().filter(|entry| !keys.contains(&entry.key.as_str())) {
                let message = format!("{layer} sets inputs of `{}`, which this host does not use", entry.key);
                let diagnostic = Diagnostic::warning("unused-input", message, source.span(entry.at));
                let help = did_you_mean(&entry.key, keys.iter().copied());
                self.findings.push(Diagnostic { help, ..diagnostic });
            }
        }
    }

    /// Outputs of a module become names of those that use it.
    fn outputs(&mut self, at: usize, unit: &Unit, scope: &Scope) {
        let Some(name) = unit.name.module() else { return };
        let strings = Strings { source: &unit.source, context: &scope.context };
        let (mut real, mut masked) = (Map::new(), Map::new());
        for entry in &unit.parts.outputs {
            let Some(value) = strings.value(&entry.item, self.findings) else { continue };
            masked.insert(entry.key.clone(), value.masked().clone());
            real.insert(entry.key.clone(), value.real);
        }
        let both = Both::new(Json::Object(real), Some(Json::Object(masked)));
        let mut users: Vec<usize> = self.users.get(at).into_iter().flatten().map(|(user, _)| *user).collect();
        users.dedup();
        for user in users {
            if let Some(scope) = self.scopes.get_mut(&user) {
                scope.context.set_in("modules", name, both.clone());
            }
        }
    }
}

/// A layer of the inventory: what it is called, its text, what it gives.
pub type Layer<'a> = (String, &'a Arc<Source>, &'a [crate::document::Entry]);

/// Layers of the inventory, the weakest first.
pub fn of_inventory<'a>(project: &'a Project, request: &Request<'_>) -> Vec<Layer<'a>> {
    let (Some(inventory), Entry::Site { host: Some(name), .. }) = (&project.inventory, request.entry) else {
        return Vec::new();
    };
    let Some(host) = inventory.host(name) else { return Vec::new() };
    let groups = inventory.groups_of(host).map(|group| (format!("group {}", group.name), group));
    let all = groups.chain([(format!("host {name}"), host)]);
    all.map(|(layer, member)| (layer, &inventory.source, member.inputs.as_slice())).collect()
}

/// Adds what a use says. Of two roles the including one wins; else they must agree.
fn push(project: &Project, decl: &InputDecl, next: Said, said: &mut Vec<Said>, findings: &mut Findings) {
    let word = |said: &Said| said.layer.split(' ').next().map(str::to_owned);
    let rival =
        said.iter().rposition(|other| other.by.is_some() && next.by.is_some() && word(other) == word(&next));
    let (Some(at), Some(by)) = (rival, next.by) else { return said.push(next) };
    let Some(other) = said.get(at) else { return };
    let other_by = other.by.unwrap_or(by);
    if wiring::includes(project, other_by, by) {
        return said.insert(at, next);
    }
    if other.value.real != next.value.real && !wiring::includes(project, by, other_by) {
        let message =
            format!("{} and {} give input `{}` different values", other.layer, next.layer, decl.name);
        let diagnostic = Diagnostic::error("conflict", message, next.place.span())
            .and(other.place.span(), "given here already")
            .help("agree on one value, or set it for the host or its group");
        findings.push(diagnostic);
    }
    said.push(next);
}

/// Layers as they may be shown.
pub fn plain(said: &[Said]) -> Vec<LayerValue> {
    let last = said.len().saturating_sub(1);
    let one = |(at, said): (usize, &Said)| LayerValue {
        layer: said.layer.clone(),
        origin: said.place.origin(),
        value: if said.value.is_secret() { Json::from(REDACTED) } else { said.value.real.clone() },
        wins: at == last,
    };
    said.iter().enumerate().map(one).collect()
}
