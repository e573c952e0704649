//! From a verb to work on machines: which ones, what is asked of each, here or by push, and how it ended. Prints nothing
//! itself: `view` is told.

mod conditions;
mod connection;
mod crew;
mod desk;
mod drilled;
mod errand;
mod here;
mod keep;
mod login;
mod lost;
mod push;
mod sourced;
mod stay;
mod turn;
mod way;

pub use conditions::{Conditions, seconds};
pub use connection::Connection;
#[cfg(all(target_os = "linux", not(feature = "elsewhere")))]
pub use crew::Hosts;
pub use crew::{Crew, Inventory, Machines};
pub use drilled::{Fleet, Live};
pub use errand::{Errand, Since, Tags, Wanted};
#[cfg(all(target_os = "linux", not(feature = "elsewhere")))]
pub use errand::{Make, Ready};
pub use here::{facts_for_compiling, keep_memory, play_stage};
pub use keep::play_keeper;
#[cfg(all(target_os = "linux", not(feature = "elsewhere")))]
pub use login::Login;
#[cfg(all(target_os = "linux", not(feature = "elsewhere")))]
pub use push::{beside_this_program, targets};
pub use turn::Turn;
