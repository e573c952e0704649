//! Every kind against its data in `tests/cases/kinds/<kind>.toml`: decisions on states given as data (`cases`), and the laws
//! that hold for all kinds, on hosts in memory (`laws`).

mod bless;
mod cases;
mod data;
mod host;
mod laws;
