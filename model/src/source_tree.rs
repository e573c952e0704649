//! What a directory of a site holds, as a catalog has it: names, digests and where links lead, a line for each. The bytes stay
//! where they are; `Content` refers to bytes the same way. What becomes of it on a host is the kinds' business.

use crate::{Content, Digest};
use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};
use std::fmt;

/// Key of the JSON object that stands for a directory: `{"$tree": [line, …]}`.
const TREE_KEY: &str = "$tree";

/// All that lies below a directory, sorted by path: each directory stands before what is in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SourceTree {
    leaves: Vec<Leaf>,
}

/// One thing in a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaf {
    /// Where, as seen from the directory: UTF-8 without control characters, `.`, `..` and doubled slashes.
    pub path: Box<str>,
    /// What.
    pub kind: LeafKind,
}

/// What a thing in a directory is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LeafKind {
    /// A directory.
    Directory,
    /// A regular file.
    File {
        /// SHA-256 of its bytes.
        digest: Digest,
        /// Its size in bytes.
        size: u64,
        /// Whether it may be executed.
        run: Run,
    },
    /// A symbolic link.
    Symlink {
        /// Where it leads, as it is written: UTF-8 without control characters.
        target: Box<str>,
    },
}

/// Whether a file may be executed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Run {
    /// It may not.
    No,
    /// Its owner may, and who else may read it.
    Yes,
}

impl SourceTree {
    /// Sorts `leaves`. The error names one that cannot be, or stands twice.
    pub fn new(mut leaves: Vec<Leaf>) -> Result<Self, String> {
        if let Some(wrong) = leaves.iter().find(|leaf| !is_sound(leaf)) {
            return Err(format!("{:?} cannot lie in a directory of a site", wrong.path));
        }
        if !leaves.is_sorted_by(|one, other| one.path < other.path) {
            leaves.sort_by(|one, other| one.path.cmp(&other.path));
        }
        match leaves.windows(2).find(|pair| pair[0].path == pair[1].path) {
            Some(pair) => Err(format!("{:?} stands twice", pair[0].path)),
            None => Ok(Self { leaves }),
        }
    }

    /// All that is in it.
    pub fn leaves(&self) -> &[Leaf] {
        &self.leaves
    }

    /// What is at `path`.
    pub fn get(&self, path: &str) -> Option<&Leaf> {
        let found = self.leaves.binary_search_by(|leaf| (*leaf.path).cmp(path));
        found.ok().map(|at| &self.leaves[at])
    }

    /// The JSON that stands for it in a catalog.
    pub fn to_json(&self) -> Value {
        json!({ TREE_KEY: self.leaves.iter().map(|leaf| Value::String(leaf.line())).collect::<Vec<_>>() })
    }

    /// Digests and sizes of the contents that such JSON refers to; `None` for any other value.
    pub(crate) fn referred(value: &Value) -> Option<impl Iterator<Item = (Digest, u64)>> {
        let map = value.as_object().filter(|map| map.len() == 1)?;
        let lines = map.get(TREE_KEY)?.as_array()?.iter().filter_map(Value::as_str);
        Some(lines.filter_map(|line| match Leaf::parse(line)?.kind {
            LeafKind::File { digest, size, .. } => Some((digest, size)),
            LeafKind::Directory | LeafKind::Symlink { .. } => None,
        }))
    }
}

impl Leaf {
    /// Its wanted bytes, where it is a file.
    pub fn content(&self) -> Option<Content> {
        match self.kind {
            LeafKind::File { digest, size, .. } => Some(Content::Stored(digest, size)),
            LeafKind::Directory | LeafKind::Symlink { .. } => None,
        }
    }

    /// Fields and the path, with tabs between them: no name holds one.
    fn line(&self) -> String {
        let path = &self.path;
        match &self.kind {
            LeafKind::Directory => format!("d\t{path}"),
            LeafKind::File { digest, size, run } => {
                let sort = if *run == Run::Yes { "x" } else { "f" };
                let (digest, size) = (digest.to_string(), size.to_string());
                [sort, &digest, &size, path].join("\t")
            }
            LeafKind::Symlink { target } => format!("l\t{target}\t{path}"),
        }
    }

    fn parse(line: &str) -> Option<Self> {
        let (sort, rest) = line.split_once('\t')?;
        let file = |run| {
            let mut fields = rest.splitn(3, '\t');
            let digest = Digest::parse(fields.next()?)?;
            let kind = LeafKind::File { digest, size: fields.next()?.parse().ok()?, run };
            Some(Self { path: fields.next()?.into(), kind })
        };
        match sort {
            "d" => Some(Self { path: rest.into(), kind: LeafKind::Directory }),
            "f" => file(Run::No),
            "x" => file(Run::Yes),
            "l" => {
                let (target, path) = rest.split_once('\t')?;
                Some(Self { path: path.into(), kind: LeafKind::Symlink { target: target.into() } })
            }
            _ => None,
        }
    }
}

/// A tree that came over a wire cannot lead out of its directory either.
fn is_sound(leaf: &Leaf) -> bool {
    let is_clean = |text: &str| !text.is_empty() && !text.bytes().any(|byte| byte < b' ' || byte == 0x7f);
    let is_name = |part: &str| !matches!(part, "" | "." | "..") && part.len() <= 255;
    let leads = match &leaf.kind {
        LeafKind::Symlink { target } => is_clean(target),
        LeafKind::Directory | LeafKind::File { .. } => true,
    };
    leads && is_clean(&leaf.path) && leaf.path.split('/').all(is_name)
}

impl<'de> Deserialize<'de> for SourceTree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(TreeVisitor)
    }
}

struct TreeVisitor;

impl<'de> Visitor<'de> for TreeVisitor {
    type Value = SourceTree;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the files of a directory")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<SourceTree, A::Error> {
        match map.next_key::<String>()? {
            Some(key) if key == TREE_KEY => SourceTree::new(map.next_value()?).map_err(de::Error::custom),
            _ => Err(de::Error::custom("expected the files of a directory")),
        }
    }
}

impl<'de> Deserialize<'de> for Leaf {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(LeafVisitor)
    }
}

struct LeafVisitor;

impl Visitor<'_> for LeafVisitor {
    type Value = Leaf;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a line of a directory")
    }

    fn visit_str<E: de::Error>(self, line: &str) -> Result<Leaf, E> {
        Leaf::parse(line).ok_or_else(|| E::custom(format!("`{line}` is no line of a directory")))
    }
}

#[cfg(test)]
mod tests {
    use super::{Leaf, LeafKind, Run, SourceTree};
    use crate::{Content, Digest};

    fn leaf(path: &str, kind: LeafKind) -> Leaf {
        Leaf { path: path.into(), kind }
    }

    fn file(path: &str, run: Run) -> Leaf {
        leaf(path, LeafKind::File { digest: Digest::of(path.as_bytes()), size: 7, run })
    }

    #[test]
    fn a_tree_comes_back_from_json_as_it_was() {
        let link = leaf("a/l k", LeafKind::Symlink { target: "../b c".into() });
        let tree = SourceTree::new(vec![
            file("b", Run::No),
            link,
            leaf("a", LeafKind::Directory),
            file("a/x", Run::Yes),
        ]);
        let tree = tree.unwrap();
        let paths: Vec<&str> = tree.leaves().iter().map(|leaf| &*leaf.path).collect();
        assert_eq!(paths, ["a", "a/l k", "a/x", "b"]);
        assert_eq!(serde_json::from_value::<SourceTree>(tree.to_json()).unwrap(), tree);
        assert_eq!(tree.get("a/x"), Some(&file("a/x", Run::Yes)));
        assert_eq!(tree.get("a/y"), None);
    }

    #[test]
    fn a_catalog_tells_the_contents_of_a_tree() {
        let tree = SourceTree::new(vec![file("b", Run::No), leaf("a", LeafKind::Directory)]).unwrap();
        let params = serde_json::json!({ "tree": tree.to_json(), "mode": "0755" });
        let found = Content::all_referred(&params);
        assert_eq!(found.into_iter().collect::<Vec<_>>(), [(Digest::of(b"b"), 7)]);
    }

    #[test]
    fn nothing_leads_out_of_the_directory() {
        for path in ["", "/etc", "..", "a/../b", "a//b", "a/", "./a", "a\tb", "a\nb", &"x".repeat(256)] {
            assert!(SourceTree::new(vec![leaf(path, LeafKind::Directory)]).is_err(), "{path:?}");
        }
        assert!(SourceTree::new(vec![file("a", Run::No), leaf("a", LeafKind::Directory)]).is_err());
        for line in ["f\tab\t1\ta", "f\ta", "q\ta", "d"] {
            let json = serde_json::json!({ "$tree": [line] });
            assert!(serde_json::from_value::<SourceTree>(json).is_err(), "{line:?}");
        }
    }
}
