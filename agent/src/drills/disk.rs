//! The fault `disk`: a file system is full, by one file of a known name.

use super::fault::{Cannot, Fault};
use super::tools::Tools;
use crate::kind::Listed;
use model::{Failure, HostPath, Problem, Repair};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// A file system is full but for a margin. `disk = "/var/lib/app"` is short for `disk = { path = "/var/lib/app" }`. One file does it, `.keel-drill` in that
/// directory: to remove it is to take the fault back.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Disk {
    /// A directory of the file system.
    path: HostPath,
    /// What is left, such as `64M`; of the file system with Evenkeel's own state 16M at least.
    #[serde(default = "usual")]
    leave: String,
}

/// The file.
#[derive(Debug, Serialize, Deserialize)]
pub struct Note {
    path: PathBuf,
    bytes: u64,
    /// Where its file system is mounted, but for one that is always there, or is gone after a boot.
    #[serde(default)]
    mount: Option<PathBuf>,
}

fn usual() -> String {
    "64M".to_owned()
}

const MEGABYTE: u64 = 1 << 20;

impl Disk {
    /// In bytes.
    fn leave(&self) -> Option<u64> {
        let (number, factor) = match self.leave.strip_suffix('M') {
            Some(number) => (number, MEGABYTE),
            None => (self.leave.strip_suffix('G')?, 1024 * MEGABYTE),
        };
        number.parse::<u64>().ok()?.checked_mul(factor).filter(|bytes| *bytes > 0)
    }
}

impl Listed for Disk {
    const NAME: &'static str = "disk";
    const SHORT: &'static str = "path";
    const EXAMPLE: &'static str = "[drill.disk-full]\ndisk   = { path = \"/var/lib\", leave = \"64M\" }\nsees   = \"room-is-left\"\nseen   = \"10s\"\nrepair = \"undo\"\nwithin = \"10s\"\n\n[check.room-is-left]\ncommand = [\"sh\", \"-c\", \"test $(df --output=avail / | tail -1) -gt 1000000\"]\n";

    fn problems(&self) -> Vec<Problem> {
        match self.leave() {
            Some(_) => Vec::new(),
            None => vec![
                Problem::at("leave", format!("`{}` is no size", self.leave))
                    .help("write a whole number with M or G, such as \"64M\""),
            ],
        }
    }
}

impl Fault for Disk {
    const REPAIR: Repair = Repair::Undo;
    type Note = Note;

    fn prepare(&self, tools: &dyn Tools) -> Result<Note, Cannot> {
        let dir = PathBuf::from(self.path.to_string());
        let (room, leave) = (tools.room(&dir)?, self.leave().unwrap_or(64 * MEGABYTE));
        if room.has_state && leave < 16 * MEGABYTE {
            let why = format!("the state of this host is on the file system of {}", self.path);
            return Err(Failure::refused(why, "leave = \"16M\" at least").into());
        }
        let bytes = room.free.saturating_sub(leave);
        if bytes == 0 {
            let why = format!("{} has no more than {} free already", self.path, self.leave);
            return Err(Failure::refused(why, "leave less").into());
        }
        if room.memory.is_some_and(|memory| bytes > memory / 4) {
            let why = format!("{} is in memory, of which that would take too much", self.path);
            return Err(Cannot::Here(why));
        }
        let path = dir.join(".keel-drill");
        match tools.size(&path) {
            Err(Failure::Missing { .. }) => {}
            Err(failure) => return Err(failure.into()),
            // Nobody could tell it from ours.
            Ok(_) => {
                let why = format!("{} is there already", path.display());
                return Err(Failure::refused(why, "remove it").into());
            }
        }
        let mount = if room.memory.is_some() { None } else { tools.mounted_at(&dir)? };
        Ok(Note { path, bytes, mount })
    }

    fn inject(&self, Note { path, bytes, .. }: &Note, tools: &dyn Tools) -> Result<String, Cannot> {
        tools.fill(path, *bytes)?;
        Ok(format!("{} takes {} MB; {} are left", path.display(), bytes / MEGABYTE, self.leave))
    }

    fn undo(Note { path, mount, .. }: &Note, tools: &dyn Tools) -> Result<String, Failure> {
        // It is still there when the file system is, as after a boot that does not wait for it.
        if let (Some(mount), Some(dir)) = (mount, path.parent())
            && tools.mounted_at(dir)?.as_ref() != Some(mount)
        {
            return Err(Failure::unknown(
                path.display().to_string(),
                format!("{} is not mounted", mount.display()),
            ));
        }
        Ok(if tools.remove(path)? { format!("{} is gone", path.display()) } else { String::new() })
    }
}
