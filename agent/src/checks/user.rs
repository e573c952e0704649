//! The subject `user`: an account, as the account files have it.

use super::ground::Ground;
use super::subject::Subject;
use crate::kind::Listed;
use model::{Failure, Principal, Problem, Shortfall};
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeSet;

/// An account of /etc/passwd. `user = "deploy"` is short for `user = { name = "deploy" }`: there is one. What other sources than the files
/// know of users is not looked at.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct User {
    /// Its name.
    name: String,
    /// Whether there is none. Then it has no other key.
    #[serde(default)]
    absent: bool,
    /// Its number.
    uid: Option<u32>,
    /// Its primary group, by name or number.
    group: Option<Principal>,
    /// Groups that it is in, among others.
    groups: Option<BTreeSet<String>>,
    /// Its home directory.
    home: Option<String>,
    /// Its login shell.
    shell: Option<String>,
}

impl Listed for User {
    const NAME: &'static str = "user";
    const SHORT: &'static str = "name";
    const EXAMPLE: &'static str = "[check.deploy]\nuser = { name = \"deploy\", groups = [\"www-data\"], shell = \"/bin/bash\" }\n\n[check.no-pi]\nuser = { name = \"pi\", absent = true }\n";

    fn problems(&self) -> Vec<Problem> {
        let says_more = self.uid.is_some()
            || self.group.is_some()
            || self.groups.is_some()
            || self.home.is_some()
            || self.shell.is_some();
        if self.absent && says_more {
            return vec![
                Problem::at("absent", "who is not there has nothing").help("leave one of the two out"),
            ];
        }
        Vec::new()
    }
}

impl Subject for User {
    fn look(&self, ground: &Ground<'_>) -> Result<Vec<Shortfall>, Failure> {
        let accounts = ground.system()?.accounts()?;
        let name = &self.name;
        let Some(user) = accounts.users.get(name) else {
            let short = Shortfall::new("user", format_args!("`{name}`"), "no such user");
            return Ok(if self.absent { Vec::new() } else { vec![short] });
        };
        if self.absent {
            return Ok(vec![Shortfall::new(
                "user",
                format_args!("no `{name}`"),
                format_args!("uid {}", user.uid),
            )]);
        }
        let mut short = Vec::new();
        if let Some(uid) = self.uid.filter(|uid| *uid != user.uid) {
            short.push(Shortfall::new("uid", uid, user.uid));
        }
        if let Some(group) = self.group.as_ref().filter(|group| accounts.gid(group) != Some(user.gid)) {
            short.push(Shortfall::new("group", group, accounts.group_name(user.gid)));
        }
        if let Some(groups) = &self.groups {
            let mut has = accounts.groups_of(name);
            has.insert(accounts.group_name(user.gid));
            if !groups.is_subset(&has) {
                short.push(Shortfall::new("groups", listed(groups), listed(&has)));
            }
        }
        for (what, wanted, seen) in [("home", &self.home, &user.home), ("shell", &self.shell, &user.shell)] {
            if let Some(wanted) = wanted.as_ref().filter(|wanted| *wanted != seen) {
                short.push(Shortfall::new(what, wanted, seen));
            }
        }
        Ok(short)
    }
}

fn listed(names: &BTreeSet<String>) -> String {
    names.iter().map(String::as_str).collect::<Vec<_>>().join(", ")
}
