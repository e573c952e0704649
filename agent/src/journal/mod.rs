//! The write-ahead journal of one run: what is about to be done, what was done, what is still owed.
//! `frame` and `file` do not know what records mean, only that each is durable before anybody acts on it; `record` says what
//! they are and `status` what they amount to.

#[cfg(target_os = "linux")]
mod file;
mod frame;
pub mod record;
pub mod status;

#[cfg(target_os = "linux")]
pub use file::{Appender, JournalError, Resumed, create, read, resume};
pub use frame::{Cause, Contents, Damage, MAX_RECORD};
