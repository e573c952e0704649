//! What a kind of resource is: one struct, one trait, one word in the list of `kinds`.

mod decode;
mod fields;
mod registered;
mod resource;

pub(crate) use decode::decode;
pub(crate) use fields::fields;
pub use registered::{Described, Registered, Registration, Resource, registered};
pub use resource::{Class, Kind};
