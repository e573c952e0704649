//! Inventories that somebody else keeps: hosts, and how they are reached, in the form of ssh_config(5). What such a host is to be is said
//! elsewhere. Connects to nothing. Next: `config`.

mod found;
mod source;
mod vagrant;

pub use found::Found;
pub use source::Source;
