//! Tests of a site or a module: what its files of tests say, what is expected of the compiler without any host (`unit`),
//! the `course` of a test in one of the `boxes`, and what came of it. Prints nothing; `cli` shows the [`Outcome`]s.

#[cfg(all(target_os = "linux", not(feature = "elsewhere")))]
pub mod boxes;
#[cfg(all(target_os = "linux", not(feature = "elsewhere")))]
mod course;
pub mod drill;
mod facts;
mod fields;
mod files;
mod junit;
#[cfg(all(target_os = "linux", not(feature = "elsewhere")))]
mod order;
mod outcome;
mod schema;
mod sheet;
mod subject;
mod suite;
#[cfg(all(target_os = "linux", not(feature = "elsewhere")))]
mod tap;
pub mod unit;

#[cfg(all(target_os = "linux", not(feature = "elsewhere")))]
pub use course::{After, Contents, Course};
pub use files::{Home, Wanted, collect};
pub use junit::junit;
pub use outcome::{Fault, Outcome, Skipped, Step};
pub use schema::schema;
pub use sheet::Sheet;
pub use subject::{Means, Subject};
pub use suite::{BoxCase, Ends, Suite};
