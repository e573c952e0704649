//! Relations as written to links between drafts. A name that stands nowhere is an error; one that is switched off on
//! this host is dropped.

use crate::draft::{Direction, Draft, Drafts, Relation, Target};
use crate::findings::Findings;
use crate::nearest::did_you_mean;
use crate::source::Place;
use model::{Diagnostic, EdgeKind, Id, Thing};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// So many dangling references are compared with all names; more would take long.
const MOST_ADVICE: usize = 50;

/// Why a link is there.
#[derive(Clone, Debug)]
pub enum Because {
    /// It is written here.
    Said(Place),
    /// The later one needs, or outlives, this thing.
    Auto(Thing),
}

/// An order between two drafts, by position.
#[derive(Clone, Debug)]
pub struct Link {
    /// Comes first.
    pub from: usize,
    /// Comes after.
    pub to: usize,
    /// What it means.
    pub kind: EdgeKind,
    /// Why.
    pub because: Because,
    /// The draft that asked for it.
    pub owner: usize,
}

/// What references are looked up in.
pub struct Known {
    off: BTreeSet<String>,
    groups: BTreeMap<String, Vec<Id>>,
    /// Keys of the groups that came to nothing.
    empty: Vec<String>,
    modules: BTreeMap<String, Vec<Id>>,
}

impl Known {
    /// Takes the drafts apart.
    pub fn new(drafts: Drafts<'_>) -> (Vec<Draft<'_>>, Self) {
        let Drafts { list, off, groups, modules } = drafts;
        let empty = groups.iter().filter(|(_, ids)| ids.is_empty()).map(|(key, _)| key.clone()).collect();
        (list, Self { off, groups, empty, modules })
    }
}

/// Links all relations.
pub fn link(drafts: &[Draft<'_>], known: &Known, findings: &mut Findings) -> Vec<Link> {
    if drafts.iter().all(|draft| draft.relations.is_empty()) {
        return Vec::new();
    }
    let index: HashMap<String, usize> =
        drafts.iter().enumerate().map(|(at, draft)| (draft.id.to_string(), at)).collect();
    let resolver = Resolver { drafts, known, index };
    let mut links = Vec::new();
    for (at, draft) in drafts.iter().enumerate() {
        for relation in &draft.relations {
            resolver.relation(at, relation, &mut links, findings);
        }
    }
    links
}

struct Resolver<'a, 'd> {
    drafts: &'a [Draft<'d>],
    known: &'a Known,
    index: HashMap<String, usize>,
}

impl Resolver<'_, '_> {
    fn relation(&self, at: usize, relation: &Relation, links: &mut Vec<Link>, findings: &mut Findings) {
        let targets = match self.targets(relation) {
            Some(targets) => targets,
            None => {
                let help = if findings.errors() < MOST_ADVICE { self.advice(relation) } else { None };
                let (Target::Group(name) | Target::Named(name)) = &relation.target;
                let message = format!("there is no resource `{name}`");
                let diagnostic = Diagnostic::error("dangling-reference", message, relation.place.span());
                return findings.push(Diagnostic { help, ..diagnostic });
            }
        };
        for target in targets {
            if target == at {
                if matches!(relation.target, Target::Named(ref name) if !name.starts_with("module.")) {
                    let message = format!("{} refers to itself", self.name(at));
                    findings.push(
                        Diagnostic::error("cycle", message, relation.place.span())
                            .help("leave this reference out"),
                    );
                }
                continue;
            }
            let (from, to, kind) = match relation.direction {
                Direction::Require => (target, at, EdgeKind::Require),
                Direction::Before => (at, target, EdgeKind::Require),
                Direction::Notify => (at, target, EdgeKind::Notify),
                Direction::Subscribe => (target, at, EdgeKind::Notify),
            };
            links.push(Link { from, to, kind, because: Because::Said(relation.place.clone()), owner: at });
        }
    }

    fn name(&self, at: usize) -> String {
        self.drafts.get(at).map(|draft| draft.id.to_string()).unwrap_or_default()
    }

    /// Positions of what a relation names, none where it is switched off; `None` where there is no such thing.
    fn targets(&self, relation: &Relation) -> Option<Vec<usize>> {
        let positions = |ids: &Vec<Id>| -> Vec<usize> {
            ids.iter().filter_map(|id| self.index.get(&id.to_string()).copied()).collect()
        };
        let name = match &relation.target {
            Target::Group(text) => return self.known.groups.get(text).map(positions),
            Target::Named(name) => name,
        };
        if let Some(module) = name.strip_prefix("module.") {
            return self.known.modules.get(module).map(positions);
        }
        let own = match (name.split_once('.'), &relation.module) {
            (Some((kind, label)), Some(module)) => Some(format!("{kind}.{module}/{label}")),
            _ => None,
        };
        for name in own.iter().chain([name]) {
            if let Some(at) = self.index.get(name) {
                return Some(vec![*at]);
            }
            if self.known.off.contains(name) || self.is_of_empty_group(name) {
                return Some(Vec::new());
            }
        }
        self.known.groups.get(name).map(positions)
    }

    /// True where the name fits the key of a `for_each` that came to nothing.
    fn is_of_empty_group(&self, name: &str) -> bool {
        self.known.empty.iter().any(|key| match (key.split_once("{{"), key.rsplit_once("}}")) {
            (Some((head, _)), Some((_, tail))) => {
                name.len() >= head.len() + tail.len() && name.starts_with(head) && name.ends_with(tail)
            }
            _ => key == name,
        })
    }

    /// What was probably meant.
    fn advice(&self, relation: &Relation) -> Option<String> {
        let (Target::Group(name) | Target::Named(name)) = &relation.target;
        if !name.contains('.') {
            return Some("a reference is kind.name, such as \"package.nginx\"".to_owned());
        }
        let modules: Vec<String> = self.known.modules.keys().map(|name| format!("module.{name}")).collect();
        let known = self.index.keys().chain(&modules).chain(self.known.groups.keys());
        let near = did_you_mean(name, known.map(String::as_str));
        near.or_else(|| Some("declare it, or leave the reference out".to_owned()))
    }
}
