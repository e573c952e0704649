//! What the agent of a host runs stands side by side in `keel`: `list` names it and tells the linker, `traced` finds it
//! out, by a `map` of the program.

pub mod list;
pub mod map;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod traced;
