//! fstab(5): its lines, one of them changed and all others left as they are. Pure.

use crate::system::{escaped, unescaped};
use std::fmt;

/// Where it is.
pub const FSTAB: &str = "/etc/fstab";

/// One line that says what to mount.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// What, as it is written: a device, `UUID=…`, a word.
    pub source: String,
    /// Where.
    pub at: String,
    /// Type of the file system.
    pub fs: String,
    /// Options with commas.
    pub options: String,
    /// For dump(8).
    pub dump: u32,
    /// In which turn fsck(8) looks at it.
    pub pass: u32,
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [source, at, fs, options] =
            [&self.source, &self.at, &self.fs, &self.options].map(|field| escaped(field));
        write!(f, "{source} {at} {fs} {options} {} {}", self.dump, self.pass)
    }
}

/// `None` for a comment, an empty line, and one that cannot be read.
pub fn line(text: &str) -> Option<Line> {
    let mut fields = text.split_ascii_whitespace();
    let source = fields.next().filter(|first| !first.starts_with('#'))?;
    let (at, fs) = (fields.next()?, fields.next()?);
    let at = unescaped(at);
    Some(Line {
        source: unescaped(source),
        at: if at.len() > 1 { at.trim_end_matches('/').to_owned() } else { at },
        fs: fs.to_owned(),
        options: unescaped(fields.next().unwrap_or("defaults")),
        dump: fields.next().map_or(Some(0), |it| it.parse().ok())?,
        pass: fields.next().map_or(Some(0), |it| it.parse().ok())?,
    })
}

/// The lines about a place.
pub fn about(text: &str, at: &str) -> Vec<Line> {
    text.lines().filter_map(line).filter(|line| line.at == at).collect()
}

/// The text with `wanted` as the only line about `at`, or with none: in the place of the first one, else at the end.
pub fn with(text: &str, at: &str, wanted: Option<&Line>) -> String {
    let mut out = String::with_capacity(text.len() + 80);
    let mut wanted = wanted.map(|line| format!("{line}\n"));
    for old in text.split_inclusive('\n') {
        if line(old).is_some_and(|line| line.at == at) {
            out.push_str(&wanted.take().unwrap_or_default());
        } else {
            out.push_str(old);
        }
    }
    if let Some(line) = wanted {
        if !out.is_empty() && !out.ends_with('\n') {
            out.push('\n');
        }
        out.push_str(&line);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{about, line, with};

    const TEXT: &str = "# static\nUUID=1 / ext4 errors=remount-ro 0 1\n\n/dev/sdb1\t/srv/a\\040b/ ext4 noatime\n# /srv/c\nbad";

    #[test]
    fn other_lines_stay_as_they_are() {
        let mut wanted = about(TEXT, "/srv/a b").remove(0);
        assert_eq!((wanted.options.as_str(), wanted.pass), ("noatime", 0));
        wanted.options = "ro".to_owned();
        let changed = with(TEXT, "/srv/a b", Some(&wanted));
        assert_eq!(
            changed,
            TEXT.replace("/dev/sdb1\t/srv/a\\040b/ ext4 noatime", "/dev/sdb1 /srv/a\\040b ext4 ro 0 0")
        );
        assert_eq!(with(TEXT, "/srv/a b", None), TEXT.replace("/dev/sdb1\t/srv/a\\040b/ ext4 noatime\n", ""));
        wanted.at = "/srv/c".to_owned();
        assert_eq!(with(TEXT, "/srv/c", Some(&wanted)), format!("{TEXT}\n/dev/sdb1 /srv/c ext4 ro 0 0\n"));
    }

    #[test]
    fn what_is_written_is_read() {
        let wanted = line("a\\134b /x\\011y fuse.z rw,x=\\040 1 2").unwrap();
        assert_eq!((wanted.source.as_str(), wanted.at.as_str()), ("a\\b", "/x\ty"));
        assert_eq!(line(&wanted.to_string()), Some(wanted));
        for bad in ["", "#a b c", "a b", "a b c d e f"] {
            assert_eq!(line(bad), None, "{bad}");
        }
    }
}
