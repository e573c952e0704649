//! Before- and after-images: the state of what an op touches, journalled so that it can be brought back.

use crate::{Digest, HostPath, sysctl_key};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// A thing whose state an op changes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// A name in the file system.
    Path(HostPath),
    /// A package.
    Package(String),
    /// A unit.
    Unit(String),
    /// A user.
    User(String),
    /// A group.
    Group(String),
    /// A value of the running kernel, by its file below /proc/sys.
    Sysctl(HostPath),
    /// What is mounted at a path.
    Mount(HostPath),
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => write!(f, "{path}"),
            Self::Package(name) => write!(f, "package {name}"),
            Self::Unit(name) => write!(f, "unit {name}"),
            Self::User(name) => write!(f, "user {name}"),
            Self::Group(name) => write!(f, "group {name}"),
            Self::Sysctl(path) => match sysctl_key(path) {
                Some(key) => write!(f, "sysctl {key}"),
                None => write!(f, "sysctl {path}"),
            },
            Self::Mount(path) => write!(f, "mount {path}"),
        }
    }
}

/// The state of a subject at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Of a path.
    Path(PathState),
    /// Of a package; `None` where nothing of it is there.
    Package(Option<PackageState>),
    /// Of a unit; `None` where there is no such unit.
    Unit(Option<UnitState>),
    /// Of a user.
    User(Option<UserState>),
    /// Of a group.
    Group(Option<GroupState>),
    /// Of a value of the running kernel; `None` where it has no such value.
    Sysctl(Option<String>),
    /// Of such a value that is secret, kept apart.
    SecretSysctl(Fingerprint),
    /// Of what is mounted; `None` where nothing is.
    Mount(Option<MountState>),
}

/// The identity of kept bytes, which is also their name in the host's blob store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fingerprint {
    /// SHA-256 of bytes that may be known.
    Plain(Digest),
    /// HMAC-SHA256 of secret bytes under the host's own key.
    Keyed(Digest),
}

/// What stands at a path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PathState {
    /// Nothing.
    Absent,
    /// A regular file.
    File(FileState),
    /// A directory; its entries are subjects of their own.
    Directory {
        /// Owner.
        uid: u32,
        /// Group.
        gid: u32,
        /// Permission bits.
        mode: u32,
        /// Extended attributes, the ACL among them, in base64 by name.
        xattrs: BTreeMap<String, String>,
    },
    /// A symbolic link.
    Symlink {
        /// Where it points.
        target: String,
        /// Owner.
        uid: u32,
        /// Group.
        gid: u32,
    },
    /// FIFO, socket or device: cannot be brought back.
    Special {
        /// In words, such as `fifo`.
        what: String,
    },
}

/// A regular file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileState {
    /// Its bytes.
    pub content: Fingerprint,
    /// Size in bytes.
    pub size: u64,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Permission bits.
    pub mode: u32,
    /// Extended attributes, the ACL among them, in base64 by name.
    pub xattrs: BTreeMap<String, String>,
}

/// A package as dpkg knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackageState {
    /// The version whose files are there; `None` where only configuration is left (`rc`).
    pub version: Option<String>,
    /// True where it is held.
    pub held: bool,
}

/// A unit as the service manager knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnitState {
    /// `ActiveState`, such as `active`, `inactive`, `failed`, `activating`.
    pub active: String,
    /// `UnitFileState`, such as `enabled`, `disabled`, `static`, `masked`; empty where it has none.
    pub file: String,
    /// `NeedDaemonReload`.
    pub need_reload: bool,
    /// True where `ExecReload` is set, so that it can be reloaded.
    pub can_reload: bool,
}

/// What is mounted at a path, as proc_pid_mountinfo(5) has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MountState {
    /// What, such as `/dev/vdb1`.
    pub source: String,
    /// Type of the file system.
    pub fs: String,
    /// Which part of it: `/` for all.
    pub root: String,
    /// Options with commas: of the mount, and then of its file system.
    pub options: String,
}

/// A user as the account files have it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserState {
    /// Number.
    pub uid: u32,
    /// Number of the primary group.
    pub gid: u32,
    /// The GECOS field.
    pub comment: String,
    /// Home directory, as written.
    pub home: String,
    /// Login shell, as written.
    pub shell: String,
    /// Password field of shadow(5), secret, kept apart; `None` where there is no shadow line.
    pub password: Option<Fingerprint>,
    /// Days since 1970-01-01 on which the account ends.
    pub expires: Option<i64>,
    /// Supplementary groups, by name.
    pub groups: BTreeSet<String>,
    /// Groups whose members the user may change, by name (gshadow(5)); `None` where nobody looked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub administers: Option<BTreeSet<String>>,
}

/// A group as the account files have it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupState {
    /// Number.
    pub gid: u32,
    /// Members, by name.
    pub members: BTreeSet<String>,
    /// What gshadow(5) says of it; `None` where it says nothing, or where nobody looked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shadow: Option<GroupShadowState>,
}

/// What gshadow(5) says of a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupShadowState {
    /// Its password field, secret, kept apart.
    pub password: Fingerprint,
    /// Who may change its members, by name.
    pub administrators: BTreeSet<String>,
}
