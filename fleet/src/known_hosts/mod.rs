//! Is a host the one it says it is? By the keys of the inventory, or by known_hosts files. Connects to nothing; a transport asks
//! it, and ends the connection where the answer is no.

mod entry;
mod host_key;
mod judge;
mod message;
mod name;
mod record;

pub use host_key::{HostKey, Judgement};
pub(crate) use judge::only_authorities;
pub use judge::{algorithms, judge};
pub use record::record;
