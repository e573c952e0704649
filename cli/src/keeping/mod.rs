//! The agent of this machine, from the side of the program that can compile: where its catalog comes from, and how it is installed.
//! What it does is `daemon`'s business.

mod afar;
mod asking;
mod bundles;
pub mod cloud_init;
pub mod compiled;
pub mod install;
mod outside;
mod renewed;
mod said;
pub mod source;
pub mod verbs;
