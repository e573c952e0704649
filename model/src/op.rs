//! The closed set of primitive mutations. An op is data: the engine executes, journals, predicts and inverts it.

use crate::{Content, HostPath, Principal, Secret, Text};
use serde::{Deserialize, Deserializer, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// One mutation of a host.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Op {
    /// Puts a regular file in place, atomically, over a regular file or nothing. Keeps the ACL and xattrs of what it replaces.
    WriteFile {
        /// Where.
        path: HostPath,
        /// The bytes.
        content: Content,
        /// Owner.
        owner: Principal,
        /// Group.
        group: Principal,
        /// Permission bits, at most 0o7777.
        mode: u32,
        /// Run on the staged file, `{{ path }}` filled in, before the name appears; empty for none.
        validate: Vec<String>,
    },
    /// Sets owner, group or mode of what stands there, never through a link.
    SetAttributes {
        /// Where.
        path: HostPath,
        /// New owner.
        owner: Option<Principal>,
        /// New group.
        group: Option<Principal>,
        /// New permission bits.
        mode: Option<u32>,
    },
    /// Sets all extended attributes, the ACL among them, of a file or directory; those not named go away.
    SetXattrs {
        /// Where.
        path: HostPath,
        /// In base64 by name.
        xattrs: BTreeMap<String, String>,
    },
    /// Makes one directory; the one above it exists.
    MakeDirectory {
        /// Where.
        path: HostPath,
        /// Owner.
        owner: Principal,
        /// Group.
        group: Principal,
        /// Permission bits.
        mode: u32,
    },
    /// Makes a symbolic link, or atomically turns one to another target.
    MakeSymlink {
        /// Where.
        path: HostPath,
        /// What it points to; need not exist.
        target: String,
    },
    /// Removes one name: a file, a link, a special file, or an empty directory.
    Remove {
        /// Which.
        path: HostPath,
    },
    /// Changes packages in one transaction.
    Packages(Transaction),
    /// Holds a package at its version, or no longer.
    HoldPackage {
        /// Package name.
        name: String,
        /// True to hold.
        hold: bool,
    },
    /// Acts on a unit.
    Unit {
        /// Name with its suffix.
        name: String,
        /// What to do.
        action: UnitAction,
    },
    /// Makes the service manager read its unit files again.
    ReloadManager,
    /// Adds a group.
    AddGroup(GroupSpec),
    /// Changes a group: what is `None` stays.
    ModifyGroup(GroupSpec),
    /// Removes a group.
    RemoveGroup {
        /// Group name.
        name: String,
    },
    /// Adds a user.
    AddUser(UserSpec),
    /// Changes a user: what is `None` stays.
    ModifyUser(UserSpec),
    /// Removes a user; the home directory stays.
    RemoveUser {
        /// User name.
        name: String,
    },
    /// Runs a command for its effect, which cannot be known.
    Run(Command),
    /// Sets a value of the running kernel, which is as it was again after the next boot.
    SetSysctl {
        /// Its file below /proc/sys.
        path: HostPath,
        /// The value, without a newline at its end.
        value: Text,
    },
    /// Mounts a file system over a directory.
    Mount {
        /// Where.
        path: HostPath,
        /// What, as in fstab(5).
        source: String,
        /// The type of the file system.
        fs: String,
        /// The options of mount(8), with commas.
        options: String,
    },
    /// Gives what is mounted there other options.
    Remount {
        /// Where.
        path: HostPath,
        /// Those that change, with commas.
        options: String,
    },
    /// Unmounts what is mounted there last.
    Unmount {
        /// Where.
        path: HostPath,
    },
    /// Reboots the machine. Whoever asked for it goes on when it is up again, in another process.
    Reboot,
    /// Asks whether the configuration of a unit is good. It changes nothing: it stands before what would make the unit read it.
    Check(Check),
    /// Changes several names of the file system together: all are staged, checked as if they were there already, and then put in
    /// place; where a check fails, nothing has been seen of them.
    Together(Together),
}

/// What changes together.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Together {
    /// Files and links that are put in place, and removals of such, each at another path.
    pub changes: Vec<Op>,
    /// What has to pass first.
    pub checks: Vec<Check>,
}

/// How a unit's program tells whether the configuration that it would read is good.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Check {
    /// Name of the unit with its suffix.
    pub unit: String,
    /// A command that promises to change nothing, and fails where the configuration is bad.
    pub command: Command,
}

impl Check {
    /// Deadline in seconds: as that of a guard of `exec`.
    const DEADLINE: u64 = 60;

    /// The check of `unit` by this program with its arguments; `None` where there is no program.
    pub fn of(unit: &str, argv: &[String]) -> Option<Self> {
        let words = argv.iter().map(|word| Text::Plain(word.clone())).collect();
        let command = Command { argv: words, timeout: Some(Self::DEADLINE), ..Command::default() };
        (!argv.is_empty()).then(|| Self { unit: unit.to_owned(), command })
    }
}

/// What one transaction of the package manager is to do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transaction {
    /// The packages, sorted by name, each once. Without any, it only brings an interrupted package manager to its end, which
    /// every transaction does first.
    pub changes: Vec<PackageChange>,
    /// Whether to install recommended packages; `None` for the host's own setting.
    pub recommends: Option<bool>,
    /// Release to take them from, as in `apt-get -t`.
    pub release: Option<String>,
    /// Further options of the package manager, as written by the user.
    pub options: Vec<String>,
    /// True where going to a lower version is allowed.
    pub allow_downgrade: bool,
    /// Those of them that are held: they are released for the change, and held again when it is over, also where that is found out
    /// by the run after one that died.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub held: BTreeSet<String>,
}

/// What is to become of one package.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PackageChange {
    /// Package name, with `:arch` where it was given.
    pub name: String,
    /// What to do.
    pub action: PackageAction,
}

/// Install, upgrade, remove or purge.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PackageAction {
    /// Install it, or bring it to this exact version; `None` for the candidate.
    Install(Option<String>),
    /// Bring it to this exact version from a file that was kept of it: no source offers it any more.
    InstallFile {
        /// The version.
        version: String,
        /// The file, whose name ends in `.deb`.
        file: HostPath,
    },
    /// Remove it; its configuration stays.
    Remove,
    /// Remove it with its configuration.
    Purge,
}

impl PackageAction {
    /// True where it brings something, from wherever.
    pub fn installs(&self) -> bool {
        matches!(self, Self::Install(_) | Self::InstallFile { .. })
    }
}

/// Verbs of the service manager.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnitAction {
    /// Start it.
    Start,
    /// Stop it.
    Stop,
    /// Stop and start it.
    Restart,
    /// Let it read its configuration again, or restart it where it cannot.
    Reload,
    /// Start it at boot.
    Enable,
    /// Do not start it at boot.
    Disable,
    /// Make it impossible to start.
    Mask,
    /// Make it possible to start.
    Unmask,
}

/// A group, or what of it changes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupSpec {
    /// Group name.
    pub name: String,
    /// Number.
    pub gid: Option<u32>,
    /// All members.
    pub members: Option<BTreeSet<String>>,
    /// The password field of gshadow(5).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<Secret<String>>,
    /// All who may change its members.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub administrators: Option<BTreeSet<String>>,
    /// True where a new one gets a number of the system's range.
    pub system: bool,
}

/// A user, or what of it changes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserSpec {
    /// User name.
    pub name: String,
    /// Number.
    pub uid: Option<u32>,
    /// Primary group.
    pub group: Option<Principal>,
    /// All supplementary groups.
    pub groups: Option<BTreeSet<String>>,
    /// All groups whose members the user may change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub administers: Option<BTreeSet<String>>,
    /// Home directory.
    pub home: Option<HostPath>,
    /// True where the home directory is made with the user (from /etc/skel), or moved with a change of `home`.
    pub manage_home: bool,
    /// Login shell.
    pub shell: Option<String>,
    /// The GECOS field.
    pub comment: Option<String>,
    /// The hash of crypt(5).
    pub password: Option<Secret<String>>,
    /// True to lock the password, false to unlock it.
    pub locked: Option<bool>,
    /// Days since 1970-01-01 on which the account ends; `Some(None)` for never.
    #[serde(default, deserialize_with = "some", skip_serializing_if = "Option::is_none")]
    pub expires: Option<Option<i64>>,
    /// True where a new one gets a number of the system's range.
    pub system: bool,
}

/// What is there is said, also where it is `null`.
fn some<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<i64>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// A command to run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Command {
    /// Program and arguments.
    pub argv: Vec<Text>,
    /// Working directory; `/` where it is `None`.
    pub cwd: Option<HostPath>,
    /// Added to the cleared environment.
    pub env: BTreeMap<String, Text>,
    /// Whom to run as.
    pub user: Option<Principal>,
    /// Group to run as; the user's primary one where it is `None`.
    pub group: Option<Principal>,
    /// File mode creation mask.
    pub umask: Option<u32>,
    /// Deadline of one attempt in seconds.
    pub timeout: Option<u64>,
    /// What it reads on standard input.
    pub stdin: Option<Text>,
    /// Exit codes that mean success.
    pub returns: BTreeSet<i32>,
    /// Further attempts after the first that fails.
    pub retries: u32,
    /// Pause between attempts in seconds.
    pub retry_delay: u64,
    /// True where neither the arguments nor the output may be shown.
    pub sensitive: bool,
    /// The command that undoes it; empty for none.
    pub undo: Vec<Text>,
}
