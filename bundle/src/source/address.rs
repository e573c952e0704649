//! From what people write to a place.

use super::directory::Directory;
use super::place::Source;
use crate::refusal::Refusal;

/// The place that is meant: a directory, or an address.
///
/// # Errors
/// Where there is no such kind of place.
pub fn open(address: &str) -> Result<Box<dyn Source>, Refusal> {
    let Some((scheme, rest)) = address.split_once("://") else {
        return Ok(Box::new(Directory::new(address)));
    };
    match scheme {
        "file" => Ok(Box::new(Directory::new(rest))),
        _ => {
            let why = "there is no such kind of place: give a directory".to_owned();
            Err(Refusal::BadPointer { place: address.to_owned(), why })
        }
    }
}
