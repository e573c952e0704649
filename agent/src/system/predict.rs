//! What an op does to a host, on the model of one. The forecast and the host in memory share it.

use super::layer::{Inode, Layer};
use super::packages::{Package, PackageStatus};
use super::{Accounts, Entry, EntryKind, Group, Look, System, Touched, User};
use model::{
    Check, Command, Content, Failure, Gather, GroupSpec, HostPath, Op, PackageAction, PackageChange,
    Principal, Secret, Subject, Together, UnitAction, UnitState, UserSpec,
};
use std::collections::BTreeMap;

impl Layer<'_> {
    /// Changes the layer as `op` will change the host.
    pub fn predict(&self, op: &Op) -> Result<Touched, Failure> {
        match op {
            Op::WriteFile { path, content, owner, group, mode, .. } => {
                self.write(path, content, (owner, group, *mode))
            }
            Op::SetAttributes { path, owner, group, mode } => {
                self.set_attributes(path, (owner, group, *mode))
            }
            Op::SetXattrs { path, xattrs } => self.set_xattrs(path, xattrs),
            Op::MakeDirectory { path, owner, group, mode } => {
                self.make(path, EntryKind::Directory, (owner, group, *mode))
            }
            Op::MakeSymlink { path, target } => {
                let root = Principal::Number(0);
                self.make(path, EntryKind::Symlink { target: target.clone() }, (&root, &root, 0o777))
            }
            Op::Remove { path } => {
                self.delta().paths.insert(path.clone(), None);
                self.unit_removed(path);
                Ok(())
            }
            Op::Packages(transaction) => {
                self.delta().finished = true;
                transaction.changes.iter().try_for_each(|it| self.change_package(it))
            }
            Op::HoldPackage { name, hold } => self.hold(name, *hold),
            Op::Unit { name, action } => self.act(name, *action),
            Op::ReloadManager => self.reload_manager(),
            Op::AddGroup(spec) | Op::ModifyGroup(spec) => self.account(|accounts| set_group(accounts, spec)),
            Op::RemoveGroup { name } => self.account(|accounts| {
                accounts.groups.remove(name);
            }),
            Op::ModifyUser(spec) => self.account(|accounts| set_user(accounts, spec)),
            Op::AddUser(spec) => {
                self.account(|accounts| set_user(accounts, spec))?;
                return self.make_home(spec);
            }
            Op::RemoveUser { name } => self.account(|accounts| remove_user(accounts, name)),
            Op::Run(command) => {
                self.run(command);
                Ok(())
            }
            Op::Check(check) => self.pass(check),
            Op::Together(together) => self.swap(together),
            Op::Mount { .. } | Op::Remount { .. } | Op::Unmount { .. } => self.change_mounts(op),
            Op::SetSysctl { path, value } => self.set_sysctl(path, value.expose()),
            Op::Reboot => self.reboot(),
        }?;
        Ok(Touched::new())
    }

    fn ids(&self, owner: &Principal, group: &Principal) -> Result<(u32, u32), Failure> {
        let accounts = self.accounts()?;
        let uid = accounts.uid(owner).ok_or_else(|| Failure::Missing { what: format!("user {owner}") })?;
        let gid = accounts.gid(group).ok_or_else(|| Failure::Missing { what: format!("group {group}") })?;
        Ok((uid, gid))
    }

    fn make(
        &self,
        path: &HostPath,
        kind: EntryKind,
        who: (&Principal, &Principal, u32),
    ) -> Result<(), Failure> {
        let (uid, gid) = self.ids(who.0, who.1)?;
        if let Some(parent) = path.parent()
            && !self.stands(&parent)?
        {
            return Err(Failure::Missing { what: format!("directory {parent}") });
        }
        let entry = Entry { kind, uid, gid, mode: who.2 };
        let inode = Inode { entry, bytes: None, xattrs: Some(BTreeMap::new()) };
        self.delta().paths.insert(path.clone(), Some(inode));
        Ok(())
    }

    fn write(
        &self,
        path: &HostPath,
        content: &Content,
        who: (&Principal, &Principal, u32),
    ) -> Result<(), Failure> {
        let xattrs = match self.delta().paths.get(path) {
            Some(inode) => inode.as_ref().map_or_else(|| Some(BTreeMap::new()), |inode| inode.xattrs.clone()),
            None => self.base.is_none().then(BTreeMap::new),
        };
        let kind = EntryKind::File { size: content.size(), digest: Some(content.digest()) };
        self.make(path, kind, who)?;
        if let Some(Some(inode)) = self.delta().paths.get_mut(path) {
            inode.xattrs = xattrs;
            inode.bytes = match content {
                Content::Held(held) => Some(held.bytes().clone()),
                Content::Hidden(bytes) => Some(bytes.expose().clone()),
                Content::Stored(..) => None,
            };
        }
        Ok(())
    }

    fn set_attributes(
        &self,
        path: &HostPath,
        to: (&Option<Principal>, &Option<Principal>, Option<u32>),
    ) -> Result<(), Failure> {
        let found = self.inode(path, Look::Digest)?;
        let mut inode = found.ok_or_else(|| Failure::Missing { what: path.to_string() })?;
        let keep = (Principal::Number(inode.entry.uid), Principal::Number(inode.entry.gid));
        let (uid, gid) = self.ids(to.0.as_ref().unwrap_or(&keep.0), to.1.as_ref().unwrap_or(&keep.1))?;
        inode.entry = Entry { uid, gid, mode: to.2.unwrap_or(inode.entry.mode), ..inode.entry };
        if inode.bytes.is_none()
            && let (EntryKind::File { .. }, Some(base)) = (&inode.entry.kind, self.base)
        {
            // Keeps the bytes readable through the forecast, where they are small enough to matter to an edit.
            inode.bytes = base.read(path, super::layer::KEPT).ok().map(Into::into);
        }
        self.delta().paths.insert(path.clone(), Some(inode));
        Ok(())
    }

    fn set_xattrs(&self, path: &HostPath, xattrs: &BTreeMap<String, String>) -> Result<(), Failure> {
        self.set_attributes(path, (&None, &None, None))?;
        if let Some(Some(inode)) = self.delta().paths.get_mut(path) {
            inode.xattrs = Some(xattrs.clone());
        }
        Ok(())
    }

    fn change_package(&self, change: &PackageChange) -> Result<(), Failure> {
        let held = self.package(&change.name)?.is_some_and(|package| package.held);
        let package = match &change.action {
            PackageAction::Install(version) => {
                let version = match version {
                    Some(version) => version.clone(),
                    None => self.candidate(&change.name)?,
                };
                Some(Package { status: PackageStatus::Installed, version, held })
            }
            PackageAction::InstallFile { version, .. } => {
                Some(Package { status: PackageStatus::Installed, version: version.clone(), held })
            }
            PackageAction::Remove => self.package(&change.name)?.map(|package| Package {
                status: PackageStatus::ConfigFiles,
                held: false,
                ..package
            }),
            PackageAction::Purge => None,
        };
        self.delta().packages.insert(change.name.clone(), package);
        Ok(())
    }

    /// The version that would be installed; empty where the lists that would tell are still to be fetched.
    fn candidate(&self, name: &str) -> Result<String, Failure> {
        let offered = self.candidates(name, None)?;
        match &offered.candidate {
            Some(version) => Ok(version.clone()),
            None if offered.unlisted => Ok(String::new()),
            None => Err(Failure::Missing { what: format!("package {name}") }),
        }
    }

    fn hold(&self, name: &str, held: bool) -> Result<(), Failure> {
        let package = self.package(name)?.map(|package| Package { held, ..package });
        self.delta().packages.insert(name.to_owned(), package);
        Ok(())
    }

    fn act(&self, name: &str, action: UnitAction) -> Result<(), Failure> {
        let fresh = || UnitState {
            active: "inactive".to_owned(),
            file: "disabled".to_owned(),
            need_reload: false,
            can_reload: false,
        };
        let mut unit = self.unit(name)?.unwrap_or_else(fresh);
        match action {
            UnitAction::Start | UnitAction::Restart | UnitAction::Reload => {
                "active".clone_into(&mut unit.active)
            }
            UnitAction::Stop => "inactive".clone_into(&mut unit.active),
            UnitAction::Enable => "enabled".clone_into(&mut unit.file),
            UnitAction::Disable | UnitAction::Unmask => "disabled".clone_into(&mut unit.file),
            UnitAction::Mask => "masked".clone_into(&mut unit.file),
        }
        // A unit that only its running kept, for its file is gone, goes with its stop.
        match self.by_files(name, Some(unit))? {
            None if self.base.is_none() => self.delta().units.remove(name),
            left => self.delta().units.insert(name.to_owned(), left),
        };
        Ok(())
    }

    /// useradd(8) -m makes the home where there is none.
    fn make_home(&self, spec: &UserSpec) -> Result<Touched, Failure> {
        let accounts = self.accounts()?;
        let Some(user) = accounts.users.get(&spec.name).filter(|_| spec.manage_home) else {
            return Ok(Vec::new());
        };
        let home = HostPath::new(&user.home).map_err(|why| Failure::refused(why, "give another home"))?;
        if self.look(&home, Look::Bare)?.is_some() {
            return Ok(Vec::new());
        }
        let entry = Entry { kind: EntryKind::Directory, uid: user.uid, gid: user.gid, mode: 0o700 };
        let inode = Inode { entry, bytes: None, xattrs: Some(BTreeMap::new()) };
        self.delta().paths.insert(home.clone(), Some(inode));
        Ok(vec![Subject::Path(home)])
    }

    fn reload_manager(&self) -> Result<(), Failure> {
        for unit in self.delta().units.values_mut().flatten() {
            unit.need_reload = false;
        }
        Ok(())
    }

    fn account(&self, change: impl FnOnce(&mut Accounts)) -> Result<(), Failure> {
        let mut accounts = self.accounts()?.as_ref().clone();
        change(&mut accounts);
        self.delta().accounts = Some(accounts);
        Ok(())
    }

    /// All of it, or nothing.
    fn swap(&self, together: &Together) -> Result<(), Failure> {
        let before = self.delta().clone();
        let changed = together.changes.iter().try_for_each(|change| self.predict(change).map(drop));
        let passed = changed.and_then(|()| together.checks.iter().try_for_each(|check| self.pass(check)));
        passed.inspect_err(|_| *self.delta() = before)
    }

    /// A forecast asks nobody: what the check will see is not there yet.
    fn pass(&self, check: &Check) -> Result<(), Failure> {
        if self.base.is_some() {
            return Ok(());
        }
        let argv = check.command.argv.iter().map(model::Text::expose).collect::<Vec<_>>().join(" ");
        let delta = self.delta();
        let program = check.command.argv.first().map_or("", model::Text::expose);
        let code = delta.guards.get(program).copied().unwrap_or(0);
        let bytes = |path: &HostPath| delta.paths.get(path).cloned().flatten().and_then(|inode| inode.bytes);
        let mut told = delta.agreements.get(program).into_iter().flatten().map(bytes);
        let first = told.next();
        match (code, told.all(|other| first.as_ref() == Some(&other))) {
            (0, true) => Ok(()),
            (0, false) => Err(Failure::Command {
                argv,
                status: "exited with 1".to_owned(),
                stderr: "they disagree".to_owned(),
            }),
            (code, _) => {
                Err(Failure::Command { argv, status: format!("exited with {code}"), stderr: String::new() })
            }
        }
    }

    fn run(&self, command: &Command) {
        let shown: Vec<&str> = command.argv.iter().map(model::Text::expose).collect();
        self.delta().ran.push(shown.join(" "));
    }
}

/// The number that useradd(8) and groupadd(8) take on Debian: of the system's range the highest free one, else the one
/// after the highest taken, so that no number is given out twice.
fn free(taken: impl Iterator<Item = u32>, system: bool) -> u32 {
    let taken: std::collections::BTreeSet<u32> = taken.gather();
    let is_free = |number: &u32| !taken.contains(number);
    if system {
        return (100..1000).rev().find(is_free).unwrap_or(60_000);
    }
    let highest = taken.range(1000..60_000).next_back();
    let next = highest.map_or(1000, |highest| highest + 1);
    if next < 60_000 { next } else { (1000..60_000).find(is_free).unwrap_or(60_000) }
}

fn set_group(accounts: &mut Accounts, spec: &GroupSpec) {
    let next = free(accounts.groups.values().map(|group| group.gid), spec.system);
    let fresh = || Group { gid: next, members: Default::default() };
    let group = accounts.groups.entry(spec.name.clone()).or_insert_with(fresh);
    let old = group.gid;
    let new = spec.gid.unwrap_or(old);
    group.gid = new;
    if let Some(members) = &spec.members {
        group.members.clone_from(members);
    }
    // groupmod(8) -g takes along those whose primary group it is.
    accounts.users.values_mut().filter(|user| user.gid == old && old != new).for_each(|user| user.gid = new);
}

fn set_user(accounts: &mut Accounts, spec: &UserSpec) {
    let is_new = !accounts.users.contains_key(&spec.name);
    let next = free(accounts.users.values().map(|user| user.uid), spec.system);
    if is_new && spec.group.is_none() {
        // useradd(8) -U makes a group of the same name, of the same number where that is free.
        let uid = spec.uid.unwrap_or(next);
        let taken = accounts.groups.contains_key(&spec.name)
            || accounts.groups.values().any(|group| group.gid == uid);
        let gid = (!taken).then_some(uid);
        set_group(
            accounts,
            &GroupSpec { name: spec.name.clone(), gid, system: spec.system, ..GroupSpec::default() },
        );
    }
    let primary = spec.group.as_ref().or(None).and_then(|group| accounts.gid(group));
    let own = accounts.groups.get(&spec.name).map(|group| group.gid);
    let user = accounts.users.entry(spec.name.clone()).or_insert_with(|| User {
        uid: next,
        gid: own.unwrap_or(next),
        comment: String::new(),
        home: format!("/home/{}", spec.name),
        shell: "/bin/sh".to_owned(),
        password: Some(Secret::new("!".to_owned())),
        expires: None,
    });
    user.uid = spec.uid.unwrap_or(user.uid);
    user.gid = primary.unwrap_or(user.gid);
    if let Some(home) = &spec.home {
        user.home = home.to_string();
    }
    user.shell = spec.shell.clone().unwrap_or_else(|| user.shell.clone());
    user.comment = spec.comment.clone().unwrap_or_else(|| user.comment.clone());
    user.expires = spec.expires.unwrap_or(user.expires);
    set_password(user, spec);
    if let Some(groups) = &spec.groups {
        for (name, group) in &mut accounts.groups {
            if groups.contains(name) {
                group.members.insert(spec.name.clone());
            } else {
                group.members.remove(&spec.name);
            }
        }
    }
}

/// A lock is a `!` before the hash, as usermod(8) -L writes it.
fn set_password(user: &mut User, spec: &UserSpec) {
    if let Some(password) = &spec.password {
        user.password = Some(password.clone());
    }
    let Some(locked) = spec.locked else { return };
    let old = user.password.as_ref().map_or("", |it| it.expose().as_str());
    let bare = old.trim_start_matches('!').to_owned();
    user.password = Some(Secret::new(if locked { format!("!{bare}") } else { bare }));
}

fn remove_user(accounts: &mut Accounts, name: &str) {
    accounts.users.remove(name);
    // userdel(8) removes the group of the same name where nobody else is in it.
    if accounts.groups.get(name).is_some_and(|group| group.members.is_empty()) {
        let gid = accounts.groups.get(name).map(|group| group.gid);
        if !accounts.users.values().any(|user| Some(user.gid) == gid) {
            accounts.groups.remove(name);
        }
    }
    for group in accounts.groups.values_mut() {
        group.members.remove(name);
    }
}
