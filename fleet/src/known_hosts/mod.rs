//! Is a host the one it says it is? By the keys of the inventory, or by known_hosts files. Connects to nothing; a transport asks
//! it, and ends the connection where the answer is no.

mod entry;
mod host_key;
mod judge;
pub(crate) mod message;
mod name;
mod record;

pub(crate) use host_key::short_kind;
pub use host_key::{HostKey, Judgement};
pub use judge::{algorithms, judge};
pub(crate) use judge::{given, only_authorities};
pub(crate) use name::of as name_of;
pub use record::record;
