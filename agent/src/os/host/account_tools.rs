//! Changes users and groups by the shadow suite's own tools, which know the locks and the files nobody else thinks of.
//!
//! Names come after `--`; a password hash goes to chpasswd(8) on standard input and never into an argv.

use super::execute::child;
use super::host::Host;
use crate::os::meta::FileKind;
use crate::os::safe_path::{Follow, list, look};
use crate::system::{Accounts, Attempt, Touched, User};
use model::{Failure, GroupSpec, HostPath, Op, Secret, Subject, UserSpec};
use std::collections::BTreeSet;
use std::thread::sleep;
use std::time::Duration;

/// How often, and how long apart, a tool is tried while somebody else has the account files locked.
const TRIES: u32 = 30;
const PAUSE: Duration = Duration::from_millis(500);

impl Host<'_> {
    pub(super) fn add_group(&self, spec: &GroupSpec, attempt: &Attempt) -> Result<(), Failure> {
        // Rolling back a new user brings back the group of the same name, which the user's removal may have spared.
        let found = self.read_accounts()?.groups.get(&spec.name).map(|group| group.gid);
        if found.is_some() && found == spec.gid {
            self.set_members(spec, attempt)?;
            return self.set_group_shadow(spec, attempt);
        }
        let gid = spec.gid.map(|gid| gid.to_string());
        let mut argv = vec!["groupadd"];
        argv.extend(gid.iter().flat_map(|gid| ["-g", gid]));
        argv.extend(spec.system.then_some("-r"));
        argv.extend(["--", &spec.name]);
        self.account_tool(&argv, attempt)?;
        self.set_members(spec, attempt)?;
        self.set_group_shadow(spec, attempt)
    }

    pub(super) fn modify_group(&self, spec: &GroupSpec, attempt: &Attempt) -> Result<(), Failure> {
        if let Some(gid) = spec.gid {
            self.account_tool(&["groupmod", "-g", &gid.to_string(), "--", &spec.name], attempt)?;
        }
        self.set_members(spec, attempt)?;
        self.set_group_shadow(spec, attempt)
    }

    fn set_members(&self, spec: &GroupSpec, attempt: &Attempt) -> Result<(), Failure> {
        let Some(members) = &spec.members else { return Ok(()) };
        self.forget(&Op::ModifyGroup(GroupSpec::default()));
        let accounts = self.read_accounts()?;
        if members.iter().all(|member| accounts.users.contains_key(member)) {
            return self.account_tool(&["gpasswd", "-M", &joined(members), "--", &spec.name], attempt);
        }
        // gpasswd takes no list with a name of nobody, which a user removed by hand leaves behind.
        let nobody = BTreeSet::new();
        let now = accounts.groups.get(&spec.name).map_or(&nobody, |group| &group.members);
        let goes = now.difference(members).map(|member| ("-d", member));
        let comes = members.difference(now).map(|member| ("-a", member));
        goes.chain(comes).try_for_each(|(verb, member)| {
            self.account_tool(&["gpasswd", verb, member, "--", &spec.name], attempt)
        })
    }

    pub(super) fn remove_group(&self, name: &str, attempt: &Attempt) -> Result<(), Failure> {
        self.account_tool(&["groupdel", "--", name], attempt)
    }

    /// Says which paths are new: the home directory with what /etc/skel put into it, and directories made above it.
    pub(super) fn add_user(&self, spec: &UserSpec, attempt: &Attempt) -> Result<Touched, Failure> {
        let accounts = self.read_accounts()?;
        let home = HostPath::new(home(spec)).map_err(|why| Failure::refused(why, "write another `home`"))?;
        let top = if spec.manage_home { topmost_missing(&home)? } else { None };
        let argv = useradd(spec, &accounts);
        self.account_tool(&argv.iter().map(String::as_str).collect::<Vec<_>>(), attempt)?;
        self.set_password(spec, attempt)?;
        self.set_administered(spec, attempt)?;
        top.map_or(Ok(Touched::new()), tree)
    }

    pub(super) fn modify_user(&self, spec: &UserSpec, attempt: &Attempt) -> Result<(), Failure> {
        self.shadow_line(spec, attempt)?;
        let argv = usermod(spec);
        if let (true, Some(home)) = (spec.manage_home, &spec.home) {
            can_move_to(home)?;
        }
        if argv.len() > 3 {
            self.account_tool(&argv.iter().map(String::as_str).collect::<Vec<_>>(), attempt)?;
        }
        self.set_password(spec, attempt)?;
        self.set_administered(spec, attempt)
    }

    /// Gives a user without a line in shadow(5) one before a password or expiry is set: chpasswd would else write the hash
    /// into passwd(5), for everybody to read.
    fn shadow_line(&self, spec: &UserSpec, attempt: &Attempt) -> Result<(), Failure> {
        if spec.password.is_none() && spec.locked.is_none() && spec.expires.is_none() {
            return Ok(());
        }
        let accounts = self.read_accounts()?;
        accounts.require_shadow()?;
        if accounts.users.get(&spec.name).is_some_and(|user| user.password.is_some()) {
            return Ok(());
        }
        self.account_tool(&["pwconv"], attempt)?;
        self.forget(&Op::ModifyUser(UserSpec::default()));
        Ok(())
    }

    fn set_password(&self, spec: &UserSpec, attempt: &Attempt) -> Result<(), Failure> {
        if spec.password.is_none() && spec.locked.is_none() {
            return Ok(());
        }
        self.forget(&Op::ModifyUser(UserSpec::default()));
        let accounts = self.read_accounts()?;
        accounts.require_shadow()?;
        let Some(field) = password_field(spec, accounts.users.get(&spec.name))? else { return Ok(()) };
        let mut chpasswd = child(&["chpasswd", "-e"], attempt);
        let line = format!("{}:{}\n", spec.name, field.expose());
        chpasswd.stdin = Some(Secret::new(line.into_bytes()));
        patiently(|| self.finish(chpasswd.clone()).map(|_| ()))
    }

    pub(super) fn remove_user(&self, name: &str, attempt: &Attempt) -> Result<(), Failure> {
        self.account_tool(&["userdel", "--", name], attempt)?;
        self.forget(&Op::RemoveUser { name: name.to_owned() });
        let accounts = self.read_accounts()?;
        // userdel leaves the group of the same name where it was not the primary one; nobody would ever want it again.
        let Some(group) = accounts.groups.get(name) else { return Ok(()) };
        if group.members.is_empty() && !accounts.users.values().any(|user| user.gid == group.gid) {
            return self.remove_group(name, attempt);
        }
        Ok(())
    }

    pub(super) fn account_tool(&self, argv: &[&str], attempt: &Attempt) -> Result<(), Failure> {
        patiently(|| self.tool(argv, attempt).map(|_| ()))
    }
}

/// Waits for whoever else changes accounts right now, such as a package that is being configured.
pub(super) fn patiently(mut act: impl FnMut() -> Result<(), Failure>) -> Result<(), Failure> {
    for _ in 1..TRIES {
        match act() {
            Err(Failure::Command { stderr, .. }) if stderr.contains("cannot lock /etc/") => sleep(PAUSE),
            done => return done,
        }
    }
    act()
}

/// Everything that useradd would take from the host's defaults is said, so that what happens is what was foretold.
fn useradd(spec: &UserSpec, accounts: &Accounts) -> Vec<String> {
    let mut argv = vec!["useradd".to_owned()];
    let mut add = |option: &str, value: Option<String>| {
        argv.extend(value.into_iter().flat_map(|value| [option.to_owned(), value]));
    };
    add("-u", spec.uid.map(|uid| uid.to_string()));
    let namesake = accounts.groups.contains_key(&spec.name).then(|| spec.name.clone());
    let group = spec.group.as_ref().map(ToString::to_string).or(namesake);
    let is_own = group.is_none();
    add("-g", group);
    add("-G", spec.groups.as_ref().filter(|groups| !groups.is_empty()).map(joined));
    add("-d", Some(home(spec)));
    add("-s", Some(spec.shell.clone().unwrap_or_else(|| "/bin/sh".to_owned())));
    add("-c", spec.comment.clone());
    add("-e", spec.expires.flatten().map(|days| days.to_string()));
    argv.extend(is_own.then(|| "-U".to_owned()));
    argv.extend(spec.system.then(|| "-r".to_owned()));
    argv.push(if spec.manage_home { "-m" } else { "-M" }.to_owned());
    argv.extend(["--".to_owned(), spec.name.clone()]);
    argv
}

fn home(spec: &UserSpec) -> String {
    let given = spec.home.as_ref().map(|home| home.as_path().to_string_lossy().into_owned());
    given.unwrap_or_else(|| format!("/home/{}", spec.name))
}

/// Refuses where usermod would change the account first and then fail to move its home.
fn can_move_to(home: &HostPath) -> Result<(), Failure> {
    if look(home.as_path(), Follow::No)?.is_some() {
        let why = format!("the home directory cannot be moved: something stands at {home} already");
        return Err(Failure::refused(why, "set manage_home = false to have only the account changed"));
    }
    match home.parent() {
        Some(parent) if look(parent.as_path(), Follow::Yes)?.is_none() => {
            Err(Failure::Missing { what: format!("directory {parent}") })
        }
        _ => Ok(()),
    }
}

/// The path itself or the directory farthest above it that is not there; `None` where all are.
fn topmost_missing(path: &HostPath) -> Result<Option<HostPath>, Failure> {
    let mut top = None;
    for at in std::iter::once(path.clone()).chain(path.ancestors()) {
        if look(at.as_path(), Follow::Yes)?.is_some() {
            break;
        }
        top = Some(at);
    }
    Ok(top)
}

/// A path and all below it, directories before what is in them.
fn tree(top: HostPath) -> Result<Touched, Failure> {
    let mut found = Touched::new();
    let mut ahead = vec![top];
    while let Some(path) = ahead.pop() {
        if look(path.as_path(), Follow::No)?.is_some_and(|meta| meta.kind() == FileKind::Directory) {
            let names = list(path.as_path(), Follow::No)?.unwrap_or(Vec::new());
            ahead.extend(names.iter().rev().map(|name| path.join(name)));
        }
        found.push(Subject::Path(path));
    }
    Ok(found)
}

/// `usermod -- NAME` alone where nothing is to be changed by it.
fn usermod(spec: &UserSpec) -> Vec<String> {
    let mut argv = vec!["usermod".to_owned()];
    let mut add = |option: &str, value: Option<String>| {
        argv.extend(value.into_iter().flat_map(|value| [option.to_owned(), value]));
    };
    add("-u", spec.uid.map(|uid| uid.to_string()));
    add("-g", spec.group.as_ref().map(ToString::to_string));
    add("-G", spec.groups.as_ref().map(joined));
    add("-d", spec.home.as_ref().map(|home| home.as_path().to_string_lossy().into_owned()));
    add("-s", spec.shell.clone());
    add("-c", spec.comment.clone());
    // An empty date is never; a number counts days since 1970-01-01.
    add("-e", spec.expires.map(|days| days.map_or_else(String::new, |days| days.to_string())));
    argv.extend((spec.manage_home && spec.home.is_some()).then(|| "-m".to_owned()));
    argv.extend(["--".to_owned(), spec.name.clone()]);
    argv
}

pub(super) fn joined(names: &BTreeSet<String>) -> String {
    names.iter().map(String::as_str).collect::<Vec<_>>().join(",")
}

/// The new password field of shadow(5); a lock is a `!` before the hash (usermod(8) -L). `None` where it is so already.
fn password_field(spec: &UserSpec, user: Option<&User>) -> Result<Option<Secret<String>>, Failure> {
    let old = user.and_then(|user| user.password.as_ref()).map(|field| field.expose().as_str());
    let hash = spec.password.as_ref().map(|hash| hash.expose().as_str()).or(old).unwrap_or("");
    let bare = hash.trim_start_matches('!');
    let field = match spec.locked {
        None => hash.to_owned(),
        Some(true) => format!("!{bare}"),
        Some(false) if bare.is_empty() => {
            let why = format!("unlocking {} would let anybody log in without a password", spec.name);
            return Err(Failure::refused(why, "set a `password_hash` too"));
        }
        Some(false) => bare.to_owned(),
    };
    if field.contains(['\n', ':']) || spec.name.contains(['\n', ':']) {
        let why = format!("the password hash of {:?} holds a character that would end it", spec.name);
        return Err(Failure::refused(why, "write a hash as crypt(5) has it"));
    }
    Ok((old != Some(&field)).then(|| Secret::new(field)))
}

#[cfg(test)]
mod tests {
    use super::{password_field, useradd, usermod};
    use crate::system::{Accounts, Group, User};
    use model::{HostPath, Principal, Secret, UserSpec};

    fn named(name: &str) -> UserSpec {
        UserSpec { name: name.to_owned(), ..UserSpec::default() }
    }

    #[test]
    fn a_new_user_gets_every_default_said() {
        let argv = useradd(&named("web"), &Accounts::default()).join(" ");
        assert_eq!(argv, "useradd -d /home/web -s /bin/sh -U -M -- web");
        let mut accounts = Accounts::default();
        accounts.groups.insert("web".to_owned(), Group { gid: 7, members: Default::default() });
        let spec = UserSpec { system: true, manage_home: true, expires: Some(Some(20_000)), ..named("web") };
        let argv = useradd(&spec, &accounts).join(" ");
        assert_eq!(argv, "useradd -g web -d /home/web -s /bin/sh -e 20000 -r -m -- web");
    }

    #[test]
    fn a_change_says_only_what_changes() {
        assert_eq!(usermod(&named("web")).len(), 3);
        let spec = UserSpec {
            group: Some(Principal::Number(7)),
            groups: Some(Default::default()),
            home: Some(HostPath::new("/srv/web").unwrap()),
            manage_home: true,
            expires: Some(None),
            ..named("web")
        };
        let expected = ["usermod", "-g", "7", "-G", "", "-d", "/srv/web", "-e", "", "-m", "--", "web"];
        assert_eq!(usermod(&spec), expected);
    }

    fn field(old: Option<&str>, hash: Option<&str>, locked: Option<bool>) -> Option<Option<String>> {
        let secret = |text: &str| Secret::new(text.to_owned());
        let user = User {
            uid: 1,
            gid: 1,
            comment: String::new(),
            home: String::new(),
            shell: String::new(),
            password: old.map(secret),
            expires: None,
        };
        let spec = UserSpec { password: hash.map(secret), locked, ..named("web") };
        Some(password_field(&spec, Some(&user)).ok()?.map(|field| field.expose().clone()))
    }

    #[test]
    fn locks_and_hashes_end_up_in_one_field() {
        let text = |text: &str| Some(Some(text.to_owned()));
        assert_eq!(field(Some("$6$a"), None, Some(true)), text("!$6$a"));
        assert_eq!(field(Some("!$6$a"), None, Some(true)), Some(None));
        assert_eq!(field(Some("!$6$a"), None, Some(false)), text("$6$a"));
        assert_eq!(field(Some("!"), Some("$6$b"), Some(true)), text("!$6$b"));
        assert_eq!(field(None, Some("$6$b"), None), text("$6$b"));
        assert_eq!(field(Some("!"), None, Some(false)), None, "an unlocked nothing is an open door");
        assert_eq!(field(Some("!"), Some("a\nroot:x"), None), None, "no second line for chpasswd");
    }
}
