//! The kind `group`: decides about a group and its members.

use crate::kind::{Class, Kind};
use crate::parts::ensure::Ensure;
use crate::parts::members::{Membership, list, name_problem};
use crate::system::System;
use model::{Claim, Failure, GroupSpec, Op, Problem, Step, Thing, Val};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// A group of /etc/group. Every key that is left out stays as it is.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Group {
    #[schemars(skip)]
    name: String,
    /// Whether there is such a group. One that is the primary group of a user cannot be absent.
    #[serde(default)]
    ensure: Ensure,
    /// Its number. Left out, the next free one. Files keep the old number when it changes.
    gid: Option<u32>,
    /// Users who are in it, besides those whose primary group it is. Declarations merge: all of them are in it.
    members: Option<BTreeSet<String>>,
    /// Whether others may be in it besides `members`.
    #[serde(default)]
    membership: Membership,
    /// Whether a new one gets a number of the system's range (below 1000). Says nothing of one that is there.
    #[serde(default)]
    system: bool,
}

/// What was found.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Seen {
    /// The group.
    group: Option<Found>,
    /// Another group that has the wanted number.
    gid_owner: Option<String>,
    /// Wanted members who do not exist.
    strangers: BTreeSet<String>,
    /// Users whose primary group it is.
    primary_of: BTreeSet<String>,
}

/// A group that is there.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Found {
    gid: u32,
    #[serde(default)]
    members: BTreeSet<String>,
}

impl Kind for Group {
    const NAME: &'static str = "group";
    const CLASS: Class = Class::Accounts;
    const EXAMPLE: &'static str = r#"[group.deploy]
gid = 2000

[group.media]
system  = true
members = ["www-data"]
"#;
    type Seen = Seen;

    fn check(&self) -> Vec<Problem> {
        let mut problems: Vec<Problem> = name_problem("group", &self.name).into_iter().collect();
        problems.extend(self.membership.problem("members", self.members.as_ref()));
        let members = self.members.iter().flatten().filter_map(|member| name_problem("user", member));
        problems.extend(members.map(|problem| Problem::at("members", problem.message)));
        if self.gid == Some(u32::MAX) {
            problems.push(Problem::at("gid", "4294967295 stands for no group").help("choose a lower number"));
        }
        if self.name == "root" && (self.ensure == Ensure::Absent || self.gid.is_some_and(|gid| gid != 0)) {
            problems.push(Problem::whole("the group root has number 0 and stays").help("leave it as it is"));
        }
        problems
    }

    fn claims(&self) -> Vec<Claim> {
        vec![self.ensure.claim(Thing::Group(self.name.clone()))]
    }

    fn wants(&self) -> Vec<Thing> {
        self.members.iter().flatten().map(|member| Thing::User(member.clone())).collect()
    }

    fn probe(&self, system: &dyn System) -> Result<Seen, Failure> {
        let accounts = system.accounts()?;
        let found = accounts.groups.get(&self.name);
        let has = |group: &crate::system::Group| self.gid == Some(group.gid);
        let other = accounts.groups.iter().find(|(name, group)| **name != self.name && has(group));
        let wanted = self.members.iter().flatten();
        let primary =
            accounts.users.iter().filter(|(_, user)| found.is_some_and(|group| group.gid == user.gid));
        Ok(Seen {
            group: found.map(|group| Found { gid: group.gid, members: group.members.clone() }),
            gid_owner: other.map(|(name, _)| name.clone()),
            strangers: wanted.filter(|member| !accounts.users.contains_key(*member)).cloned().collect(),
            primary_of: primary.map(|(name, _)| name.clone()).collect(),
        })
    }

    fn plan(&self, seen: &Seen) -> Result<Vec<Step>, Failure> {
        match (self.ensure, &seen.group) {
            (Ensure::Absent, None) => Ok(Vec::new()),
            (Ensure::Absent, Some(found)) => self.remove(found, seen).map(|step| vec![step]),
            (Ensure::Present, found) => Ok(self.have(found.as_ref(), seen)?.into_iter().collect()),
        }
    }

    fn removal(&self, seen: &Seen) -> Option<Vec<Step>> {
        let Some(found) = &seen.group else { return Some(Vec::new()) };
        self.remove(found, seen).ok().map(|step| vec![step])
    }
}

impl Group {
    fn have(&self, found: Option<&Found>, seen: &Seen) -> Result<Option<Step>, Failure> {
        let gid = self.gid.filter(|gid| found.is_none_or(|found| found.gid != *gid));
        let nobody = BTreeSet::new();
        let now = found.map_or(&nobody, |found| &found.members);
        let members = self.membership.change(now, self.members.as_ref());
        if found.is_some() && gid.is_none() && members.is_none() {
            return Ok(None);
        }
        if let (Some(gid), Some(other)) = (gid, &seen.gid_owner) {
            let why = format!("group {other} has number {gid} already");
            return Err(Failure::refused(why, "choose another gid, or give that group another first"));
        }
        if let Some(stranger) = seen.strangers.first() {
            return Err(Failure::Missing { what: format!("user {stranger}") });
        }
        let (name, members_then) = (self.name.clone(), members.clone());
        let spec =
            GroupSpec { name, gid, members: members_then, system: self.system, ..GroupSpec::default() };
        let mut step = match found {
            Some(_) => Step::new(Op::ModifyGroup(GroupSpec { system: false, ..spec })),
            None => Step::new(Op::AddGroup(spec)).because("ensure", Val::Absent, "present"),
        };
        if let Some(gid) = gid {
            step = step.because("gid", found.map(|found| found.gid), gid.to_string());
        }
        if let Some(members) = members {
            step = step.because("members", found.map(|_| list(now)), list(&members));
        }
        Ok(Some(step))
    }

    fn remove(&self, found: &Found, seen: &Seen) -> Result<Step, Failure> {
        if !seen.primary_of.is_empty() {
            let why = format!("group {} is the primary group of {}", self.name, list(&seen.primary_of));
            return Err(Failure::refused(why, "give those users another primary group first"));
        }
        let step = Step::new(Op::RemoveGroup { name: self.name.clone() });
        Ok(step.because("ensure", format!("present, gid {}", found.gid), Val::Absent))
    }
}
