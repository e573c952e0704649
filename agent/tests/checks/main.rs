//! Checks: each subject against its data in `tests/cases/checks`, on hosts in memory and with real servers on this machine.

mod dns;
#[path = "../kinds/host.rs"]
mod host;
mod http;
mod programs;
mod scene;
mod subjects;
mod tries;
