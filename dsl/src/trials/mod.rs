//! The checks and drills in tests files, `tests/*.toml` of a site and of its modules. Evaluated with the facts of a host and, of a module, with its
//! inputs; they make no catalog. What else stands in those files is read by `trial`; `agent::checks` looks whether checks are so.

mod check;
mod drill;
mod keys;
mod load;
mod problem;
mod schema;

pub use keys::{check_fields, drill_fields};
pub use load::{Tests, Wanted, tests};
pub use schema::tests_schema;
