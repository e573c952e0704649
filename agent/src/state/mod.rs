//! What a host remembers, below `/var/lib/evenkeel` (root, 0700): runs with journal and events, kept bytes, the ledger.
//!
//! Nothing here decides; `session` puts it together with the engine.

mod aftermath;
mod applied;
mod arrival;
mod debs;
mod dir;
mod event_lines;
mod event_log;
mod file_log;
mod ledger;
mod pack;
mod past;
mod pending;
mod prune;
mod removed;
mod sealed;
mod soft_locks;
mod store;
mod strays;
mod summed;
mod version;

pub use applied::{After, Applied, Desired};
pub use dir::{DEFAULT_ROOT, StateDir, Taken};
pub use event_lines::EventLines;
pub use event_log::{EventLog, Watcher};
pub use file_log::FileLog;
pub use ledger::{DamagedLedger, Ledger, Owned};
pub use past::{Past, Read};
pub use pending::{Pending, PendingGuard, Phase};
pub use soft_locks::{LOCKS, end_of, lasts, refusal};
pub use store::Store;
