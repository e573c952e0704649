//! All agents that lie beside `keel`. They are read and hashed in a thread of their own, while connections are made.

use crate::agents::agent::Agent;
use crate::agents::machine;
use crate::trouble::Trouble;
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::thread;

/// What the file name of an agent begins with; the machine follows.
const PREFIX: &str = "keel-agent-";

/// The agents for each machine.
pub struct Agents {
    directory: PathBuf,
    found: Arc<OnceLock<Result<Vec<Agent>, String>>>,
}

impl Agents {
    /// The files `keel-agent-<machine>` of `directory`, the machine as `uname -m` names it. Reading them begins at once, in a
    /// thread of its own.
    pub fn beside(directory: &Path) -> Self {
        let found = Arc::new(OnceLock::new());
        let (theirs, place) = (found.clone(), directory.to_owned());
        thread::spawn(move || {
            theirs.get_or_init(|| read(&place));
        });
        Self { directory: directory.to_owned(), found }
    }

    /// Looks whether there are any, without waiting until they have been read: what is amiss here is said before a host is connected to.
    ///
    /// # Errors
    /// There is none, or the directory cannot be read.
    pub fn look(&self) -> Result<(), Trouble> {
        match named(&self.directory) {
            Ok(named) if named.is_empty() => Err(self.none()),
            Ok(_) => Ok(()),
            Err(because) => Err(Trouble::Here(because)),
        }
    }

    fn none(&self) -> Trouble {
        Trouble::Here(format!(
            "there is no agent to put on hosts: no file keel-agent-<machine>, such as keel-agent-x86_64, in {}",
            self.directory.display()
        ))
    }

    /// All of them, in the order of their machines; waits until they have been read.
    ///
    /// # Errors
    /// One cannot be read, or is not what its name says; or there is none at all.
    pub fn all(&self) -> Result<&[Agent], Trouble> {
        let found = self.found.get_or_init(|| read(&self.directory));
        let agents = found.as_deref().map_err(|because| Trouble::Here(because.clone()))?;
        if agents.is_empty() { Err(self.none()) } else { Ok(agents) }
    }
}

fn read(directory: &Path) -> Result<Vec<Agent>, String> {
    let agent = |(arch, path): (String, PathBuf)| {
        let program = fs::read(&path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
        machine::check(&program, &arch)
            .map_err(|why| format!("{} is no agent for {arch}: {why}", path.display()))?;
        Ok(Agent::new(arch, program))
    };
    named(directory)?.into_iter().map(agent).collect()
}

/// The machines that there are files for, and the files.
fn named(directory: &Path) -> Result<BTreeMap<String, PathBuf>, String> {
    let cannot = |error: io::Error| format!("cannot read {}: {error}", directory.display());
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(directory).map_err(cannot)? {
        let path = entry.map_err(cannot)?.path();
        let name = path.file_name().and_then(|name| name.to_str());
        // Cargo leaves `keel-agent-<machine>.d` and the like beside a program.
        let arch = name.and_then(|name| name.strip_prefix(PREFIX)).filter(|arch| is_machine(arch));
        if let Some(arch) = arch.map(str::to_owned) {
            found.insert(arch, path);
        }
    }
    Ok(found)
}

/// It becomes an argument of a command: nothing but letters, digits and `_`.
fn is_machine(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

#[expect(clippy::disallowed_methods, reason = "makes scratch files")]
#[cfg(test)]
mod tests {
    use super::Agents;

    #[test]
    fn that_there_is_none_is_known_before_any_is_read() {
        let scratch = tempfile::tempdir().unwrap();
        let beside = || Agents::beside(scratch.path()).look().map_err(|trouble| trouble.to_string());
        std::fs::write(scratch.path().join("keel-agent-x86_64.d"), "").unwrap();
        assert!(beside().unwrap_err().starts_with("there is no agent to put on hosts: "));
        std::fs::write(scratch.path().join("keel-agent-x86_64"), "").unwrap();
        assert_eq!(beside(), Ok(()));
        assert!(Agents::beside(&scratch.path().join("gone")).look().is_err());
    }
}
