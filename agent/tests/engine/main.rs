//! The engine on a host in memory: what it does, and what it survives when it is cut off or fails at any point.

mod faults;
mod graphs;
mod groups;
mod notifications;
mod reboot;
mod world;
