//! Where bundles are published, and taken from. A place holds small texts and bundles by name, and knows nothing of what they say.

mod address;
mod directory;
mod git;
mod place;
mod remote;

pub use address::open;
pub use directory::Directory;
pub use place::{Limit, Source};
