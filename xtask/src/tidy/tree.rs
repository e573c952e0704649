//! The project's files as git lists them, with those that are new and not ignored. It reads each file once and
//! judges nothing. Next: `source`.

use std::path::Path;

use anyhow::{Context, Result};

use crate::cmd;
use crate::tidy::source::Source;

/// All text files of the project.
#[derive(Debug, Default)]
pub struct Tree {
    /// Path and text of every text file, sorted by path.
    pub texts: Vec<(String, String)>,
    /// The Rust files among them, ready for counting.
    pub sources: Vec<Source>,
}

impl Tree {
    /// Reads the project at `root`.
    pub fn read(root: &Path) -> Result<Self> {
        // The clone may belong to somebody else than root, who runs the tests: git would refuse to list it.
        let mut list = cmd::command(&["git", "-c", "safe.directory=*", "ls-files", "-z"]);
        list.args(["--cached", "--others", "--exclude-standard"]).current_dir(root);
        let mut texts = Vec::new();
        for path in cmd::quiet(&mut list)?.split_terminator('\0') {
            let file = root.join(path);
            if !file.is_file() {
                continue;
            }
            let bytes = std::fs::read(&file).with_context(|| format!("cannot read {path}"))?;
            if let Ok(text) = String::from_utf8(bytes) {
                texts.push((path.to_owned(), text));
            }
        }
        Ok(Self::new(texts))
    }

    /// A tree from paths and texts.
    pub fn new(mut texts: Vec<(String, String)>) -> Self {
        texts.sort();
        texts.dedup();
        let rust = texts.iter().filter(|(path, _)| path.ends_with(".rs"));
        let sources = rust.map(|(path, text)| Source::new(path, text)).collect();
        Self { texts, sources }
    }

    /// A tree of one file, for the rules' own tests.
    #[cfg(test)]
    pub fn of(path: &str, text: &str) -> Self {
        Self::new(vec![(path.to_owned(), text.to_owned())])
    }

    /// The text of the file at `path`.
    pub fn text(&self, path: &str) -> Option<&str> {
        self.texts.iter().find(|(other, _)| other == path).map(|(_, text)| text.as_str())
    }
}
