//! Boxes: throwaway hosts on this machine. `driver` says what one can do, a file each makes them; `way_out` is all of the network that
//! a box has, `command` runs programs in it.

mod base;
mod command;
mod driver;
mod nspawn;
mod overlay;
mod way_out;

pub use command::{Said, run};
pub use driver::{Driver, Raw, TestBox};
pub use nspawn::Nspawn;
pub use overlay::Overlay;
