//! The verbs, one file each, and the list that calls them.

pub mod apply;
mod dispatch;
pub mod facts;
pub mod history;
mod local;
pub mod plan;
pub mod rehearse;
pub mod rollback;
pub mod show;
pub mod validate;

pub use dispatch::run;
