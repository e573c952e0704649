//! The files, the resources that describe them, and a state of their own.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A directory that goes away with it.
pub struct Scene {
    root: TempDir,
}

impl Scene {
    /// Writes a file of resources for `files` files of `size` bytes.
    pub fn make(files: usize, size: usize) -> anyhow::Result<Self> {
        let scene = Self { root: tempfile::tempdir()? };
        std::fs::create_dir(scene.tree())?;
        let mut text = String::new();
        for number in 0..files {
            let mut content = format!("# file {number}\\n");
            // An escaped newline is one byte of content.
            while content.len() - content.matches("\\n").count() < size {
                let left = size - (content.len() - content.matches("\\n").count());
                content.push_str(&"x".repeat(left.min(64) - 1));
                content.push_str("\\n");
            }
            let path = scene.tree().join(format!("f{number:05}"));
            writeln!(text, "[file.{:?}]\ncontent = \"{content}\"", path.display().to_string())?;
        }
        #[expect(clippy::disallowed_methods, reason = "the benchmark's own files")]
        std::fs::write(scene.resources(), text)?;
        Ok(scene)
    }

    /// Where the files are.
    pub fn tree(&self) -> PathBuf {
        self.root.path().join("tree")
    }

    fn resources(&self) -> PathBuf {
        self.root.path().join("site.toml")
    }

    /// The no-op run, once the first has made the files.
    pub fn keel(&self, program: &Path) -> Vec<OsString> {
        let state = self.root.path().join("state");
        let words = ["apply", "--yes", "--local", "-f"].map(OsString::from);
        let mut argv = vec![program.as_os_str().to_owned()];
        argv.extend(words);
        argv.extend([self.resources().into(), "--state-dir".into(), state.into()]);
        argv
    }
}
