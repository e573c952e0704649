//! The engine on a host in memory: what it does, and what it survives when it is cut off or fails at any point.

mod at_once;
mod faults;
mod graphs;
mod groups;
mod notifications;
mod reads;
mod reboot;
mod world;
