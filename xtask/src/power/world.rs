//! The managed part of the guest's disk: how it begins, and how it is to be.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use anyhow::{Context, Result};

use crate::cmd;

/// How many of each sort.
const MANY: usize = 8;
/// Large enough for several blocks of a file system.
const LINES: usize = 300;

/// What stands at each path below the managed directory, in the words of the guest's `look`.
pub type Tree = BTreeMap<String, String>;

/// What is managed.
#[derive(Debug, Default)]
pub struct World {
    /// At the beginning.
    pub start: Tree,
    /// As it is to be.
    pub goal: Tree,
    /// The resources that say so.
    pub site: String,
    bytes: BTreeMap<String, Vec<u8>>,
}

impl World {
    /// Files that are new, replaced, edited and removed, directories with a file in them, and links.
    pub fn new() -> Result<Self> {
        let mut world = Self::default();
        for at in 0..MANY {
            let (old, new) = (text("old", at), text("new", at));
            world.is_there(&format!("replaced{at}"), &old)?;
            world.is_there(&format!("edited{at}"), &old)?;
            world.is_there(&format!("removed{at}"), &old)?;
            for name in [format!("made{at}"), format!("replaced{at}"), format!("dir{at}/made")] {
                let content = format!("content = \"\"\"\n{new}\"\"\"\nmode = \"0640\"");
                world.declare("file", &name, &content);
                world.becomes(&name, &new)?;
            }
            world.declare("file", &format!("removed{at}"), "ensure = \"absent\"");
            world.declare("directory", &format!("dir{at}"), "mode = \"0750\"");
            world.goal.insert(format!("./dir{at}"), "dir -".to_owned());
            world.declare("symlink", &format!("link{at}"), &format!("target = \"made{at}\""));
            world.goal.insert(format!("./link{at}"), format!("link made{at}"));
            let line = format!("a line of ours, the {at}th");
            writeln!(world.site, "[line.edit{at}]\npath = \"/mnt/host/edited{at}\"\nline = \"{line}\"\n")?;
            world.becomes(&format!("edited{at}"), &format!("{old}{line}\n"))?;
        }
        Ok(world)
    }

    /// A disk image with the beginning on it, at `path`.
    pub fn disk(&self, path: &Path) -> Result<()> {
        let tree = path.with_extension("tree");
        fs::create_dir_all(tree.join("host"))?;
        for (name, bytes) in &self.bytes {
            fs::write(tree.join("host").join(name), bytes)?;
        }
        symlink("nowhere", tree.join("host/foreign"))?;
        let image = path.to_str().context("a path of ours is UTF-8")?;
        cmd::quiet(&mut cmd::command(&["truncate", "--size=96M", image]))?;
        cmd::quiet(cmd::command(&["mkfs.ext4", "-q", "-F", "-d"]).arg(&tree).arg(path))?;
        Ok(())
    }

    fn is_there(&mut self, name: &str, text: &str) -> Result<()> {
        self.start.insert(format!("./{name}"), file(text)?);
        self.bytes.insert(name.to_owned(), text.as_bytes().to_vec());
        Ok(())
    }

    fn becomes(&mut self, name: &str, text: &str) -> Result<()> {
        self.goal.insert(format!("./{name}"), file(text)?);
        Ok(())
    }

    fn declare(&mut self, kind: &str, name: &str, keys: &str) {
        self.site.push_str(&format!("[{kind}.\"/mnt/host/{name}\"]\n{keys}\n\n"));
    }
}

fn text(word: &str, at: usize) -> String {
    (0..LINES).map(|line| format!("{word} {at} {line}\n")).collect()
}

fn file(text: &str) -> Result<String> {
    use std::io::Write as _;
    use std::process::Stdio;
    let mut sum = cmd::command(&["sha256sum"]);
    let mut child =
        sum.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().context("cannot start sha256sum")?;
    child.stdin.take().context("it has an input")?.write_all(text.as_bytes())?;
    let said = child.wait_with_output()?;
    let digest = String::from_utf8(said.stdout)?;
    Ok(format!("file {}", digest.split(' ').next().unwrap_or_default()))
}
