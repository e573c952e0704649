//! Logged-in connections that outlive the call that made them, for a minute: a process of ours holds them and starts commands over them for the next
//! call. `front` is the side of the call, `keeper` that process; `place` is where they meet. No passphrase and no password ever comes here.

mod ahead;
mod front;
mod front_pipe;
mod keeper;
mod line;
mod place;
mod relay;
mod seat;
mod session;
mod start;
mod words;

pub use keeper::Keeper;
pub use place::Keep;
