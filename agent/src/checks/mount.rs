//! The subject `mount`: what is mounted at a path.

use super::ground::Ground;
use super::subject::Subject;
use crate::kind::Listed;
use model::{Failure, HostPath, Problem, Shortfall};
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeSet;

/// A mount, as the host's first process sees it. `mount = "/srv"` is short for `mount = { path = "/srv" }`: something is mounted there.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Mount {
    /// Where.
    path: HostPath,
    /// Whether nothing is mounted there. Then it has no other key.
    #[serde(default)]
    absent: bool,
    /// The type of the file system, such as `ext4`.
    fs: Option<String>,
    /// What is mounted, such as `/dev/vdb1`.
    source: Option<String>,
    /// Options that it has, among others, such as `["ro", "nosuid"]`.
    options: Option<BTreeSet<String>>,
}

/// A line of proc_pid_mountinfo(5).
struct Line<'a> {
    fs: &'a str,
    source: String,
    options: BTreeSet<&'a str>,
}

impl Listed for Mount {
    const NAME: &'static str = "mount";
    const SHORT: &'static str = "path";
    const EXAMPLE: &'static str =
        "[check.data-is-mounted]\nmount = { path = \"/srv\", fs = \"ext4\", options = [\"noatime\"] }\n";

    fn problems(&self) -> Vec<Problem> {
        if self.absent && (self.fs.is_some() || self.source.is_some() || self.options.is_some()) {
            return vec![
                Problem::at("absent", "what is not there has nothing").help("leave one of the two out"),
            ];
        }
        Vec::new()
    }
}

impl Subject for Mount {
    fn look(&self, ground: &Ground<'_>) -> Result<Vec<Shortfall>, Failure> {
        let table = HostPath::new("/proc/1/mountinfo").map_err(|why| Failure::unknown("mounts", why))?;
        let text = ground.system()?.read(&table, 16 << 20)?;
        let text = String::from_utf8_lossy(&text);
        // The last one hides those before it.
        let found = text.lines().filter_map(|text| at(text, &self.path)).next_back();
        let Some(mount) = found else {
            let short = Shortfall::new("mount", "a file system", "nothing is mounted there");
            return Ok(if self.absent { Vec::new() } else { vec![short] });
        };
        if self.absent {
            return Ok(vec![Shortfall::new(
                "mount",
                "nothing",
                format_args!("{} ({})", mount.source, mount.fs),
            )]);
        }
        let mut short = Vec::new();
        for (what, wanted, seen) in [("fs", &self.fs, mount.fs), ("source", &self.source, &mount.source)] {
            if let Some(wanted) = wanted.as_ref().filter(|wanted| *wanted != seen) {
                short.push(Shortfall::new(what, wanted, seen));
            }
        }
        let missing = |option: &&String| !mount.options.contains(option.as_str());
        let missing: Vec<&str> = self.options.iter().flatten().filter(missing).map(String::as_str).collect();
        if !missing.is_empty() {
            let seen: Vec<&str> = mount.options.iter().copied().collect();
            short.push(Shortfall::new("options", missing.join(","), seen.join(",")));
        }
        Ok(short)
    }
}

/// `36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue`, where it is about `path`.
fn at<'a>(line: &'a str, path: &HostPath) -> Option<Line<'a>> {
    let (head, tail) = line.split_once(" - ")?;
    let mut head = head.split(' ').skip(4);
    if unescaped(head.next()?) != path.to_string() {
        return None;
    }
    let mut tail = tail.split(' ');
    let (fs, source) = (tail.next()?, unescaped(tail.next()?));
    let options = head.next()?.split(',').chain(tail.next().into_iter().flat_map(|it| it.split(',')));
    Some(Line { fs, source, options: options.collect() })
}

/// Space, tab, newline and backslash are written in three octal digits.
fn unescaped(field: &str) -> String {
    let codes = [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")];
    codes.iter().fold(field.to_owned(), |text, (code, plain)| text.replace(code, plain))
}
