//! The kind `user`: decides about a user. Passwords are compared and passed on, never shown.

use crate::kind::{Class, Kind};
use crate::parts::ensure::Ensure;
use crate::parts::members::{Membership, list, name_problem};
use crate::system::{Accounts, System};
use jiff::civil::Date;
use model::{Claim, Failure, HostPath, Op, Principal, Problem, Secret, Step, Thing, UserSpec, Val};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// A user of /etc/passwd. Every key that is left out stays as it is; of a new user it is what useradd(8) chooses.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct User {
    #[schemars(skip)]
    name: String,
    /// Whether there is such a user. The home directory of one who goes stays.
    #[serde(default)]
    ensure: Ensure,
    /// Its number. Left out, the next free one. Files keep the old number when it changes.
    uid: Option<u32>,
    /// The primary group, by name or number. Left out, a new user gets a group of its own name.
    group: Option<Principal>,
    /// Supplementary groups, by name, such as `["adm", "docker"]`. Declarations merge: the user is in all of them.
    groups: Option<BTreeSet<String>>,
    /// Whether the user may be in groups besides `groups`.
    #[serde(default)]
    membership: Membership,
    /// The home directory, such as `"/home/deploy"`. Nothing is made there unless `manage_home` says so.
    home: Option<HostPath>,
    /// Whether the home directory is made, from /etc/skel, with a new user, and moved when `home` changes. Left out, it
    /// is for an ordinary user and is not for one with `system = true`.
    manage_home: Option<bool>,
    /// The login shell, such as `"/bin/bash"` or `"/usr/sbin/nologin"`.
    shell: Option<String>,
    /// The comment (GECOS field), such as the full name.
    comment: Option<String>,
    /// The hash of the password, as crypt(5) has it (`"$y$j9T$…"`), or `"*"` for none. Never the password itself: make a
    /// hash with `mkpasswd` or `openssl passwd -6`. A lock that somebody set stays unless `locked` is said.
    password_hash: Option<Secret<String>>,
    /// Whether the password is locked. Keys of SSH still let a locked user in: let the account expire to keep them out.
    locked: Option<bool>,
    /// The day from which the account is closed, such as `"2030-01-31"`, or `"never"`.
    #[schemars(with = "Option<String>")]
    expires: Option<Expiry>,
    /// Whether a new user gets a number of the system's range (below 1000). Says nothing of one that is there.
    #[serde(default)]
    system: bool,
}

/// Days since 1970-01-01; `None` for never.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
struct Expiry(Option<i64>);

const EPOCH: Date = Date::constant(1970, 1, 1);

impl TryFrom<String> for Expiry {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if text == "never" {
            return Ok(Self(None));
        }
        let wrong = || format!("`{text}` is neither a date such as \"2030-01-31\" nor \"never\"");
        let date: Date = text.parse().map_err(|_| wrong())?;
        let days = (date - EPOCH).get_days();
        // Only the plain form, and not the first day of all: shadow(5) leaves open what 0 means.
        if date.to_string() != text || days <= 0 { Err(wrong()) } else { Ok(Self(Some(i64::from(days)))) }
    }
}

/// A day as a date, `never` for none.
fn day(days: Option<i64>) -> String {
    let Some(days) = days else { return "never".to_owned() };
    let date = jiff::Span::new().try_days(days).and_then(|span| EPOCH.checked_add(span));
    date.map_or_else(|_| format!("day {days}"), |date| date.to_string())
}

/// What was found.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Seen {
    /// The user.
    user: Option<Found>,
    /// Another user who has the wanted number.
    uid_owner: Option<String>,
    /// Number of the wanted primary group; `None` where there is no such group.
    wanted_gid: Option<u32>,
    /// True where there is a group of the user's name.
    own_group: bool,
    /// Wanted supplementary groups that do not exist.
    strange_groups: BTreeSet<String>,
}

/// A user who is there.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Found {
    uid: u32,
    gid: u32,
    /// Name of the primary group, or its number where no group has it.
    group: String,
    #[serde(default)]
    groups: BTreeSet<String>,
    #[serde(default)]
    comment: String,
    home: String,
    shell: String,
    /// Password field; `None` where there is no shadow line.
    password: Option<Secret<String>>,
    expires: Option<i64>,
}

impl Found {
    fn of(accounts: &Accounts, name: &str) -> Option<Self> {
        let user = accounts.users.get(name)?;
        Some(Self {
            uid: user.uid,
            gid: user.gid,
            group: accounts.group_name(user.gid),
            groups: accounts.groups_of(name),
            comment: user.comment.clone(),
            home: user.home.clone(),
            shell: user.shell.clone(),
            password: user.password.clone(),
            expires: user.expires,
        })
    }

    fn password(&self) -> &str {
        self.password.as_ref().map_or("", |password| password.expose())
    }

    /// The hash without a lock; `""` where there is no password at all.
    fn hash(&self) -> &str {
        self.password().trim_start_matches('!')
    }

    fn is_locked(&self) -> bool {
        is_locked(self.password())
    }
}

/// True where no password lets the user in. `*` is as good as a lock.
fn is_locked(password: &str) -> bool {
    password.starts_with(['!', '*'])
}

impl Kind for User {
    const NAME: &'static str = "user";
    const CLASS: Class = Class::Accounts;
    const EXAMPLE: &'static str = r#"[user.deploy]
uid     = 2000
groups  = ["adm"]
shell   = "/bin/bash"
comment = "Deployment"
expires = "2030-01-31"

[user.metrics]
system = true
home   = "/var/lib/metrics"
shell  = "/usr/sbin/nologin"
locked = true
"#;
    type Seen = Seen;

    fn check(&self) -> Vec<Problem> {
        let mut problems: Vec<Problem> = name_problem("user", &self.name).into_iter().collect();
        problems.extend(self.membership.problem("groups", self.groups.as_ref()));
        let groups = self.groups.iter().flatten().filter_map(|group| name_problem("group", group));
        problems.extend(groups.map(|problem| Problem::at("groups", problem.message)));
        problems.extend(self.password_hash.as_ref().and_then(|hash| check_hash(hash.expose())));
        let opens = self.locked == Some(false);
        if opens && self.password_hash.as_ref().is_some_and(|hash| hash.expose().starts_with('!')) {
            let problem = Problem::at("locked", "the password_hash starts with `!`, which locks it");
            problems.push(problem.help("leave out the `!`, or set locked = true"));
        }
        let line = |text: &str| text.contains(|c: char| c == ':' || c.is_control());
        let home = self.home.as_ref().map(|home| home.as_path().to_string_lossy().into_owned());
        for (key, text) in [("home", &home), ("shell", &self.shell), ("comment", &self.comment)] {
            if text.as_deref().is_some_and(line) {
                problems.push(Problem::at(
                    key,
                    "a line of passwd(5) cannot hold `:` or control characters there",
                ));
            }
        }
        if self.shell.as_deref().is_some_and(|shell| !shell.starts_with('/')) {
            let problem = Problem::at("shell", "a shell is an absolute path");
            problems.push(problem.help("write its path, such as \"/bin/bash\""));
        }
        if self.uid == Some(u32::MAX) {
            problems.push(Problem::at("uid", "4294967295 stands for no user").help("choose a lower number"));
        }
        if self.name == "root" && (self.ensure == Ensure::Absent || self.uid.is_some_and(|uid| uid != 0)) {
            problems.push(Problem::whole("root has number 0 and stays").help("leave it as it is"));
        }
        problems
    }

    fn claims(&self) -> Vec<Claim> {
        vec![self.ensure.claim(Thing::User(self.name.clone()))]
    }

    fn wants(&self) -> Vec<Thing> {
        let mut things: Vec<Thing> = self.groups.iter().flatten().cloned().map(Thing::Group).collect();
        let primary = self.group.as_ref().map_or(Some(self.name.as_str()), Principal::name);
        things.extend(primary.map(|group| Thing::Group(group.to_owned())));
        if let Some(shell) = self.shell.as_deref().and_then(|shell| HostPath::new(shell).ok()) {
            let package = shell.file_name().to_string_lossy().into_owned();
            things.extend([Thing::Package(package), Thing::Path(shell)]);
        }
        things.extend(self.home.as_ref().and_then(HostPath::parent).map(Thing::Path));
        things
    }

    fn probe(&self, system: &dyn System) -> Result<Seen, Failure> {
        let accounts = system.accounts()?;
        if self.password_hash.is_some() || self.locked.is_some() || self.expires.is_some() {
            accounts.require_shadow()?;
        }
        let has = |user: &crate::system::User| self.uid == Some(user.uid);
        let other = accounts.users.iter().find(|(name, user)| **name != self.name && has(user));
        let groups = self.groups.iter().flatten();
        Ok(Seen {
            user: Found::of(&accounts, &self.name),
            uid_owner: other.map(|(name, _)| name.clone()),
            wanted_gid: self.group.as_ref().and_then(|group| accounts.gid(group)),
            own_group: accounts.groups.contains_key(&self.name),
            strange_groups: groups.filter(|group| !accounts.groups.contains_key(*group)).cloned().collect(),
        })
    }

    fn plan(&self, seen: &Seen) -> Result<Vec<Step>, Failure> {
        match (self.ensure, &seen.user) {
            (Ensure::Absent, None) => Ok(Vec::new()),
            (Ensure::Absent, Some(found)) => Ok(vec![self.remove(found)]),
            (Ensure::Present, None) => Ok(vec![self.add(seen)?]),
            (Ensure::Present, Some(found)) => Ok(self.modify(found, seen)?.into_iter().collect()),
        }
    }

    fn removal(&self, seen: &Seen) -> Option<Vec<Step>> {
        Some(seen.user.iter().map(|found| self.remove(found)).collect())
    }
}

impl User {
    fn remove(&self, found: &Found) -> Step {
        let step = Step::new(Op::RemoveUser { name: self.name.clone() });
        step.because("ensure", format!("present, uid {}", found.uid), Val::Absent)
    }

    /// Refuses what cannot be had.
    fn check_host(&self, seen: &Seen) -> Result<(), Failure> {
        if let (Some(uid), Some(other)) = (self.uid, &seen.uid_owner) {
            let why = format!("user {other} has number {uid} already");
            return Err(Failure::refused(why, "choose another uid, or give that user another first"));
        }
        match (&self.group, seen.wanted_gid, seen.strange_groups.first()) {
            (Some(group), None, _) => Err(Failure::Missing { what: format!("group {group}") }),
            (_, _, Some(group)) => Err(Failure::Missing { what: format!("group {group}") }),
            _ => Ok(()),
        }
    }

    fn refuse_unlock(&self) -> Failure {
        let why = format!("user {} has no password: unlocked, it would let anybody in", self.name);
        Failure::refused(why, "give a password_hash, or leave out locked = false")
    }

    fn add(&self, seen: &Seen) -> Result<Step, Failure> {
        self.check_host(seen)?;
        if self.locked == Some(false) && self.password_hash.is_none() {
            return Err(self.refuse_unlock());
        }
        // A group of the user's name that is there already is not made again.
        let own = seen.own_group.then(|| Principal::Name(self.name.clone()));
        let spec = UserSpec {
            name: self.name.clone(),
            uid: self.uid,
            group: self.group.clone().or(own),
            groups: self.groups.clone(),
            administers: None,
            home: self.home.clone(),
            manage_home: self.manage_home.unwrap_or(!self.system),
            shell: self.shell.clone(),
            comment: self.comment.clone(),
            password: self.password_hash.clone(),
            locked: self.locked,
            expires: self.expires.map(|expiry| expiry.0),
            system: self.system,
        };
        Ok(Step::new(Op::AddUser(spec)).because("ensure", Val::Absent, "present"))
    }

    fn modify(&self, found: &Found, seen: &Seen) -> Result<Option<Step>, Failure> {
        let changed = |wanted: &Option<String>, now: &str| wanted.clone().filter(|wanted| wanted != now);
        let home = self.home.clone().filter(|home| home.to_string() != found.home);
        let (password, locked) = self.password(found)?;
        let spec = UserSpec {
            name: self.name.clone(),
            uid: self.uid.filter(|uid| *uid != found.uid),
            group: self.group.clone().filter(|_| seen.wanted_gid != Some(found.gid)),
            groups: self.membership.change(&found.groups, self.groups.as_ref()),
            administers: None,
            manage_home: home.is_some() && self.manage_home.unwrap_or(!self.system),
            home,
            shell: changed(&self.shell, &found.shell),
            comment: changed(&self.comment, &found.comment),
            password,
            locked,
            expires: self.expires.map(|expiry| expiry.0).filter(|day| *day != found.expires),
            system: false,
        };
        if spec == (UserSpec { name: self.name.clone(), ..UserSpec::default() }) {
            return Ok(None);
        }
        self.check_host(seen)?;
        Ok(Some(explain(spec, found)))
    }

    /// What of password and lock changes. A lock that nobody spoke of is kept when the hash changes.
    fn password(&self, found: &Found) -> Result<(Option<Secret<String>>, Option<bool>), Failure> {
        let wanted = self.password_hash.as_ref();
        let now = |wanted: &str| if wanted.starts_with('!') { found.password() } else { found.hash() };
        let password =
            wanted.filter(|wanted| found.password.is_none() || now(wanted.expose()) != wanted.expose());
        let to_be = password.map_or(found.password(), |hash| hash.expose());
        let has_hash = found.hash().starts_with('$');
        let locked = match self.locked {
            Some(true) => (!is_locked(to_be)).then_some(true),
            Some(false)
                if wanted.is_none() && !has_hash && (found.password.is_none() || to_be.starts_with('!')) =>
            {
                return Err(self.refuse_unlock());
            }
            Some(false) => to_be.starts_with('!').then_some(false),
            None => {
                (password.is_some() && found.is_locked() && has_hash && !is_locked(to_be)).then_some(true)
            }
        };
        Ok((password.cloned(), locked))
    }
}

fn explain(spec: UserSpec, found: &Found) -> Step {
    let mut diffs: Vec<(&str, Val, Val)> = Vec::new();
    let mut text = |field, before: &str, after: Option<String>| {
        let found = if before.is_empty() { Val::Absent } else { before.into() };
        diffs.extend(after.filter(|after| after != before).map(|after| (field, found, after.into())));
    };
    text("uid", &found.uid.to_string(), spec.uid.map(|uid| uid.to_string()));
    text("group", &found.group, spec.group.as_ref().map(ToString::to_string));
    text("groups", &list(&found.groups), spec.groups.as_ref().map(list));
    text("home", &found.home, spec.home.as_ref().map(ToString::to_string));
    text("shell", &found.shell, spec.shell.clone());
    text("comment", &found.comment, spec.comment.clone());
    text("locked", &found.is_locked().to_string(), spec.locked.map(|locked| locked.to_string()));
    text("expires", &day(found.expires), spec.expires.map(day));
    if spec.password.is_some() {
        let before = found.password.as_ref().map_or(Val::Absent, |_| Val::Hidden);
        diffs.push(("password_hash", before, Val::Hidden));
    }
    let step = Step::new(Op::ModifyUser(spec));
    diffs.into_iter().fold(step, |step, (field, before, after)| step.because(field, before, after))
}

/// The message never holds the value: it may be a password.
fn check_hash(hash: &str) -> Option<Problem> {
    let bare = hash.strip_prefix('!').unwrap_or(hash);
    let fits = |c: char| c.is_ascii_alphanumeric() || "./$=,+-".contains(c);
    let is_crypt = bare.strip_prefix('$').is_some_and(|rest| {
        let is_id = |id: &str| (1..=10).contains(&id.len()) && id.chars().all(|c| c.is_ascii_alphanumeric());
        rest.len() >= 20 && rest.chars().all(fits) && rest.split_once('$').is_some_and(|(id, _)| is_id(id))
    });
    (!is_crypt && !matches!(hash, "!" | "*" | "!*" | "!!")).then(|| {
        let problem = Problem::at("password_hash", "this is no hash of crypt(5)");
        problem.help("make one with `mkpasswd` or `openssl passwd -6`; write \"*\" for no password")
    })
}
