//! The project's own chores: `test`, `lab` (real hosts on one machine), `dist`, `corpus` and `tidy` (the house rules).
//! It is no part of the program and no member of the workspace may depend on it. Start at `main.rs`.
#![expect(
    clippy::disallowed_methods,
    reason = "chores run tools and write scratch files; no host is touched"
)]
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a chore talks to the developer's terminal")]

pub mod bench;
pub mod chore;
pub mod cmd;
pub mod corpus;
pub mod deny;
pub mod dist;
pub mod docker;
pub mod faults;
pub mod lab;
pub mod moto;
pub mod packages;
pub mod power;
pub mod resident;
pub mod seeded;
pub mod soak;
pub mod suite;
pub mod tidy;
