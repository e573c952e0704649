//! Plain data that passes between the stages of Evenkeel: ids, facts, catalog, ops, plan, events, report, diagnostics.
//!
//! Nothing here does I/O, knows TOML or touches a host. `dsl` makes a [`Catalog`], `agent` turns it into a
//! [`Plan`] and [`Event`]s, `cli` shows them.

mod because;
mod catalog;
mod check;
mod content;
mod describe;
mod diagnostic;
mod digest;
mod drift;
mod drill;
mod event;
mod facts;
mod failure;
mod gather;
mod globs;
mod host_path;
mod id;
mod image;
mod kind;
mod op;
mod origin;
mod owner;
mod plan;
mod record;
mod rehearsal;
mod report;
mod retention;
mod secret;
mod soft_lock;
mod source_tree;
mod status;
mod step;
mod sysctl;
mod text;

pub use because::Because;
pub use catalog::{Catalog, CatalogError, Common, Edge, EdgeKind, Node, OnDrift, OnRemoval};
pub use check::{CheckEnd, CheckResult, CheckSeverity, CheckSide, CheckSpec, Shortfall, SubjectInfo};
pub use content::{Content, Held};
pub use diagnostic::{Diagnostic, Label, Severity, Span};
pub use digest::{Digest, Hasher};
pub use drift::{About, Drift, Drifted, Trace};
pub use drill::{DrillSpec, Drilled, Fault, Keeper, Repair, Sight};
pub use event::{Event, EventBody, NodeStatus};
pub use facts::{Facts, OsFacts};
pub use failure::Failure;
pub use gather::Gather;
pub use globs::Globs;
pub use host_path::HostPath;
pub use id::Id;
pub use image::{
    FileState, Fingerprint, GroupShadowState, GroupState, MountState, PackageState, PathState, State,
    Subject, UnitState, UserState,
};
pub use kind::{
    Claim, Field, Footprint, KindInfo, Merge, Presence, Problem, Runtime, Scope, Segment, Taint, Thing,
};
pub use op::{
    Check, Command, GroupSpec, Op, PackageAction, PackageChange, Together, Transaction, UnitAction, UserSpec,
};
pub use origin::Origin;
pub use owner::Principal;
pub use plan::{Answer, Orphan, Owed, Plan, PlannedGroup, PlannedNode, Stake, Verdict};
pub use record::{Begin, JOURNAL_VERSION, Record, Resumed};
pub use rehearsal::{Rehearsal, RehearsedAccount, RehearsedFile, RehearsedPackage, RehearsedUnit, Turn};
pub use report::Report;
pub use retention::Retention;
pub use secret::{REDACTED, SECRET_KEY, Secret, Secrets, holds_secret};
pub use soft_lock::SoftLock;
pub use source_tree::{Leaf, LeafKind, Run, SourceTree};
pub use status::{Act, Aftermath, Misplaced, Outcome, RunSummary, Settled, Status, Undone};
pub use step::{Diff, Reversibility, Step, Val};
pub use sysctl::{sysctl_is_secret, sysctl_key, sysctl_path};
pub use text::Text;
