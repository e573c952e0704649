//! Tests of a site or a module: what its files of tests say, what is expected of the compiler without any host (`unit`), and
//! what came of it. Prints nothing; `cli` shows the [`Outcome`]s.

mod facts;
mod fields;
mod files;
mod junit;
mod outcome;
mod sheet;
mod subject;
pub mod unit;

pub use files::{Home, Wanted, collect};
pub use junit::junit;
pub use outcome::{Fault, Outcome, Step};
pub use sheet::Sheet;
pub use subject::{Means, Subject};
