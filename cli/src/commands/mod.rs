//! The verbs, one file each, and the list that calls them.

pub mod agent;
pub mod apply;
mod asked;
pub mod attach;
pub mod bundle;
pub mod check;
pub mod cloud_init;
pub mod completion;
mod dispatch;
pub mod drift;
pub mod drill;
pub mod explain;
pub mod explain_value;
pub mod facts;
pub mod graph;
pub mod history;
pub mod init;
pub mod lock;
pub mod locks;
pub mod plan;
pub mod rehearse;
pub mod rollback;
mod run_number;
pub mod schema;
pub mod secret;
pub mod show;
mod targets;
pub mod test;
pub mod unlock;
pub mod validate;

pub use asked::{Asked, OfRun};
pub use dispatch::run;
pub use targets::Harmless;
