//! The format of the state directory, in its file `version`: a number and a newline. What a newer Evenkeel wrote is refused before
//! anything of it is read or changed; an older format is read as it is, and only then called the present one.

use super::StateDir;
use model::Failure;

/// The format that is written here. It grows when an older agent would misread what a newer one wrote.
const VERSION: u64 = 1;

const NAME: &str = "version";

impl StateDir {
    /// Refuses a format that is not known here. A directory without a version is of the first format, which had no such file.
    pub(super) fn understood(&self) -> Result<Option<u64>, Failure> {
        let Some(bytes) = self.read(NAME)? else { return Ok(None) };
        let place = self.root().display();
        let told = str::from_utf8(&bytes).ok().and_then(|text| text.trim_end().parse().ok());
        match told {
            Some(version) if version > VERSION => Err(Failure::refused(
                format!(
                    "{place} was written by a newer Evenkeel, in format {version}; this one knows {VERSION}"
                ),
                "use that version or a newer one for this host",
            )),
            Some(version) => Ok(Some(version)),
            None => Err(Failure::refused(
                format!("{place}/{NAME} is damaged, so the format of what lies beside it is unknown"),
                format!("where no newer Evenkeel has worked on this host, write {VERSION} into it"),
            )),
        }
    }

    /// Writes the version down, where it is another one or none.
    pub(super) fn sign(&self) -> Result<(), Failure> {
        match self.understood()? {
            Some(VERSION) => Ok(()),
            _ => self.write(NAME, format!("{VERSION}\n").as_bytes()),
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "plays another version in a scratch directory")]
#[cfg(test)]
mod tests {
    use super::StateDir;
    use std::fs::{read_to_string, remove_file, write};

    #[test]
    fn a_newer_or_damaged_format_is_refused_and_an_older_one_taken_over() {
        let scratch = tempfile::tempdir().unwrap();
        let state = StateDir::new(scratch.path().join("state"));
        assert_eq!(state.numbers().unwrap(), [0; 0], "a host without any state");
        state.make().unwrap();
        let version = state.root().join("version");
        assert_eq!(read_to_string(&version).unwrap(), "1\n");
        for (text, why) in [("2\n", "a newer Evenkeel, in format 2"), ("", "damaged"), ("\0\0", "damaged")] {
            write(&version, text).unwrap();
            let refused = state.make().unwrap_err().to_string();
            assert!(refused.contains(why), "{refused}");
            assert_eq!(state.numbers().unwrap_err().to_string(), refused, "not read either");
            assert_eq!(read_to_string(&version).unwrap(), text, "nothing is changed");
        }
        for older in ["", "0\n"] {
            if older.is_empty() {
                remove_file(&version).unwrap()
            } else {
                write(&version, older).unwrap()
            }
            assert_eq!(state.numbers().unwrap(), [0; 0]);
            state.make().unwrap();
            assert_eq!(read_to_string(&version).unwrap(), "1\n");
        }
    }
}
