//! What became of users and groups. Of a password only that it changed.

use crate::system::{Accounts, Group, User};
use model::{Gather, RehearsedAccount, Subject, Turn};
use std::collections::{BTreeMap, BTreeSet};

/// All differences, users first, sorted by name.
pub(super) fn changes(before: &Accounts, after: &Accounts) -> Vec<RehearsedAccount> {
    let user = |name: &str, old: Option<&User>, new: Option<&User>| {
        let groups = |accounts: &Accounts| listed(&accounts.groups_of(name));
        let details = user(old.map(|user| (user, groups(before))), new.map(|user| (user, groups(after))));
        (Subject::User(name.to_owned()), details)
    };
    let group = |name: &str, old: Option<&Group>, new: Option<&Group>| {
        (Subject::Group(name.to_owned()), group(old, new))
    };
    let mut found = each(&before.users, &after.users, user);
    found.extend(each(&before.groups, &after.groups, group));
    found
}

fn each<T>(
    before: &BTreeMap<String, T>,
    after: &BTreeMap<String, T>,
    tell: impl Fn(&str, Option<&T>, Option<&T>) -> (Subject, Vec<String>),
) -> Vec<RehearsedAccount> {
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).gather();
    let change = |name: &String| {
        let (old, new) = (before.get(name), after.get(name));
        let turn = match (old, new) {
            (None, _) => Turn::Added,
            (_, None) => Turn::Removed,
            _ => Turn::Changed,
        };
        let (subject, details) = tell(name, old, new);
        (turn != Turn::Changed || !details.is_empty()).then_some(RehearsedAccount { subject, turn, details })
    };
    names.into_iter().filter_map(change).collect()
}

fn user(old: Option<(&User, String)>, new: Option<(&User, String)>) -> Vec<String> {
    let fields = |(user, groups): (&User, String)| {
        let expires = user.expires.map_or("never".to_owned(), |days| format!("{days} days after 1970-01-01"));
        let (uid, gid) = (user.uid.to_string(), user.gid.to_string());
        [uid, gid, user.comment.clone(), user.home.clone(), user.shell.clone(), groups, expires]
    };
    let names = ["uid", "gid", "comment", "home", "shell", "groups", "expires"];
    let secret = |user: Option<&User>| user.and_then(|user| user.password.clone());
    let passwords = (secret(old.as_ref().map(|it| it.0)), secret(new.as_ref().map(|it| it.0)));
    let new_is_there = new.is_some();
    let mut details = differences(&names, old.map(fields), new.map(fields));
    // A new account without a usable password has nothing to tell of it.
    let worth = passwords.1.as_ref().is_some_and(|new| !new.expose().starts_with(['!', '*']));
    if new_is_there && passwords.0 != passwords.1 && (passwords.0.is_some() || worth) {
        details.push("password <secret changed>".to_owned());
    }
    details
}

fn group(old: Option<&Group>, new: Option<&Group>) -> Vec<String> {
    let fields = |group: &Group| [group.gid.to_string(), listed(&group.members)];
    differences(&["gid", "members"], old.map(fields), new.map(fields))
}

/// `uid 1000` of a new one, `uid 1000 -> 1001` of a changed one, nothing of a removed one.
fn differences<const N: usize>(
    names: &[&str; N],
    old: Option<[String; N]>,
    new: Option<[String; N]>,
) -> Vec<String> {
    let Some(new) = new else { return Vec::new() };
    let shown = |text: &str| crate::os::capture::printable(text.as_bytes());
    let mut details = Vec::new();
    for (at, (name, new)) in names.iter().zip(&new).enumerate() {
        match old.as_ref().map(|old| &old[at]) {
            Some(old) if old != new => {
                details.push(format!("{name} {} -> {}", quoted(&shown(old)), quoted(&shown(new))))
            }
            None if !new.is_empty() && new != "never" => details.push(format!("{name} {}", shown(new))),
            _ => {}
        }
    }
    details
}

fn quoted(text: &str) -> &str {
    if text.is_empty() { "(none)" } else { text }
}

fn listed(names: &BTreeSet<String>) -> String {
    names.iter().map(String::as_str).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::changes;
    use crate::system::{Accounts, Group, User};
    use model::{Secret, Turn};

    fn with(users: &[(&str, u32, &str)], members: &[&str]) -> Accounts {
        let mut accounts = Accounts::default();
        for (name, uid, password) in users {
            let (comment, home, shell) = (String::new(), format!("/home/{name}"), "/bin/sh".into());
            let password = Some(Secret::new((*password).to_owned()));
            let user = User { uid: *uid, gid: 5, comment, home, shell, password, expires: None };
            accounts.users.insert((*name).into(), user);
        }
        let members = members.iter().map(|name| (*name).to_owned()).collect();
        accounts.groups.insert("adm".into(), Group { gid: 4, members });
        accounts
    }

    #[test]
    fn tells_users_and_groups_and_no_password() {
        let before = with(&[("a", 1, "!"), ("b", 2, "$y$old"), ("gone", 3, "!")], &[]);
        let after = with(&[("a", 1, "!"), ("b", 2, "$y$new"), ("new", 4, "!")], &["new"]);
        let found = changes(&before, &after);
        let lines: Vec<String> = found
            .iter()
            .map(|it| format!("{} {:?} {}", it.subject, it.turn, it.details.join("; ")))
            .collect();
        let expected = [
            "user b Changed password <secret changed>",
            "user gone Removed ",
            "user new Added uid 4; gid 5; home /home/new; shell /bin/sh; groups adm",
            "group adm Changed members (none) -> new",
        ];
        assert_eq!(lines, expected);
        assert_eq!(found[0].turn, Turn::Changed);
    }
}
