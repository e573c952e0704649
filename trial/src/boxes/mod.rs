//! Boxes: throwaway hosts. `driver` says what one can do, a file each makes them; `way_out` is all of the network that a box of this
//! machine has, `command` runs programs in it, `guard` sees to it that none outlives this program unless it is `kept`, `lacking` says
//! what to type where a machine cannot have some.

mod base;
mod booting;
mod command;
mod container;
mod driver;
mod guard;
mod kept;
mod lacking;
mod late;
mod layered;
mod lxc;
mod name;
mod nspawn;
mod overlay;
mod ssh;
mod vagrant;
mod way_out;

pub use command::{Said, run, run_until};
pub use container::{Containers, Engine};
pub use driver::{Driver, Raw, Stay, TestBox};
pub use kept::{Kept, Shelf};
pub use late::{Connect, Way};
pub use lxc::Lxc;
pub use nspawn::Nspawn;
pub use overlay::Overlay;
pub use ssh::{Names, Ssh};
pub use vagrant::{Machine, Vagrant};
