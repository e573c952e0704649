//! Tests files, `tests/*.toml` of a site and of its modules: checks of hosts, and what else is declared beside them. Evaluated with the facts
//! of a host and, of a module, with its inputs; they make no catalog. `agent::checks` looks whether checks are so.

mod check;
mod declared;
mod keys;
mod load;
mod problem;

pub use declared::{Declared, Named, Section};
pub use keys::fields as check_fields;
pub use load::{Tests, Wanted, tests};
