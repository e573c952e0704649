//! What a host knows of when and by whom a thing was changed: a file for each of those who may know. They only look, and never guess: each
//! trace says where it comes from, and who cannot be asked is named.

mod audit;
mod find;
mod journal;
mod noticed;
mod packages;
mod runs;
mod stamp;
mod times;

pub use find::{Found, find, went_back};
