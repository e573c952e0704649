//! The fault `file`: a managed file has bytes at its end that do not belong there.

use super::fault::{Cannot, Fault};
use super::tools::{Cut, Tools};
use crate::kind::Listed;
use model::{Failure, HostPath, Problem, Repair};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// A managed file is changed, as by somebody's hand: a line is written to its end. `file = "/etc/motd"` is short for
/// `file = { path = "/etc/motd" }`. Taken back, it is cut off again, where nobody has put another file there since.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// The file.
    path: HostPath,
    /// What is written to its end.
    #[serde(default = "usual")]
    text: String,
}

/// What it was.
#[derive(Debug, Serialize, Deserialize)]
pub struct Note {
    path: PathBuf,
    inode: u64,
    size: u64,
    text: String,
}

fn usual() -> String {
    "# written by a keel drill: it goes away by itself\n".to_owned()
}

impl Listed for File {
    const NAME: &'static str = "file";
    const SHORT: &'static str = "path";
    const EXAMPLE: &'static str = "[drill.motd-is-changed]\nfile   = \"/etc/motd\"\nsees   = \"drift\"\nseen   = \"5s\"\nrepair = \"apply\"\nwithin = \"30s\"\n\n[drill.agent-repairs-motd]\nfile   = \"/etc/motd\"\nrepair = \"agent\"         # sees is \"agent\" then\nwithin = \"10s\"\n";

    fn problems(&self) -> Vec<Problem> {
        if (1..=4096).contains(&self.text.len()) {
            return Vec::new();
        }
        let problem = Problem::at("text", format!("{} bytes are no change to look for", self.text.len()));
        vec![problem.help("write from 1 to 4096 bytes")]
    }
}

impl Fault for File {
    const REPAIR: Repair = Repair::Apply;
    type Note = Note;

    fn prepare(&self, tools: &dyn Tools) -> Result<Note, Cannot> {
        let path = PathBuf::from(self.path.to_string());
        let (size, inode) = tools.size(&path)?;
        Ok(Note { path, inode, size, text: self.text.clone() })
    }

    fn inject(&self, Note { path, inode, text, .. }: &Note, tools: &dyn Tools) -> Result<String, Cannot> {
        tools.append(path, *inode, text)?;
        Ok(format!("{} bytes were written to the end of {}", text.len(), path.display()))
    }

    fn undo(Note { path, inode, size, text }: &Note, tools: &dyn Tools) -> Result<String, Failure> {
        Ok(match tools.cut(path, *inode, *size, text)? {
            Cut::Done => format!("{} has its own end again", path.display()),
            Cut::Nothing => String::new(),
            // What somebody may still be writing to is not written anew.
            Cut::Buried => {
                format!("somebody has written to {} since: what the drill wrote stays in it", path.display())
            }
        })
    }
}
