//! What the compiler may know of a kind of resource. The agent's kinds implement it; nothing here touches a host.

use crate::HostPath;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Whether a name is one of the host or one of the module that says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The name names a thing of the host: declarations from several modules merge.
    Host,
    /// The name is a label: it belongs to its module, and two modules may use the same.
    Module,
}

/// How two declarations of one field merge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Merge {
    /// Both must be equal.
    Equal,
    /// A set: the union of both.
    Union,
}

/// When a field's value is secret, besides when a secret was interpolated into it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taint {
    /// Never.
    Never,
    /// Where the resource says `sensitive = true`.
    Sensitive,
    /// Always.
    Always,
}

/// What the compiler does with a field beyond passing it on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Runtime {
    /// Nothing: the value is a plain one.
    Plain,
    /// Names a file of the site: its bytes become the resource's `content`.
    Source,
    /// Names a directory of the site: what lies in it becomes the resource's `tree`, save what the globs of its key `exclude` match.
    Tree,
    /// Names a template of the site: what it renders to becomes the resource's `content`.
    Template,
    /// Strings that may hold `{{ path }}`, which the host fills in.
    Path,
    /// True or false; in place of true the compiler puts the paths below the resource's own that other resources own.
    Claims,
}

/// One documented key of a kind.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// The key.
    pub name: String,
    /// What it means: the doc comment of the struct's field.
    pub doc: String,
    /// What may stand there, in words, such as `string`, `integer`, `"present" or "absent"`, `array of strings`.
    pub expects: String,
    /// True where leaving it out is an error.
    pub required: bool,
    /// The value it has when left out, as TOML; empty where there is none.
    pub default: String,
    /// How two declarations merge.
    pub merge: Merge,
    /// When the value is secret.
    pub taint: Taint,
    /// What the compiler does with it.
    pub runtime: Runtime,
}

/// A thing of a host that resources own or need.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Thing {
    /// A path.
    Path(HostPath),
    /// A package, by name.
    Package(String),
    /// A unit of the service manager, with its suffix.
    Unit(String),
    /// The file of a unit and its drop-ins, by the unit's name. Shared: several resources may claim it.
    UnitFile(String),
    /// A user, by name.
    User(String),
    /// A group, by name.
    Group(String),
    /// What is mounted at a path: what lies there or below comes after it.
    Mount(HostPath),
}

impl fmt::Display for Thing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => write!(f, "path {path}"),
            Self::Package(name) => write!(f, "package {name}"),
            Self::Unit(name) => write!(f, "unit {name}"),
            Self::UnitFile(name) => write!(f, "unit file {name}"),
            Self::User(name) => write!(f, "user {name}"),
            Self::Group(name) => write!(f, "group {name}"),
            Self::Mount(path) => write!(f, "mount at {path}"),
        }
    }
}

impl Thing {
    /// True where several resources may claim it without a conflict: who wants it comes after all of them.
    pub fn is_shared(&self) -> bool {
        matches!(self, Self::UnitFile(_))
    }
}

/// Whether a resource sees to it that a thing is there, or that it is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// It will be there.
    Present,
    /// It will be gone.
    Absent,
}

/// A thing that a resource owns: no other resource may claim it, unless it is shared ([`Thing::is_shared`]).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// What is owned.
    pub thing: Thing,
    /// To be, or not to be.
    pub presence: Presence,
}

/// What a resource owns and needs, from which automatic edges come.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Footprint {
    /// What it owns.
    pub claims: Vec<Claim>,
    /// What it needs to come first, if somebody claims it. A path stands for itself and for each directory above it.
    pub wants: Vec<Thing>,
}

/// One step into a resource's table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Segment {
    /// A key.
    Key(String),
    /// An element of an array, from 0.
    Index(usize),
}

/// What is wrong with the fields of one resource, by the path of the field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The field; empty for the resource as a whole.
    pub path: Vec<Segment>,
    /// One sentence without a final stop.
    pub message: String,
    /// What to type instead.
    pub help: Option<String>,
}

impl Problem {
    /// A problem of the field `key`.
    pub fn at(key: &str, message: impl Into<String>) -> Self {
        Self { path: vec![Segment::Key(key.to_owned())], message: message.into(), help: None }
    }

    /// A problem of the resource as a whole.
    pub fn whole(message: impl Into<String>) -> Self {
        Self { path: Vec::new(), message: message.into(), help: None }
    }

    /// The way out.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// A kind, as the compiler and the documentation see it.
pub trait KindInfo: Sync {
    /// The word in TOML, such as `file`.
    fn name(&self) -> &'static str;
    /// Whether its names are the host's or the module's.
    fn scope(&self) -> Scope;
    /// One paragraph: the doc comment of the struct.
    fn doc(&self) -> String;
    /// Its keys, sorted by name, without those common to all kinds.
    fn fields(&self) -> &[Field];
    /// An example in TOML that compiles.
    fn example(&self) -> &'static str;
    /// JSON Schema of the table.
    fn schema(&self) -> serde_json::Value;
    /// Decodes and checks one resource. `params` holds resolved secrets: it must not be kept.
    fn inspect(&self, name: &str, params: &serde_json::Value) -> Result<Footprint, Vec<Problem>>;
}
