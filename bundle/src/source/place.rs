//! What a place is to those who publish and take.

use crate::refusal::Refusal;
use std::io::Write;

/// The most bytes that are taken from a place, whatever it gives.
pub type Limit = u64;

/// A place.
pub trait Source {
    /// As people know it, without passwords.
    fn place(&self) -> String;

    /// Copies what has the name, at most so many bytes of it; how many there were. `None` where nothing has the name.
    ///
    /// # Errors
    /// Where that cannot be told, or there is more.
    fn get(&self, name: &str, most: Limit, to: &mut dyn Write) -> Result<Option<u64>, Refusal>;

    /// Puts it there under the name, in place of what had it, whole or not at all.
    ///
    /// # Errors
    /// Where nothing can be put there.
    fn put(&self, name: &str, bytes: &[u8]) -> Result<(), Refusal>;
}
