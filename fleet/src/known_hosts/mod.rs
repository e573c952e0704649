//! Is a host the one it says it is? By the keys of the inventory, or by known_hosts files. Connects to nothing; a transport asks
//! it, and ends the connection where the answer is no.

mod host_key;

pub use host_key::{HostKey, Judgement};
