//! What a controller and a host say to each other: frames, and the closed set of messages in them. `docs/protocol.md` is
//! the same in prose. Without I/O: bytes go in and come out; who carries them is not known here.
//!
//! `frame` is the outer form, `down` and `up` the messages of each direction, `order` what a host is asked to do.

mod blobs;
mod down;
mod frame;
mod order;
mod up;
mod version;

pub use blobs::{Blobs, NoBlobs};
pub use down::Down;
pub use frame::{Decoder, Frame, LONGEST, LONGEST_UP, Malformed, PIECE, encode};
pub use order::{Order, Work};
pub use up::{Ending, Hello, Reply, Up};
pub use version::{VERSION, common};
