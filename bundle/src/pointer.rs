//! What stands at a place for a site: which bundle is the last one, and its signature. It is a hint: nothing in it is believed that the
//! bundle and its signature do not say themselves, so whoever can change it can at most keep a host from hearing of a new one.

use crate::archive::LARGEST;
use crate::manifest::Manifest;
use crate::name::is_site_name;
use crate::refusal::Refusal;
use model::Digest;
use serde::{Deserialize, Serialize};

/// No pointer is larger, in bytes.
pub const MOST: u64 = 128 << 10;

/// The last bundle of a site.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pointer {
    /// The version of the format.
    pub format: u32,
    /// The site.
    pub site: String,
    /// The counter of the bundle.
    pub counter: u64,
    /// The digest of the bundle, which is also what it is found by.
    pub sha256: Digest,
    /// Its bytes.
    pub size: u64,
    /// The text of its `.sig`.
    pub signature: String,
}

/// The name of the pointer of a site.
pub fn name(site: &str) -> String {
    format!("{site}.latest")
}

/// The name of a bundle. What has it never changes, so it can be kept anywhere for ever.
pub fn object(digest: &Digest) -> String {
    format!("sha256-{digest}.bundle")
}

impl Pointer {
    /// To a bundle.
    pub fn to(manifest: &Manifest, (sha256, size): (Digest, u64), signature: String) -> Self {
        let Manifest { format, site, counter, .. } = manifest;
        Self { format: *format, site: site.clone(), counter: *counter, sha256, size, signature }
    }

    /// As it is put at the place.
    pub fn text(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).expect("strings and numbers are JSON");
        text.push('\n');
        text
    }

    /// Reads one that was found at `place`.
    ///
    /// # Errors
    /// Where it is none.
    pub fn parse(place: &str, text: &[u8]) -> Result<Self, Refusal> {
        // What stands there may be quoted in it, and anybody may have put it there.
        let bad = |why: String| {
            let why = why.replace(char::is_control, "?");
            Refusal::BadPointer { place: place.to_owned(), why }
        };
        #[derive(Deserialize)]
        struct Version {
            format: u32,
        }
        let no = |error: serde_json::Error| bad(format!("it is no pointer to a bundle: {error}"));
        let version: Version = serde_json::from_slice(text).map_err(no)?;
        if version.format != crate::FORMAT {
            return Err(Refusal::Newer { format: version.format });
        }
        let pointer: Self = serde_json::from_slice(text).map_err(no)?;
        if !is_site_name(&pointer.site) {
            return Err(bad("it names no site".to_owned()));
        }
        if pointer.size > LARGEST {
            return Err(Refusal::TooLarge { size: pointer.size, most: LARGEST });
        }
        Ok(pointer)
    }
}
