//! The hidden commands by which a program is started on a host when nobody is there to ask: at boot, and to watch over a run. It must
//! not be told anything else on the command line: what is to be done stands in the host's state.

use super::{boot, drill, watcher};
use crate::state::StateDir;
use model::Failure;
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// What a program was started for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Role {
    /// `boot STATE`: go on with what the end of the machine's last uptime interrupted.
    Boot {
        /// The state directory.
        state: PathBuf,
    },
    /// `drill STATE`: take back the fault of a drill when its time is over.
    Drill {
        /// The state directory.
        state: PathBuf,
    },
    /// `watch RUN STATE`: unwind the run unless it is confirmed in time.
    Watch {
        /// The run.
        run: u64,
        /// The state directory.
        state: PathBuf,
    },
}

impl Role {
    /// The role that a command line (with the program's name) asks for. To be asked first in `main`.
    pub fn of(arguments: impl IntoIterator<Item = OsString>) -> Option<Self> {
        let words: Vec<OsString> = arguments.into_iter().skip(1).take(4).collect();
        // A directory is always told from its root: `keel boot` could be somebody's mistake.
        let state = |word: &OsString| Some(PathBuf::from(word)).filter(|path| path.is_absolute());
        match &words[..] {
            [word, dir] if word == "boot" => Some(Self::Boot { state: state(dir)? }),
            [word, dir] if word == "drill" => Some(Self::Drill { state: state(dir)? }),
            [word, run, dir] if word == "watch" => {
                Some(Self::Watch { run: run.to_str()?.parse().ok()?, state: state(dir)? })
            }
            _ => None,
        }
    }

    /// The command line that asks `program` to play it.
    pub fn argv(&self, program: &Path) -> Vec<OsString> {
        let (words, state) = match self {
            Self::Boot { state } => (vec!["boot".into()], state),
            Self::Drill { state } => (vec!["drill".into()], state),
            Self::Watch { run, state } => (vec!["watch".into(), run.to_string().into()], state),
        };
        [program.into()].into_iter().chain(words).chain([state.into()]).collect()
    }

    /// Plays it, to its end.
    ///
    /// # Errors
    /// What could not be done; the state says so as well, where it is about a run.
    pub fn play(&self) -> Result<(), Failure> {
        match self {
            Self::Boot { state } => boot::play(&StateDir::new(state)),
            Self::Drill { state } => drill::play(&StateDir::new(state)),
            Self::Watch { run, state } => watcher::play(*run, &StateDir::new(state)),
        }
    }
}

/// One word of a command line in a unit file (systemd.service(5), "Command lines"): quoted, with nothing in it that is replaced. `None` for
/// what no unit file can say.
pub fn quoted(word: &std::ffi::OsStr) -> Option<String> {
    let text = std::str::from_utf8(word.as_bytes()).ok().filter(|text| !text.contains(char::is_control))?;
    let escaped = text.replace('\\', "\\\\").replace('"', "\\\"").replace('%', "%%").replace('$', "$$");
    Some(format!("\"{escaped}\""))
}

#[cfg(test)]
mod tests {
    use super::{Role, quoted};
    use std::path::Path;

    fn of(words: &[&str]) -> Option<Role> {
        Role::of(words.iter().map(Into::into))
    }

    #[test]
    fn a_role_is_what_its_command_line_says() {
        for role in [
            Role::Boot { state: "/s".into() },
            Role::Drill { state: "/s".into() },
            Role::Watch { run: 7, state: "/s".into() },
        ] {
            assert_eq!(Role::of(role.argv(Path::new("/bin/keel"))), Some(role));
        }
    }

    #[test]
    fn nothing_else_is_a_role() {
        for no in [
            &["keel"][..],
            &["keel", "boot"],
            &["keel", "boot", "state"],
            &["keel", "boot", "/s", "x"],
            &["keel", "watch", "/s"],
            &["keel", "watch", "x", "/s"],
            &["keel", "watch", "1", "/s", "x"],
            &["boot", "/s"],
        ] {
            assert_eq!(of(no), None, "{no:?}");
        }
    }

    #[test]
    fn nothing_in_a_quoted_word_is_replaced() {
        let quote = |text: &str| quoted(text.as_ref());
        assert_eq!(quote("/a b").unwrap(), r#""/a b""#);
        assert_eq!(quote(r#"/%h/$x/"\"#).unwrap(), r#""/%%h/$$x/\"\\""#);
        assert_eq!(quote("/a\nExecStart=/bin/sh"), None);
    }
}
