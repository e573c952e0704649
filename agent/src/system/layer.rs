//! A host in memory. Without a base it is a whole host, for tests; over a base it is the forecast: what has not been
//! touched is read from the base, what planned ops changed is read from here.

use super::packages::{Package, left_over};
use super::{Accounts, Attempt, Candidates, Entry, EntryKind, Look, System, Touched};
use Whose::{Below, Here};
use model::{Command, Digest, Failure, HostPath, Op, Thing, UnitState};
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Bytes of a file that a forecast keeps when only its attributes change.
pub(super) const KEPT: u64 = 1 << 20;

/// A path in memory.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Inode {
    pub(super) entry: Entry,
    /// Bytes of a file, where they are known: a forecast knows only the digest of stored content.
    pub(super) bytes: Option<Arc<[u8]>>,
    /// `None` for those that the base has at the path.
    pub(super) xattrs: Option<BTreeMap<String, String>>,
}

/// What differs from the base; without a base, all there is.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Delta {
    /// `None` where nothing stands at the path any more.
    pub(super) paths: BTreeMap<HostPath, Option<Inode>>,
    pub(super) accounts: Option<Accounts>,
    pub(super) packages: BTreeMap<String, Option<Package>>,
    /// True once a transaction has brought an interrupted package manager to its end.
    pub(super) finished: bool,
    pub(super) units: BTreeMap<String, Option<UnitState>>,
    pub(super) candidates: BTreeMap<String, Candidates>,
    /// Files that brought packages, by name and version.
    pub(super) debs: BTreeMap<(String, String), HostPath>,
    /// Exit codes of guards, by their first argument; 0 where it is not here.
    pub(super) guards: BTreeMap<String, i32>,
    /// Files which a check of a configuration wants to hold the same, by its first argument.
    pub(super) agreements: BTreeMap<String, Vec<HostPath>>,
    /// What was run for its effect, a line each.
    pub(super) ran: Vec<String>,
}

/// A host in memory, or the forecast over a base.
pub struct Layer<'a> {
    pub(super) base: Option<&'a dyn System>,
    delta: Mutex<Delta>,
    /// Paths at which the base was found to have something: below one directory many files may come.
    standing: Mutex<BTreeSet<HostPath>>,
}

impl Layer<'static> {
    /// A host with `/`, root and nothing else.
    pub fn memory() -> Self {
        let mut delta = Delta::default();
        let mut accounts = Accounts::default();
        let root = super::User {
            uid: 0,
            gid: 0,
            comment: "root".to_owned(),
            home: "/root".to_owned(),
            shell: "/bin/sh".to_owned(),
            password: Some(model::Secret::new("*".to_owned())),
            expires: None,
        };
        accounts.users.insert("root".to_owned(), root);
        accounts.groups.insert("root".to_owned(), super::Group { gid: 0, members: Default::default() });
        delta.accounts = Some(accounts);
        let slash = Entry { kind: EntryKind::Directory, uid: 0, gid: 0, mode: 0o755 };
        let root = HostPath::new("/").expect("/ is a host path");
        delta.paths.insert(root, Some(Inode { entry: slash, bytes: None, xattrs: Some(BTreeMap::new()) }));
        Self { base: None, delta: Mutex::new(delta), standing: Mutex::default() }
    }
}

impl<'a> Layer<'a> {
    /// The forecast over `base`.
    pub fn over(base: &'a dyn System) -> Self {
        Self { base: Some(base), delta: Mutex::default(), standing: Mutex::default() }
    }

    pub(super) fn delta(&self) -> MutexGuard<'_, Delta> {
        self.delta.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a file, with the directories above it, owned by root.
    pub fn put_file(&self, path: &str, bytes: &[u8], mode: u32) {
        let kind = EntryKind::File { size: bytes.len() as u64, digest: Some(Digest::of(bytes)) };
        self.put(path, Entry { kind, uid: 0, gid: 0, mode }, Some(bytes.into()));
    }

    /// Puts anything that is no file, with the directories above it.
    pub fn put_entry(&self, path: &str, entry: Entry) {
        self.put(path, entry, None);
    }

    fn put(&self, path: &str, entry: Entry, bytes: Option<Arc<[u8]>>) {
        let path = HostPath::new(path).expect("tests use normal paths");
        let mut delta = self.delta();
        for above in path.ancestors() {
            let directory = Entry { kind: EntryKind::Directory, uid: 0, gid: 0, mode: 0o755 };
            let inode = Inode { entry: directory, bytes: None, xattrs: Some(BTreeMap::new()) };
            delta.paths.entry(above).or_insert(Some(inode));
        }
        delta.paths.insert(path, Some(Inode { entry, bytes, xattrs: Some(BTreeMap::new()) }));
    }

    /// Puts a package, or takes it away.
    pub fn put_package(&self, name: &str, package: Option<Package>) {
        self.delta().packages.insert(name.to_owned(), package);
    }

    /// Puts what the sources offer for a package.
    pub fn put_candidates(&self, name: &str, candidates: Candidates) {
        self.delta().candidates.insert(name.to_owned(), candidates);
    }

    /// Puts the file that brought a version of a package, and that the package manager still has.
    pub fn put_deb(&self, (name, version): (&str, &str), file: HostPath) {
        self.delta().debs.insert((name.to_owned(), version.to_owned()), file);
    }

    /// Puts a unit.
    pub fn put_unit(&self, name: &str, unit: UnitState) {
        self.delta().units.insert(name.to_owned(), Some(unit));
    }

    /// Changes users and groups.
    pub fn put_accounts(&self, change: impl FnOnce(&mut Accounts)) {
        change(self.delta().accounts.get_or_insert_default());
    }

    /// Lets the guard whose first argument is `program` end with `code`.
    pub fn put_guard(&self, program: &str, code: i32) {
        self.delta().guards.insert(program.to_owned(), code);
    }

    /// Lets the check of a configuration whose first argument is `program` pass only where all these files hold the same.
    pub fn put_agreement(&self, program: &str, paths: &[&str]) {
        let path = |path: &&str| HostPath::new(*path).expect("tests use normal paths");
        self.delta().agreements.insert(program.to_owned(), paths.iter().map(path).collect());
    }

    /// What was run for its effect, a line each.
    pub fn ran(&self) -> Vec<String> {
        self.delta().ran.clone()
    }

    /// A text of the whole state, for comparing a host with what it was. Says nothing of secrets but their digest.
    pub fn snapshot(&self) -> String {
        let delta = self.delta();
        let paths: Vec<_> = delta.paths.iter().filter(|(_, inode)| inode.is_some()).collect();
        let packages: Vec<_> = delta.packages.iter().filter(|(_, package)| package.is_some()).collect();
        let passwords: Vec<_> = delta.accounts.iter().flat_map(|accounts| &accounts.users).collect();
        let passwords: Vec<_> = passwords
            .iter()
            .map(|(name, user)| (name, user.password.as_ref().map(|it| Digest::of(it.expose().as_bytes()))))
            .collect();
        format!("{paths:#?}\n{:#?}\n{passwords:?}\n{packages:#?}\n{:#?}", delta.accounts, delta.units)
    }

    /// True where a predicted op decided what stands at `path`.
    pub(super) fn is_predicted(&self, path: &HostPath) -> bool {
        self.delta().paths.contains_key(path)
    }

    /// The inode at `path`, from here or from the base.
    pub(super) fn inode(&self, path: &HostPath, look: Look) -> Result<Option<Inode>, Failure> {
        match self.here(path) {
            Here(inode) => Ok(inode),
            Below(base) => {
                let entry = base.look(path, look)?;
                Ok(entry.map(|entry| Inode { entry, bytes: None, xattrs: None }))
            }
        }
    }

    /// True where anything stands at `path`.
    pub(super) fn stands(&self, path: &HostPath) -> Result<bool, Failure> {
        let standing = || self.standing.lock().unwrap_or_else(PoisonError::into_inner);
        match self.here(path) {
            Here(inode) => Ok(inode.is_some()),
            Below(_) if standing().contains(path) => Ok(true),
            Below(base) => {
                let stands = base.look(path, Look::Bare)?.is_some();
                if stands {
                    standing().insert(path.clone());
                }
                Ok(stands)
            }
        }
    }

    fn here(&self, path: &HostPath) -> Whose<'_> {
        let delta = self.delta();
        if let Some(inode) = delta.paths.get(path) {
            return Here(inode.clone());
        }
        // What a forecast removed or replaced hides what the base has below it.
        let is_directory = |inode: &Inode| inode.entry.kind == EntryKind::Directory;
        let above = path.ancestors().find_map(|above| delta.paths.get(&above));
        let is_hidden = above.is_some_and(|inode| !inode.as_ref().is_some_and(is_directory));
        match self.base {
            Some(base) if !is_hidden => Below(base),
            _ => Here(None),
        }
    }
}

/// Who knows what stands at a path.
enum Whose<'a> {
    /// This layer.
    Here(Option<Inode>),
    /// The base.
    Below(&'a dyn System),
}

impl System for Layer<'_> {
    fn below(&self) -> &dyn System {
        unreachable!("it answers all by itself, or asks its base")
    }

    fn prepare(&self, things: &[Thing]) -> Result<(), Failure> {
        self.base.map_or(Ok(()), |base| base.prepare(things))
    }

    fn look(&self, path: &HostPath, look: Look) -> Result<Option<Entry>, Failure> {
        let Some(inode) = self.inode(path, look)? else { return Ok(None) };
        match (&inode.entry.kind, look) {
            (EntryKind::Symlink { target }, Look::Follow) => {
                let here = path.parent().unwrap_or_else(|| path.clone());
                let joined = here.join(target.as_ref());
                match HostPath::new(joined.as_path()) {
                    Ok(next) if next != *path => self.look(&next, Look::Digest),
                    _ => Ok(None),
                }
            }
            _ => Ok(Some(inode.entry)),
        }
    }

    fn read(&self, path: &HostPath, limit: u64) -> Result<Vec<u8>, Failure> {
        let inode = match self.here(path) {
            Below(base) => return base.read(path, limit),
            Here(inode) => inode.ok_or_else(|| Failure::Missing { what: path.to_string() })?,
        };
        match (inode.bytes, &inode.entry.kind) {
            (Some(bytes), _) if bytes.len() as u64 <= limit => Ok(bytes.to_vec()),
            (None, EntryKind::File { .. }) => {
                Err(Failure::unknown(path.to_string(), "its new bytes are not at hand in a forecast"))
            }
            (Some(_), _) => Err(Failure::io("read", path, format!("larger than {limit} bytes"))),
            (None, _) => Err(Failure::io("read", path, format!("it is a {}", inode.entry.what()))),
        }
    }

    fn list(&self, path: &HostPath) -> Result<Vec<OsString>, Failure> {
        let hidden = self.delta().paths.contains_key(path);
        let mut names: Vec<OsString> = match self.base {
            Some(base) if !hidden || base.look(path, Look::Bare)?.is_some() => base.list(path)?,
            _ => Vec::new(),
        };
        let delta = self.delta();
        for (at, inode) in delta.paths.iter().filter(|(at, _)| at.parent().as_ref() == Some(path)) {
            names.retain(|name| name != at.file_name());
            if inode.is_some() {
                names.push(at.file_name().to_owned());
            }
        }
        names.sort();
        Ok(names)
    }

    fn xattrs(&self, path: &HostPath) -> Result<BTreeMap<String, String>, Failure> {
        match self.delta().paths.get(path) {
            Some(Some(Inode { xattrs: Some(xattrs), .. })) => return Ok(xattrs.clone()),
            Some(None) => return Ok(BTreeMap::new()),
            Some(Some(Inode { xattrs: None, .. })) | None => {}
        }
        self.base.map_or(Ok(BTreeMap::new()), |base| base.xattrs(path))
    }

    fn accounts(&self) -> Result<Arc<Accounts>, Failure> {
        if let Some(accounts) = &self.delta().accounts {
            return Ok(Arc::new(accounts.clone()));
        }
        self.base.map_or_else(|| Ok(Arc::default()), System::accounts)
    }

    fn package(&self, name: &str) -> Result<Option<Package>, Failure> {
        if let Some(package) = self.delta().packages.get(name) {
            return Ok(package.clone());
        }
        self.base.map_or(Ok(None), |base| base.package(name))
    }

    fn providers(&self, name: &str) -> Result<Vec<String>, Failure> {
        let Some(base) = self.base else {
            let candidates = self.candidates(name, None)?;
            let installed = |name: &&String| matches!(self.package(name), Ok(Some(_)));
            return Ok(candidates.providers.iter().filter(installed).cloned().collect());
        };
        base.providers(name)
    }

    fn candidates(&self, name: &str, release: Option<&str>) -> Result<Arc<Candidates>, Failure> {
        if let Some(base) = self.base {
            return base.candidates(name, release);
        }
        Ok(Arc::new(self.delta().candidates.get(name).cloned().unwrap_or(Candidates::default())))
    }

    fn all_packages(&self) -> Result<Arc<BTreeMap<String, Package>>, Failure> {
        let mut all = match self.base {
            Some(base) => base.all_packages()?.as_ref().clone(),
            None => BTreeMap::new(),
        };
        for (name, package) in &self.delta().packages {
            match package {
                Some(package) => all.insert(name.clone(), package.clone()),
                None => all.remove(name),
            };
        }
        Ok(Arc::new(all))
    }

    fn deb(&self, name: &str, version: &str) -> Result<Option<HostPath>, Failure> {
        if let Some(base) = self.base {
            return base.deb(name, version);
        }
        Ok(self.delta().debs.get(&(name.to_owned(), version.to_owned())).cloned())
    }

    fn unfinished(&self) -> Result<Vec<String>, Failure> {
        match self.base {
            _ if self.delta().finished => Ok(Vec::new()),
            Some(base) => base.unfinished(),
            None => Ok(left_over(&*self.all_packages()?)),
        }
    }

    fn unit(&self, name: &str) -> Result<Option<UnitState>, Failure> {
        if let Some(unit) = self.delta().units.get(name) {
            return Ok(unit.clone());
        }
        let found = self.base.map_or(Ok(None), |base| base.unit(name))?;
        self.by_files(name, found)
    }

    fn guard(&self, command: &Command) -> Result<i32, Failure> {
        if let Some(base) = self.base {
            return base.guard(command);
        }
        let program = command.argv.first().map_or("", model::Text::expose);
        Ok(self.delta().guards.get(program).copied().unwrap_or(0))
    }

    /// In memory nothing is ever half done.
    fn clean(&self, _op: &Op, _tag: &str) -> Result<(), Failure> {
        Ok(())
    }

    /// In memory, to execute is to predict.
    fn execute(&self, op: &Op, _attempt: &Attempt) -> Result<Touched, Failure> {
        self.predict(op)
    }
}
