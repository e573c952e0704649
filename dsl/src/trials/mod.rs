//! The checks in tests files, `tests/*.toml` of a site and of its modules. Evaluated with the facts of a host and, of a module, with its
//! inputs; they make no catalog. What else stands in those files is read by `trial`; `agent::checks` looks whether checks are so.

mod check;
mod keys;
mod load;
mod problem;

pub use keys::fields as check_fields;
pub use load::{Tests, Wanted, tests};
