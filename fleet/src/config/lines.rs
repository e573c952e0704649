//! The lines of a configuration that name files: keys, the agent's socket, known_hosts. It looks at keys only to tell who can use
//! them.

use super::asked::Overrides;
use super::expand::{self, Stop, Tokens};
use super::key_file;
use super::said::{Said, Sayings};
use crate::trouble::Trouble;
use std::path::{Path, PathBuf};

/// What was said of one host, and what only the system's `ssh` can do of it.
pub(super) struct Lines<'a> {
    pub(super) said: &'a Overrides,
    pub(super) sayings: &'a Sayings,
    pub(super) tokens: &'a Tokens<'a>,
    pub(super) beyond: Vec<String>,
}

impl Lines<'_> {
    /// Those that were asked for, then those of the configuration, else those that ssh looks for and that are there.
    pub(super) fn identities(&mut self) -> Result<Vec<PathBuf>, Trouble> {
        let home = &self.tokens.surroundings.home;
        let mut found: Vec<PathBuf> =
            self.said.identities.iter().map(|path| below_home(path, home)).collect();
        let lines = self.sayings.all("identityfile");
        for line in lines {
            let word = line.word()?;
            if !word.eq_ignore_ascii_case("none") {
                found.extend(self.path(&word, line)?);
            }
        }
        if found.is_empty() && lines.is_empty() {
            return self.usual_identities();
        }
        let mut identities: Vec<PathBuf> = Vec::new();
        for path in found {
            if !identities.contains(&path) {
                self.beyond
                    .extend(key_file::needs_openssh(&path).map_err(|error| unreadable(&path, &error))?);
                identities.push(path);
            }
        }
        Ok(identities)
    }

    /// A key in a token is asked for only where there is no other.
    fn usual_identities(&mut self) -> Result<Vec<PathBuf>, Trouble> {
        let there = |names: &[&str]| {
            let paths = names.iter().map(|name| self.tokens.surroundings.home.join(".ssh").join(name));
            let mut found = Vec::new();
            for path in paths {
                if path.try_exists().map_err(|error| unreadable(&path, &error))? {
                    found.push(path);
                }
            }
            Ok(found)
        };
        let identities = match there(&["id_rsa", "id_ecdsa", "id_ed25519"])? {
            none if none.is_empty() => there(&["id_ecdsa_sk", "id_ed25519_sk"])?,
            some => some,
        };
        for path in &identities {
            self.beyond.extend(key_file::needs_openssh(path).map_err(|error| unreadable(path, &error))?);
        }
        Ok(identities)
    }

    pub(super) fn agent(&mut self) -> Result<Option<PathBuf>, Trouble> {
        let variables = &self.tokens.surroundings.variables;
        let variable = |name: &str| variables.get(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let Some(line) = self.sayings.first("identityagent") else { return Ok(variable("SSH_AUTH_SOCK")) };
        let word = line.word()?;
        match word.strip_prefix('$') {
            _ if word == "none" => Ok(None),
            _ if word == "SSH_AUTH_SOCK" => Ok(variable(&word)),
            Some(name) if !name.starts_with('{') => Ok(variable(name)),
            _ => self.path(&word, line),
        }
    }

    pub(super) fn known_hosts(&mut self) -> Result<Vec<PathBuf>, Trouble> {
        let mut files = Vec::new();
        for (keyword, usual) in [
            ("userknownhostsfile", ["~/.ssh/known_hosts", "~/.ssh/known_hosts2"]),
            ("globalknownhostsfile", ["/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2"]),
        ] {
            let Some(line) = self.sayings.first(keyword) else {
                let home = &self.tokens.surroundings.home;
                files.extend(usual.iter().map(|path| below_home(Path::new(path), home)));
                continue;
            };
            for word in &line.words()? {
                // New keys go to the first file: without one of the user's they go nowhere, and not to the system's.
                let word = if word.eq_ignore_ascii_case("none") { "/dev/null" } else { word };
                files.extend(self.path(word, line)?);
            }
        }
        Ok(files)
    }

    /// `None` where only ssh itself can tell.
    fn path(&mut self, word: &str, line: &Said) -> Result<Option<PathBuf>, Trouble> {
        match expand::path(word, self.tokens) {
            Ok(path) => Ok(Some(path)),
            Err(Stop::Beyond(what)) => {
                self.beyond.push(format!("{what} ({})", line.place));
                Ok(None)
            }
            Err(stop) => Err(stop.of(line)),
        }
    }
}

/// `~/` is the only thing that stands for something in a path from elsewhere than ssh_config(5).
pub(super) fn below_home(path: &Path, home: &Path) -> PathBuf {
    path.strip_prefix("~").map_or_else(|_| path.to_owned(), |rest| home.join(rest))
}

fn unreadable(path: &Path, error: &std::io::Error) -> Trouble {
    Trouble::Here(format!("{}: cannot be read: {error}", path.display()))
}
