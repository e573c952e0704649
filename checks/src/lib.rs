//! Checks of hosts, as `keel` has them beyond what the host does itself: looking from where `keel` runs, with TLS; what became of all checks of
//! a host; and that in the forms that other programs read. What a check is and how it looks is in `agent::checks`; what tests files say is
//! read by `dsl::tests`. Prints nothing.

mod chosen;
mod junit;
mod looked;
mod monitor;
mod names;
mod outside;
mod prometheus;
mod tls;

pub use chosen::Chosen;
pub use junit::junit;
pub use looked::{Looked, Seen, Tally};
pub use monitor::Monitor;
pub use names::Resolver;
pub use outside::look_from_keel;
pub use prometheus::prometheus;
pub use tls::Rustls;
