//! What a kind of resource is: one struct, one trait, one word in the list of `kinds`. What files of tests have beside kinds is `listed` the same way.

mod decode;
mod fields;
mod listed;
mod registered;
mod resource;

pub(crate) use listed::listed;
pub use listed::{Listed, Listing};
pub use registered::{Described, Registered, Registration, Resource, registered};
pub use resource::{Class, Kind};
