//! The write-ahead journal of one run: what is about to be done, what was done, what is still owed.
//! `frame` and `file` do not know what records mean, only that each is durable before anybody acts on it; what
//! they say is `model::Record`, what they amount to `model::Status`.

mod error;
mod file;
mod frame;

pub use error::JournalError;
pub use file::{Appender, Resumed, Space, create, read, resume};
pub use frame::{Cause, Contents, Damage, MAX_RECORD, decode, encode};
