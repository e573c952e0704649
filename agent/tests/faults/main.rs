//! Whole pieces of work, `apply` and `rollback` with a state directory of their own, on hosts in memory: a fault at every op and at
//! every record of the journal, over the catalogs of `tests/cases/faults`. `KEEL_FAULTS=full` also tries every pair of faults.

mod back;
mod corpus;
mod counts;
mod damage;
#[path = "../kinds/host.rs"]
mod host;
mod lab;
mod matrix;
mod notes;
mod pairs;
mod seed;
mod shaky;
