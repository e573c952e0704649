//! One piece of work for many hosts: `all` starts them as `turns` and `crossings` allow, `host` is what becomes of one, over a `way` or several, and `controller` who wanted it.

mod all;
mod arrival;
mod controller;
mod crossings;
pub(crate) mod first;
mod host;
mod patience;
mod progress;
mod target;
mod turns;
mod way;

pub use all::push;
pub use controller::{Controller, End, Prepared};
pub(crate) use host::is_lost;
pub use patience::Patience;
pub(crate) use progress::Progress;
pub use target::{Connect, Push, Resume, Target};
pub(crate) use way::Way;
