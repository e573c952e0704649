//! What stands at a path.

use model::Digest;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How to look at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// What stands there, without reading it.
    Bare,
    /// Also the digest of a regular file.
    Digest,
    /// As `Digest`, following a link in the last component.
    Follow,
}

/// What stands at a path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Its type, and what goes with the type.
    pub kind: EntryKind,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Permission bits, at most 0o7777; of a link always 0o777.
    pub mode: u32,
}

/// What stands at a path, compared with the bytes that are wanted there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compared {
    /// What stands there; `None` for nothing.
    pub entry: Option<Entry>,
    /// True where it is a regular file that holds just those bytes.
    pub is_same: bool,
}

/// What stands at a path, with what it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Whole {
    /// What stands there, as [`Look::Bare`] has it.
    pub entry: Entry,
    /// Extended attributes, in base64 by name, and bytes of a regular file that is not too large.
    pub held: Option<(BTreeMap<String, String>, Vec<u8>)>,
}

/// The type of an entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum EntryKind {
    /// A regular file.
    File {
        /// Size in bytes.
        size: u64,
        /// SHA-256 of its bytes, where it was asked for.
        digest: Option<Digest>,
    },
    /// A directory.
    Directory,
    /// A symbolic link.
    Symlink {
        /// Where it points: UTF-8 without control characters.
        target: String,
    },
    /// Anything else.
    Special {
        /// In words: `fifo`, `socket`, `character device`, `block device`, `symlink to ` and an escaped target that is no
        /// clean text.
        what: String,
    },
}

impl Entry {
    /// The digest of a regular file, where it was asked for.
    pub fn digest(&self) -> Option<Digest> {
        match self.kind {
            EntryKind::File { digest, .. } => digest,
            _ => None,
        }
    }

    /// The type in words, such as `directory`.
    pub fn what(&self) -> &str {
        match &self.kind {
            EntryKind::File { .. } => "file",
            EntryKind::Directory => "directory",
            EntryKind::Symlink { .. } => "symlink",
            EntryKind::Special { what } => what,
        }
    }
}
