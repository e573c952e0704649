//! What a bundle says of itself, and of each file in it. It is the first file of the archive, and all the rest follows from it: where each
//! file begins, and how long the whole is.

use crate::name::{Name, is_site_name};
use crate::refusal::Refusal;
use crate::tar;
use model::{Digest, Run};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The version of the format that is written, and the only one that is read.
pub const FORMAT: u32 = 1;
/// The name of the manifest in the archive.
pub const NAME: &str = "bundle.json";
/// No manifest is larger, in bytes: a hundred thousand files make a fifth of it.
pub const LARGEST: u64 = 64 << 20;

/// What a bundle says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The version of the format.
    pub format: u32,
    /// The site, as `keel.toml` names it.
    pub site: String,
    /// Larger than that of every bundle of the site before it.
    pub counter: u64,
    /// Directories of modules outside the site, as `keel.toml` names them, and where they are in the bundle.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub elsewhere: BTreeMap<String, Name>,
    /// All other files of the archive, in its order.
    pub files: BTreeMap<Name, Entry>,
    /// Links that lead to no file, and where they lead. They are in no archive: nothing follows them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub links: BTreeMap<Name, String>,
    /// Directories with nothing in them.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub empty: BTreeSet<Name>,
}

/// One file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Its digest.
    pub sha256: Digest,
    /// Bytes.
    pub size: u64,
    /// Whether it may be executed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub run: bool,
    /// Of a link to a file, of which these are the bytes: where it leads, as it is written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
}

/// As much as is the same in all versions.
#[derive(Deserialize)]
struct Version {
    format: u32,
}

impl Entry {
    /// Whether it may be executed.
    pub fn run(&self) -> Run {
        if self.run { Run::Yes } else { Run::No }
    }
}

impl Manifest {
    /// As it stands in the archive: a line for each file, for people and for `diff`.
    pub fn text(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).expect("strings and numbers are JSON");
        text.push('\n');
        text
    }

    /// Takes one that is exactly as [`Manifest::text`] writes it.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &[u8]) -> Result<Self, Refusal> {
        // What stands in it may be quoted, and anybody may have written it.
        let wrong =
            |why: String| Refusal::Malformed(format!("its manifest {}", why.replace(char::is_control, "?")));
        let version: Version =
            serde_json::from_slice(text).map_err(|error| wrong(format!("cannot be read: {error}")))?;
        if version.format != FORMAT {
            return Err(Refusal::Newer { format: version.format });
        }
        let manifest: Self =
            serde_json::from_slice(text).map_err(|error| wrong(format!("cannot be read: {error}")))?;
        if manifest.text().as_bytes() != text {
            return Err(wrong("is not written as a manifest is".to_owned()));
        }
        if !is_site_name(&manifest.site) {
            return Err(wrong("names no site".to_owned()));
        }
        if manifest.files.contains_key(NAME) {
            return Err(wrong("names itself".to_owned()));
        }
        Ok(manifest)
    }

    /// How long the whole archive is, its manifest taking `own` bytes; `None` where that cannot be counted.
    pub fn length(&self, own: u64) -> Option<u64> {
        let sizes = self.files.values().map(|entry| entry.size).chain([own]);
        let sum = sizes.map(tar::taken).try_fold(0u64, |sum, one| sum.checked_add(one?));
        sum?.checked_add(tar::END)
    }
}

#[cfg(test)]
mod tests {
    use super::Manifest;

    #[test]
    fn what_is_quoted_of_it_can_be_shown() {
        let text = b"{\"format\":1,\"site\":\"shop\",\"count\x7f\":7,\"files\":{}}";
        let words = Manifest::parse(text).expect_err("it has an unknown key").to_string();
        assert!(words.contains("count?") && !words.contains(char::is_control), "{words}");
    }
}
