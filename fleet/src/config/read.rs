//! Reads the configuration of ssh for one host: files, `Include`, `Host` and `Match`, into the lines that count. It gives them no meaning, save
//! the two that `Match` looks at. Next: `resolve`.

use super::expand::host_name;
use super::glob;
use super::matching::{Pass, Subject, Verdict, criteria, judge, want_final_pass};
use super::said::{Owner, Place, Said, Sayings};
use super::surroundings::{SshFiles, Surroundings};
use super::words;
use super::{asked::Overrides, misspelled};
use crate::pattern;
use crate::trouble::Trouble;
use std::fs::File;
use std::io::{ErrorKind, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// As deep as OpenSSH lets files include others.
const DEPTH: usize = 16;

/// What was read for one host.
pub(super) struct Reading {
    pub(super) sayings: Sayings,
    /// Blocks of which only ssh itself can tell whether they count, such as `Match exec (FILE:LINE)`.
    pub(super) beyond: Vec<String>,
}

/// Reads all that counts for `alias`.
///
/// # Errors
/// `Trouble::Here` with file, line and what to write, or with the file that cannot be read.
pub(super) fn read(
    alias: &str,
    said: &Overrides,
    files: &SshFiles,
    surroundings: &Surroundings,
) -> Result<Reading, Trouble> {
    let reading = Reading { sayings: Sayings::default(), beyond: Vec::new() };
    let mut reader = Reader {
        alias,
        name: alias.to_owned(),
        said,
        surroundings,
        reading,
        pass: Pass::First,
        again: false,
    };
    reader.all(files)?;
    if reader.again {
        reader.pass = Pass::Final;
        reader.name = reader.host()?;
        reader.all(files)?;
    }
    Ok(reader.reading)
}

/// One file, and how it came to be read.
struct Source<'a> {
    path: &'a Path,
    owner: Owner,
    /// It must not be writable by others: whoever writes there decides what we connect to.
    guarded: bool,
    depth: usize,
}

struct Reader<'a> {
    alias: &'a str,
    /// What `Host` looks at.
    name: String,
    said: &'a Overrides,
    surroundings: &'a Surroundings,
    reading: Reading,
    pass: Pass,
    again: bool,
}

impl Reader<'_> {
    fn all(&mut self, files: &SshFiles) -> Result<(), Trouble> {
        let source = |path, owner, guarded| Source { path, owner, guarded, depth: 0 };
        if let Some(path) = &files.instead {
            let there = self.file(&source(path, Owner::User, false))?;
            return if there {
                Ok(())
            } else {
                Err(Trouble::Here(format!("{}: there is no such file", path.display())))
            };
        }
        self.file(&source(&files.user, Owner::User, true))?;
        self.file(&source(&files.system, Owner::System, false))?;
        Ok(())
    }

    /// False where it is not there.
    fn file(&mut self, source: &Source<'_>) -> Result<bool, Trouble> {
        let Some(text) = self.text(source)? else { return Ok(false) };
        let mut active = true;
        for (index, line) in text.lines().enumerate() {
            let Some((keyword, rest)) = words::split(line) else { continue };
            let place = Place::new(source.path, index + 1);
            match keyword.as_str() {
                "host" => active = self.host_block(rest, &place)?,
                "match" => active = self.match_block(rest, &place)?,
                _ if !active => {}
                _ if rest.contains('\u{fffd}') => return Err(place.wrong("this line is not UTF-8")),
                "include" => self.include(rest, &place, source)?,
                _ => self.line(keyword, rest, place, source.owner)?,
            }
        }
        Ok(true)
    }

    fn text(&self, source: &Source<'_>) -> Result<Option<String>, Trouble> {
        let unreadable = |error| Trouble::Here(format!("{}: cannot be read: {error}", source.path.display()));
        let mut file = match File::open(source.path) {
            Ok(file) => file,
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                return Ok(None);
            }
            Err(error) => return Err(unreadable(error)),
        };
        let metadata = file.metadata().map_err(unreadable)?;
        let foreign = metadata.uid() != 0 && metadata.uid() != self.surroundings.uid;
        if source.guarded && (foreign || metadata.mode() & 0o022 != 0) {
            let path = source.path.display();
            return Err(Trouble::Here(format!(
                "{path}: bad owner or permissions: others could say in it where you connect to; `chmod go-w {path}`, and it has to be yours"
            )));
        }
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(unreadable)?;
        Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
    }

    fn host_block(&self, rest: &str, place: &Place) -> Result<bool, Trouble> {
        let patterns = words::arguments(rest).map_err(|why| place.wrong(why))?;
        if patterns.is_empty() {
            return Err(place.wrong("`Host` has no patterns: write `Host *`"));
        }
        Ok(pattern::any(patterns.iter().map(String::as_str), &self.name))
    }

    fn match_block(&mut self, rest: &str, place: &Place) -> Result<bool, Trouble> {
        let criteria = criteria(rest).map_err(|why| place.wrong(why))?;
        self.again |= want_final_pass(&criteria);
        let (host, user) = (self.host()?, self.user()?);
        let local_user = &self.surroundings.user;
        let subject = Subject { original: self.alias, host: &host, user: &user, local_user, pass: self.pass };
        Ok(match judge(&criteria, &subject) {
            Verdict::Yes => true,
            Verdict::No => false,
            Verdict::Beyond(criterion) => {
                self.reading.beyond.push(format!("{criterion} ({place})"));
                false
            }
        })
    }

    /// `HostName` as far as it is said by now.
    fn host(&self) -> Result<String, Trouble> {
        host_name(self.said, self.reading.sayings.first("hostname"), self.alias)
    }

    fn user(&self) -> Result<String, Trouble> {
        let first = self.reading.sayings.first("user").map(Said::word).transpose()?;
        Ok(self.said.user.clone().or(first).unwrap_or_else(|| self.surroundings.user.clone()))
    }

    fn include(&mut self, rest: &str, place: &Place, source: &Source<'_>) -> Result<(), Trouble> {
        if source.depth >= DEPTH {
            return Err(place.wrong("files include each other too deeply"));
        }
        for word in words::arguments(rest).map_err(|why| place.wrong(why))? {
            let pattern =
                self.included(&word, source.owner).ok_or_else(|| place.wrong("write the path in full"))?;
            let paths =
                glob::paths(&pattern).map_err(|error| place.wrong(format_args!("`{word}`: {error}")))?;
            for path in paths {
                let inner = Source { path: &path, guarded: true, depth: source.depth + 1, ..*source };
                self.file(&inner)?;
            }
        }
        Ok(())
    }

    fn included(&self, word: &str, owner: Owner) -> Option<PathBuf> {
        match word.strip_prefix('~') {
            Some(rest) if owner == Owner::User => Some(self.surroundings.home.join(rest.strip_prefix('/')?)),
            Some(_) => None,
            None if owner == Owner::User => Some(self.surroundings.home.join(".ssh").join(word)),
            None => Some(Path::new("/etc/ssh").join(word)),
        }
    }

    fn line(&mut self, keyword: String, rest: &str, place: Place, owner: Owner) -> Result<(), Trouble> {
        if let Some(meant) = misspelled::meant(&keyword) {
            let mut ignored = Vec::new();
            for said in self.reading.sayings.all("ignoreunknown").iter().take(1) {
                ignored.extend(said.words()?.iter().flat_map(|word| word.split(',')).map(str::to_lowercase));
            }
            if !pattern::any(ignored.iter().map(String::as_str), &keyword) {
                return Err(place.wrong(format_args!(
                    "`{keyword}` is no keyword of ssh_config(5): did you mean {meant}?"
                )));
            }
        }
        self.reading.sayings.add(keyword, rest, place, owner);
        Ok(())
    }
}
