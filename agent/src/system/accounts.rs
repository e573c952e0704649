//! The users and groups of /etc/passwd, shadow and group, as passwd(5), shadow(5) and group(5) have them.
//!
//! Read from the files and not through NSS: a static binary cannot trust NSS on another system.

use model::{Failure, Principal, Secret};
use std::collections::{BTreeMap, BTreeSet};

/// One line of passwd(5), with what shadow(5) says of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Number.
    pub uid: u32,
    /// Number of the primary group.
    pub gid: u32,
    /// GECOS field.
    pub comment: String,
    /// Home directory, as written.
    pub home: String,
    /// Login shell, as written.
    pub shell: String,
    /// Password field of shadow(5); `None` where there is no shadow line.
    pub password: Option<Secret<String>>,
    /// Days since 1970-01-01 on which the account ends.
    pub expires: Option<i64>,
}

/// One line of group(5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Number.
    pub gid: u32,
    /// Members, by name; not those whose primary group it is.
    pub members: BTreeSet<String>,
}

/// All users and groups, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Accounts {
    /// Users by name.
    pub users: BTreeMap<String, User>,
    /// Groups by name.
    pub groups: BTreeMap<String, Group>,
    /// Why shadow(5) could not be read; then nothing is known of passwords and expiry.
    pub shadow_unread: Option<Failure>,
}

impl Accounts {
    /// To be asked before `password` or `expires` of a user is believed.
    pub fn require_shadow(&self) -> Result<(), Failure> {
        self.shadow_unread.clone().map_or(Ok(()), Err)
    }

    /// The uid a principal stands for; `None` for a name that nobody has.
    pub fn uid(&self, who: &Principal) -> Option<u32> {
        match who {
            Principal::Number(number) => Some(*number),
            Principal::Name(name) => self.users.get(name).map(|user| user.uid),
        }
    }

    /// The gid a principal stands for; `None` for a name that no group has.
    pub fn gid(&self, who: &Principal) -> Option<u32> {
        match who {
            Principal::Number(number) => Some(*number),
            Principal::Name(name) => self.groups.get(name).map(|group| group.gid),
        }
    }

    /// Name of a user, or its number in text.
    pub fn user_name(&self, uid: u32) -> String {
        let found = self.users.iter().find(|(_, user)| user.uid == uid);
        found.map_or_else(|| uid.to_string(), |(name, _)| name.clone())
    }

    /// Name of a group, or its number in text.
    pub fn group_name(&self, gid: u32) -> String {
        let found = self.groups.iter().find(|(_, group)| group.gid == gid);
        found.map_or_else(|| gid.to_string(), |(name, _)| name.clone())
    }

    /// The supplementary groups of a user, by name.
    pub fn groups_of(&self, user: &str) -> BTreeSet<String> {
        let holds = |group: &Group| group.members.contains(user);
        self.groups.iter().filter(|(_, group)| holds(group)).map(|(name, _)| name.clone()).collect()
    }
}
