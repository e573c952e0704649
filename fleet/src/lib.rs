//! Many hosts: which of the inventory are meant. Knows no language and no host's inside; connections are to come here.

mod select;

pub use select::{Entry, Unmatched, select};
