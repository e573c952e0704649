//! Tests without a host: facts and inputs in, and what is expected of the catalog. `case` reads one, `judge` holds the catalog against
//! it, `attributes` the keys of one resource.

mod attributes;
mod case;
mod edges;
mod expect;
mod judge;

pub use case::Case;
