//! A rehearsal: the whole run, for real, in a throwaway copy of this machine, and what it would have changed.
//!
//! `outer` is the front process. It starts `keeper`, which has a mount namespace of its own and lays overlays over the machine
//! (`mounts`, `layers`, `private`). That starts `inner`, the first process of a pid namespace, which enters the copy (`enter`)
//! and runs the engine there. When it has ended, `keeper` reads the upper layers (`walk`, `compare`, `fold`). All of it lives in
//! memory and in these processes, each killed with its parent: whoever dies first, nothing is left.

mod accounts;
mod compare;
mod enter;
mod fold;
mod inner;
mod job;
mod keeper;
mod layers;
mod mounts;
mod outer;
mod owners;
mod private;
mod stage;
mod standing;
mod standing_keeper;
mod units;
mod unmounted;
mod versions;
mod walk;
mod wire;

pub use outer::rehearse;
pub use stage::Stage;
pub use standing::{CopyStage, Standing};
pub use standing_keeper::layer_differences;
