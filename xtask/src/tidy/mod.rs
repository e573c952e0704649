//! The house rules as code: `tree` reads the project, `mask` and `source` make Rust text countable, one file a
//! group of rules, `check` lists them all. Start at `check`.

pub mod check;
pub mod docs;
pub mod finding;
pub mod layers;
pub mod mask;
pub mod modules;
pub mod sizes;
pub mod source;
pub mod tree;
pub mod words;
