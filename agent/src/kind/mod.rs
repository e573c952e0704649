//! What a kind of resource is: one struct, one trait, one word in the list of `kinds`.

mod fields;
mod registered;
mod resource;

pub use registered::{Registered, Registration, Resource, registered};
pub use resource::{Class, Kind};
