//! The write-ahead journal of one run: what is about to be done, what was done, what is still owed.
//! Nothing here knows what the records mean, only that each is durable before anybody acts on it.

mod file;
mod frame;

pub use file::{Appender, JournalError, Resumed, create, read, resume};
pub use frame::{Cause, Contents, Damage, MAX_RECORD};
