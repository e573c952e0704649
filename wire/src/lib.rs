//! What a controller and a host say to each other: frames, and the closed set of messages in them. `docs/protocol.md` is
//! the same in prose. Without I/O of its own: bytes go in and come out; who carries them is not known here.
//!
//! `frame` is the outer form, `down` and `up` the messages of each direction, `order` what a host is asked to do. `send` says them,
//! `inbox` hears them, and `host_side` and `controller_side` know what may be said when.

mod blobs;
mod controller_side;
mod down;
mod frame;
mod host_side;
mod inbox;
mod malformed;
mod order;
mod send;
mod up;
mod version;

pub use blobs::{Blobs, NoBlobs};
pub use controller_side::{ControllerSide, LONGEST_HELLO};
pub use down::Down;
pub use frame::{Decoder, Frame, LONGEST, LONGEST_UP, PIECE, encode};
pub use host_side::{HostSide, Told};
pub use inbox::{Broken, Heard, Inbox, Message};
pub use malformed::Malformed;
pub use order::{CONFIRM_WITHIN, OnFailure, Order, Pause, Rollback, Terms, Which, Work};
pub use send::{LONGEST_SECRET, TOTAL_SECRETS, Unsent, send, send_bytes, send_content, send_order};
pub use up::{Ending, Hello, Keeping, Reply, TOTAL_UP, Up, VALUES_UP};
pub use version::{ALIVE_EVERY, SILENCE, VERSION, common};
