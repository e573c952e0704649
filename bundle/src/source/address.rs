//! From what people write to a place.

use super::directory::Directory;
use super::git::Git;
use super::place::Source;
use super::remote::Remote;
use crate::refusal::Refusal;

/// The place that is meant: a directory, or an address.
///
/// # Errors
/// Where there is no such kind of place, or a password would be shown wherever the place is named.
pub fn open(address: &str) -> Result<Box<dyn Source>, Refusal> {
    if address.starts_with("git+") {
        return Ok(Box::new(Git::new(address)?));
    }
    let Some((scheme, rest)) = address.split_once("://") else {
        return Ok(Box::new(Directory::new(address)));
    };
    let unfit = |why: &str| Refusal::BadPointer { place: format!("{scheme}://…"), why: why.to_owned() };
    let authority = rest.split('/').next().unwrap_or_default();
    if authority.contains('@') || rest.contains(['?', '#']) {
        return Err(unfit(
            "a place has no password, `?` or `#` in it: what opens it comes from the environment",
        ));
    }
    match scheme {
        "file" => Ok(Box::new(Directory::new(rest))),
        "http" | "https" => Ok(Box::new(Remote::web(address)?)),
        "s3" => Ok(Box::new(Remote::bucket(address)?)),
        _ => Err(unfit(
            "there is no such kind of place: give a directory, https://, http://, s3:// or git+https://",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::open;

    #[test]
    fn what_is_no_place_is_told_without_its_password() {
        for address in [
            "https://ann:hunter2@example.org/a",
            "https://example.org/a?token=hunter2",
            "ftp://example.org/a",
        ] {
            let told = open(address).err().map(|refusal| refusal.to_string()).unwrap_or_default();
            assert!(told.contains("cannot be used") && !told.contains("hunter2"), "{told}");
        }
    }
}
