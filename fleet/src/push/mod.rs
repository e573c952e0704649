//! One piece of work for many hosts: `all` starts them as `turns` and `crossings` allow, `host` is the way of one, and `controller` who wanted it.

mod all;
mod arrival;
mod controller;
mod crossings;
mod host;
mod patience;
mod progress;
mod target;
mod turns;

pub use all::push;
pub use controller::{Controller, End, Prepared};
pub use patience::Patience;
pub(crate) use progress::Progress;
pub use target::{Connect, Push, Target};
