//! Owner, group and mode of a path: what kinds that have these three keys share. Pure but for `Owners::probe`.
//!
//! What is not asked for stays as it is; a new thing belongs to root. Kinds turn the answers into ops.

use crate::parts::mode::{Mode, Target};
use crate::system::{Entry, System};
use model::{Failure, HostPath, Op, Principal, Problem, Run, Step, Thing};
use serde::{Deserialize, Serialize};

/// The three keys of a resource.
#[derive(Clone, Copy, Debug)]
pub struct Attributes<'a> {
    /// Wanted owner.
    pub owner: Option<&'a Principal>,
    /// Wanted group.
    pub group: Option<&'a Principal>,
    /// Wanted mode.
    pub mode: Option<&'a Mode>,
}

/// What the host says about the wanted owner and group, and by name about the present ones.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Owners {
    /// Number of the wanted owner; `None` where none is wanted, or where nobody has the name yet.
    pub uid: Option<u32>,
    /// Number of the wanted group, likewise.
    pub gid: Option<u32>,
    /// Name of the present owner, where it is not the wanted one.
    pub owner: Option<String>,
    /// Name of the present group, where it is not the wanted one.
    pub group: Option<String>,
}

/// Whether an entry is what the resource names, or lies in its tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// It is the named one.
    Itself,
    /// It lies below: files must not gain x.
    Below,
    /// It was copied there: a file gets x as its source has it, for whoever may read it.
    Copied(Run),
}

/// What of an entry is to change.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Changes {
    owner: Option<Principal>,
    group: Option<Principal>,
    mode: Option<u32>,
}

impl Owners {
    /// Looks up the wanted owner and group, where names have to be; `entry` is what stands there.
    pub fn probe(wanted: Attributes, entry: Option<&Entry>, system: &dyn System) -> Result<Self, Failure> {
        if wanted.owner.is_none() && wanted.group.is_none() {
            return Ok(Self::default());
        }
        let accounts = system.accounts()?;
        let uid = wanted.owner.and_then(|owner| accounts.uid(owner));
        let gid = wanted.group.and_then(|group| accounts.gid(group));
        let other_owner = entry.filter(|it| wanted.owner.is_some() && uid != Some(it.uid));
        let other_group = entry.filter(|it| wanted.group.is_some() && gid != Some(it.gid));
        let owner = other_owner.map(|it| accounts.user_name(it.uid));
        let group = other_group.map(|it| accounts.group_name(it.gid));
        Ok(Self { uid, gid, owner, group })
    }
}

impl<'a> Attributes<'a> {
    /// What is wrong with them.
    pub fn problems(&self) -> impl Iterator<Item = Problem> {
        self.mode.and_then(|mode| mode.problem("mode")).into_iter()
    }

    /// The user and the group that have to come first.
    pub fn wants(&self) -> impl Iterator<Item = Thing> + use<'a> {
        let user = self.owner.and_then(Principal::name).map(|name| Thing::User(name.to_owned()));
        let group = self.group.and_then(Principal::name).map(|name| Thing::Group(name.to_owned()));
        user.into_iter().chain(group)
    }

    /// Owner, group and mode of a new thing; `default` is its mode where none is asked for.
    pub fn fresh(&self, default: u32, target: Target) -> (Principal, Principal, u32) {
        let or_root = |who: Option<&Principal>| who.cloned().unwrap_or(Principal::Name("root".to_owned()));
        let mode = self.mode.map_or(default, |mode| mode.of(default, target));
        (or_root(self.owner), or_root(self.group), mode)
    }

    /// Owner, group and mode for writing anew the file that is there.
    pub fn rewritten(&self, entry: &Entry, owners: &Owners, part: Part) -> (Principal, Principal, u32) {
        let owner = self.owner.cloned().unwrap_or(Principal::Number(entry.uid));
        let group = self.group.cloned().unwrap_or(Principal::Number(entry.gid));
        let changes = self.changes(entry, owners, part);
        (owner, group, changes.and_then(|changes| changes.mode).unwrap_or(entry.mode))
    }

    /// The step that makes the attributes of `entry` the wanted ones; `None` where they are.
    pub fn step(&self, path: &HostPath, entry: &Entry, owners: &Owners, part: Part) -> Option<Step> {
        let changes = self.changes(entry, owners, part)?;
        let Changes { owner, group, mode } = changes.clone();
        let step = Step::new(Op::SetAttributes { path: path.clone(), owner, group, mode });
        Some(changes.explain(step, entry, owners, part))
    }

    /// Adds to a step that writes `entry` anew why its attributes change.
    pub fn explain(&self, step: Step, entry: &Entry, owners: &Owners, part: Part) -> Step {
        match self.changes(entry, owners, part) {
            Some(changes) => changes.explain(step, entry, owners, part),
            None => step,
        }
    }

    fn changes(&self, entry: &Entry, owners: &Owners, part: Part) -> Option<Changes> {
        let owner = self.owner.filter(|_| owners.uid != Some(entry.uid)).cloned();
        let group = self.group.filter(|_| owners.gid != Some(entry.gid)).cloned();
        let target = if entry.what() == "directory" { Target::Directory } else { Target::File };
        let wanted = match (self.mode, part) {
            (Some(mode), Part::Below) => mode.in_tree(entry.mode, target),
            (Some(mode), _) => mode.of(entry.mode, target),
            // With a new owner the kernel takes the set-id bits away: so does the plan.
            (None, _) if target == Target::File && (owner.is_some() || group.is_some()) => {
                entry.mode & !0o6000
            }
            (None, _) => entry.mode,
        };
        let wanted = match (part, target, self.mode) {
            (Part::Copied(Run::Yes), Target::File, _) => for_readers(wanted),
            (Part::Copied(Run::No), Target::File, None) => wanted & !0o111,
            _ => wanted,
        };
        let is_cleared = (owner.is_some() || group.is_some()) && wanted & 0o6000 != 0;
        let mode = (wanted != entry.mode || is_cleared).then_some(wanted);
        let changes = Changes { owner, group, mode };
        (changes != Changes { owner: None, group: None, mode: None }).then_some(changes)
    }
}

/// With x for whoever may read.
pub fn for_readers(mode: u32) -> u32 {
    mode | (mode & 0o444) >> 2
}

impl Changes {
    fn explain(self, mut step: Step, entry: &Entry, owners: &Owners, part: Part) -> Step {
        let name = |name: &Option<String>, id: u32| match (name, part) {
            (Some(name), Part::Itself) => name.clone(),
            _ => id.to_string(),
        };
        if let Some(owner) = self.owner {
            step = step.because("owner", name(&owners.owner, entry.uid), owner.to_string());
        }
        if let Some(group) = self.group {
            step = step.because("group", name(&owners.group, entry.gid), group.to_string());
        }
        match self.mode.filter(|mode| *mode != entry.mode) {
            Some(mode) => step.because("mode", format!("{:04o}", entry.mode), format!("{mode:04o}")),
            None => step,
        }
    }
}
