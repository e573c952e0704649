//! D-Bus, as far as it takes to speak with the service manager over the socket that it keeps for root: no message bus has to run, and no
//! program be started. `connection` greets, calls and hears; `systemd` says what is asked there; `message`, `reading` and `writing` are the
//! format (D-Bus specification, "Message Protocol").
//! It must not decide what is asked, nor what an answer means for a host.

mod connection;
mod message;
mod reading;
mod systemd;
mod writing;

pub use connection::{Connection, SOCKET};
pub use message::{Kind, Message};
pub use systemd::{Properties, Property, Systemd, path_of};
