//! Power cuts: `keel` converges a disk in a virtual machine that is killed at any moment, and the next boot has to make it good. And
//! jumps of the clock, which no other host here has for itself.
//!
//! `pieces` are what a machine is made of, `guest` what runs in it, `world` the disk before and after, `machine` one boot, `cycle` a
//! cut with what must hold after it. Nothing of it is installed on this machine.

mod cycle;
mod guest;
mod machine;
mod pieces;
mod world;

pub use cycle::{Cuts, cut, jump};
