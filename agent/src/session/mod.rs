//! One piece of work on one host, from its lock to its report: `plan`, `apply`, `rollback`.
//!
//! Puts the engine and the host's state together; what is shown and asked is the caller's.

mod apply;
mod before;
mod comeback;
mod confirm;
mod cut_off;
mod delicate;
mod drift;
mod first_contact;
mod going;
mod guard;
mod job;
mod minded;
mod plan;
mod reread;
mod restoration;
mod resume;
mod rollback;
mod skeleton;
mod span;
mod stake;
mod touches;
mod turn;
mod unwind;
mod versions;
mod watch;

pub use apply::{Done, Fate, apply};
pub use confirm::{Confirmed, Patience, confirm};
pub use delicate::{Login, delicate};
pub use drift::drift;
pub use guard::{NoSentry, Recall, Sentry};
pub use job::{Answer, Ask, Clock, Drift, Ended, Job, Rollback};
pub use plan::plan;
pub use resume::resume;
pub use rollback::{plan_rollback, rollback};
pub use watch::{Watch, watch};
