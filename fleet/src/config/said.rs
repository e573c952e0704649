//! The lines of a configuration that count for one host, each with its place, and what their arguments mean by themselves. The first line
//! of a keyword is the one that counts. Next: `resolve`.

use super::words;
use crate::trouble::Trouble;
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A line of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) file: PathBuf,
    /// From 1.
    pub(super) line: usize,
}

/// Whose file it is: distributions switch things on for everybody that nobody asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    User,
    System,
}

/// One line behind its keyword.
#[derive(Clone, Debug)]
pub(super) struct Said {
    pub(super) place: Place,
    pub(super) owner: Owner,
    /// As it is spelled in messages.
    pub(super) keyword: String,
    pub(super) rest: String,
    /// How many lines were before it.
    pub(super) rank: usize,
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Sayings {
    lines: BTreeMap<String, Vec<Said>>,
    count: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file.display(), self.line)
    }
}

impl Place {
    pub(super) fn new(file: &Path, line: usize) -> Self {
        Self { file: file.to_owned(), line }
    }

    pub(super) fn wrong(&self, what: impl fmt::Display) -> Trouble {
        Trouble::Here(format!("{self}: {what}"))
    }
}

impl Sayings {
    pub(super) fn add(&mut self, keyword: String, rest: &str, place: Place, owner: Owner) {
        let said = Said { place, owner, keyword: keyword.clone(), rest: rest.to_owned(), rank: self.count };
        self.count += 1;
        self.lines.entry(keyword).or_default().push(said);
    }

    /// The line that counts; `keyword` in small letters.
    pub(super) fn first(&self, keyword: &str) -> Option<&Said> {
        self.all(keyword).first()
    }

    /// All lines of a keyword, for those that add up.
    pub(super) fn all(&self, keyword: &str) -> &[Said] {
        self.lines.get(keyword).map_or(&[], Vec::as_slice)
    }
}

impl Said {
    pub(super) fn wrong(&self, expected: &str) -> Trouble {
        self.place.wrong(format_args!("`{} {}` is wrong: write {expected}", self.keyword, self.rest))
    }

    /// All arguments, at least one.
    pub(super) fn words(&self) -> Result<Vec<String>, Trouble> {
        let words = words::arguments(&self.rest).map_err(|why| self.place.wrong(why))?;
        if words.iter().any(String::is_empty) || words.is_empty() {
            return Err(self.wrong("a value behind it"));
        }
        Ok(words)
    }

    /// The only argument.
    pub(super) fn word(&self) -> Result<String, Trouble> {
        let mut words = self.words()?;
        match words.pop() {
            Some(word) if words.is_empty() => Ok(word),
            _ => Err(self.wrong("one value, in quotes if there are blanks in it")),
        }
    }

    /// `yes` or `no`.
    pub(super) fn is_yes(&self) -> Result<bool, Trouble> {
        match self.word()?.to_ascii_lowercase().as_str() {
            "yes" | "true" => Ok(true),
            "no" | "false" => Ok(false),
            _ => Err(self.wrong("`yes` or `no`")),
        }
    }

    pub(super) fn number<N: std::str::FromStr>(&self) -> Result<N, Trouble> {
        self.word()?.parse().map_err(|_| self.wrong("a number"))
    }

    /// A time as sshd_config(5) has it: seconds, or numbers with `s`, `m`, `h`, `d` or `w` behind them, added up. `None` for `none`.
    pub(super) fn time(&self) -> Result<Option<Duration>, Trouble> {
        let word = self.word()?;
        if word.eq_ignore_ascii_case("none") {
            return Ok(None);
        }
        let seconds = seconds(&word).ok_or_else(|| self.wrong("seconds, or a time such as `1m30s`"))?;
        Ok(Some(Duration::from_secs(seconds.into())))
    }
}

/// Up to what ssh takes itself, 2^31 - 1.
fn seconds(word: &str) -> Option<u32> {
    let (mut total, mut rest) = (0_u32, word);
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let number: u32 = rest[..digits].parse().ok()?;
        let mut behind = rest[digits..].chars();
        let factor = match behind.next() {
            None | Some('s' | 'S') => 1,
            Some('m' | 'M') => 60,
            Some('h' | 'H') => 3600,
            Some('d' | 'D') => 86_400,
            Some('w' | 'W') => 604_800,
            Some(_) => return None,
        };
        total = total.checked_add(number.checked_mul(factor)?)?;
        rest = behind.as_str();
    }
    Some(total).filter(|total| !word.is_empty() && i32::try_from(*total).is_ok())
}

#[cfg(test)]
mod tests {
    use super::seconds;

    #[test]
    fn times_add_up() {
        for (word, expected) in [
            ("0", Some(0)),
            ("90", Some(90)),
            ("1m30", Some(90)),
            ("1H2m3S", Some(3723)),
            ("1w1d", Some(691_200)),
            ("2147483648", None),
            ("9999999w", None),
            ("m", None),
            ("1x", None),
            ("-1", None),
            ("", None),
        ] {
            assert_eq!(seconds(word), expected, "{word}");
        }
    }
}
