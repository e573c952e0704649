//! Whose turn it is to drill: one call at a time from here, or two hosts could have a fault at once. A lock that dies with its process.

use super::lost::state;
use anyhow::{Context as _, bail};
use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};

/// Whose turn it is.
pub enum Turn {
    /// Ours, for as long as this is kept.
    Ours(#[expect(dead_code, reason = "holds the lock")] File),
    /// Somebody else's, in words.
    Theirs(String),
}

impl Turn {
    /// Takes it, to drill `target`.
    ///
    /// Errors where it cannot be told whose it is.
    pub fn take(target: &str) -> anyhow::Result<Self> {
        let Some(dir) = state() else {
            bail!("neither XDG_STATE_HOME nor HOME is set: whether another drill goes on cannot be told");
        };
        let path = dir.join("drill.lock");
        let failed = || format!("{} cannot be locked", path.display());
        DirBuilder::new().recursive(true).mode(0o700).create(&dir).with_context(failed)?;
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o600);
        let mut file = options.open(&path).with_context(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut who = String::new();
                file.read_to_string(&mut who).with_context(failed)?;
                return Ok(Self::Theirs(who));
            }
            Err(TryLockError::Error(error)) => return Err(error).with_context(failed),
        }
        file.set_len(0).with_context(failed)?;
        write!(file, "`keel drill {target}`, process {}", std::process::id()).with_context(failed)?;
        Ok(Self::Ours(file))
    }
}
