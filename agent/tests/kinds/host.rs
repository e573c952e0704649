//! A host in memory, from data.

use agent::system::{Candidates, Entry, EntryKind, Group, Layer, Package, User};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use model::{HostPath, Op, Principal, Secret, UnitState};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// Directories that any host has.
const USUAL: &[&str] = &[
    "/etc",
    "/home",
    "/opt",
    "/root",
    "/run",
    "/srv",
    "/usr/local/bin",
    "/usr/share",
    "/var/lib",
    "/var/log",
];

/// What stands on a host besides root and the usual directories.
#[derive(Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Start {
    files: BTreeMap<String, StartFile>,
    directories: BTreeMap<String, Owned>,
    symlinks: BTreeMap<String, String>,
    /// `fifo`, `socket` … by path.
    special: BTreeMap<String, String>,
    packages: BTreeMap<String, Package>,
    candidates: BTreeMap<String, Candidates>,
    /// Version by package, of which the package manager still has the file.
    debs: BTreeMap<String, String>,
    units: BTreeMap<String, UnitState>,
    users: BTreeMap<String, StartUser>,
    groups: BTreeMap<String, StartGroup>,
    /// Exit codes of guards by program.
    guards: BTreeMap<String, i32>,
    /// Files that have to hold the same for a check to pass, by its program.
    agreements: BTreeMap<String, Vec<String>>,
}

#[derive(Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct StartFile {
    text: String,
    base64: String,
    uid: u32,
    gid: u32,
    mode: Option<u32>,
}

#[derive(Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Owned {
    uid: u32,
    gid: u32,
    mode: Option<u32>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct StartUser {
    uid: u32,
    gid: u32,
    #[serde(default)]
    comment: String,
    #[serde(default)]
    home: String,
    #[serde(default)]
    shell: String,
    /// Left out: there is no shadow line.
    password: Option<String>,
    expires: Option<i64>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct StartGroup {
    gid: u32,
    #[serde(default)]
    members: BTreeSet<String>,
}

impl Start {
    pub fn layer(&self) -> Layer<'static> {
        let layer = Layer::memory();
        for path in USUAL {
            put(&layer, path, EntryKind::Directory, (0, 0, 0o755));
        }
        for (path, it) in &self.directories {
            put(&layer, path, EntryKind::Directory, (it.uid, it.gid, it.mode.unwrap_or(0o755)));
        }
        for (path, target) in &self.symlinks {
            put(&layer, path, EntryKind::Symlink { target: target.clone() }, (0, 0, 0o777));
        }
        for (path, what) in &self.special {
            put(&layer, path, EntryKind::Special { what: what.clone() }, (0, 0, 0o644));
        }
        for (path, file) in &self.files {
            put_file(&layer, path, file);
        }
        self.packages.iter().for_each(|(name, it)| layer.put_package(name, Some(it.clone())));
        self.candidates.iter().for_each(|(name, it)| layer.put_candidates(name, it.clone()));
        // Any file will do, as long as it is one.
        let file = HostPath::new(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")).expect("a path");
        self.debs.iter().for_each(|(name, it)| layer.put_deb((name, it), file.clone()));
        self.units.iter().for_each(|(name, it)| layer.put_unit(name, it.clone()));
        self.guards.iter().for_each(|(program, code)| layer.put_guard(program, *code));
        for (program, paths) in &self.agreements {
            layer.put_agreement(program, &paths.iter().map(String::as_str).collect::<Vec<_>>());
        }
        layer.put_accounts(|accounts| {
            accounts.users.extend(self.users.iter().map(|(name, it)| (name.clone(), it.user())));
            accounts.groups.extend(self.groups.iter().map(|(name, it)| (name.clone(), it.group())));
        });
        layer
    }
}

impl StartUser {
    fn user(&self) -> User {
        User {
            uid: self.uid,
            gid: self.gid,
            comment: self.comment.clone(),
            home: self.home.clone(),
            shell: self.shell.clone(),
            password: self.password.clone().map(Secret::new),
            expires: self.expires,
        }
    }
}

impl StartGroup {
    fn group(&self) -> Group {
        Group { gid: self.gid, members: self.members.clone() }
    }
}

fn put(layer: &Layer, path: &str, kind: EntryKind, (uid, gid, mode): (u32, u32, u32)) {
    layer.put_entry(path, Entry { kind, uid, gid, mode });
}

fn put_file(layer: &Layer, path: &str, file: &StartFile) {
    let coded = STANDARD.decode(&file.base64).expect("base64");
    let bytes = if file.base64.is_empty() { file.text.as_bytes() } else { &coded };
    layer.put_file(path, bytes, file.mode.unwrap_or(0o644));
    let (owner, group) = (Some(Principal::Number(file.uid)), Some(Principal::Number(file.gid)));
    let path = HostPath::new(path).expect("data has normal paths");
    layer.predict(&Op::SetAttributes { path, owner, group, mode: None }).expect("the file is there");
}
