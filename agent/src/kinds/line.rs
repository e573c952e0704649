//! `line`: one line of a file that somebody else writes. It only decides; the engine writes the whole file, atomically.

use crate::kind::{Class, Kind};
use crate::parts::ensure::Ensure;
use crate::parts::follow::follow;
use crate::parts::pattern::pattern;
use crate::parts::place;
use crate::system::{Entry, EntryKind, Look, System, once};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use model::{
    Claim, Content, Failure, HostPath, Op, Principal, Problem, Scope, Secret, Step, Text, Thing, Val,
};
use regex::bytes::Regex;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Largest file that is edited, in bytes.
const LARGEST: u64 = 16 << 20;
/// Largest file that is held in memory for the next resource that edits it, in bytes.
const SHARED: u64 = 64 << 10;
/// Most lines that a step shows.
const MOST_SHOWN: usize = 20;

/// One line of a file that somebody else writes: there, or not there. The rest of the file stays as it is, to the byte: CRLF
/// endings, a missing newline at the end, what is not UTF-8, owner, group, mode, ACL. A link is followed to its file. Several
/// of these may edit one file. The name is a label. It comes after the resource that owns the file, where the catalog has it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Line {
    #[serde(rename = "name")]
    #[schemars(skip)]
    _label: String,
    /// The file. Example: `"/etc/ssh/sshd_config"`.
    path: HostPath,
    /// `"present"`: the line is there. `"absent"`: lines that are equal to `line`, and those that match `match`, are not.
    #[serde(default)]
    ensure: Ensure,
    /// The line, without its ending. One that holds a secret is refused where anybody may read the file. Left out only with `ensure = "absent"` and `match`. Example: `"PermitRootLogin no"`.
    line: Option<Text>,
    /// A regular expression (Rust's crate regex; of Unicode's classes the general categories), tried on each line without its ending. The line that matches is replaced by
    /// `line`; where none matches and `line` is not there, it is inserted. More than one match is refused without `all`. It
    /// should match `line` as well. Example: `"^#?\\s*PermitRootLogin\\s"`.
    #[serde(rename = "match")]
    matching: Option<String>,
    /// A regular expression: a new line goes after the last line that matches; where none does, to the end of the file.
    insert_after: Option<String>,
    /// A regular expression: a new line goes before the first line that matches; where none does, to the end of the file.
    insert_before: Option<String>,
    /// True: a missing file is made, as root:root with mode 0644. Without it that is refused.
    #[serde(default)]
    create: bool,
    /// True: every line that matches `match` is replaced or removed.
    #[serde(default)]
    all: bool,
}

/// What was found.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Seen {
    /// Where a link at the path leads.
    at: Option<HostPath>,
    entry: Option<Entry>,
    /// What is in the file, where that is UTF-8.
    text: String,
    /// What is in it, in base64, where it is not.
    base64: Option<String>,
}

/// Where a new line goes.
enum Anchor {
    After(Regex),
    Before(Regex),
    End,
}

/// What is wanted of the lines, its expressions compiled.
struct Edit<'a> {
    line: Option<&'a [u8]>,
    matching: Option<Regex>,
    anchor: Anchor,
    all: bool,
}

/// A line, and its ending: `\n`, `\r\n`, or nothing at the end of the file.
#[derive(Clone)]
struct Piece {
    body: Vec<u8>,
    ending: &'static [u8],
}

/// A line that changes: its number from 1, before and after.
type Change = (usize, Option<Vec<u8>>, Option<Vec<u8>>);

fn pieces(bytes: &[u8]) -> Vec<Piece> {
    let piece = |line: &[u8]| match (line.strip_suffix(b"\r\n"), line.strip_suffix(b"\n")) {
        (Some(body), _) => Piece { body: body.to_vec(), ending: b"\r\n" },
        (None, Some(body)) => Piece { body: body.to_vec(), ending: b"\n" },
        (None, None) => Piece { body: line.to_vec(), ending: b"" },
    };
    bytes.split_inclusive(|byte| *byte == b'\n').map(piece).collect()
}

/// The ending that most lines have.
fn usual_ending(pieces: &[Piece]) -> &'static [u8] {
    let count = |ending: &[u8]| pieces.iter().filter(|piece| piece.ending == ending).count();
    if count(b"\r\n") > count(b"\n") { b"\r\n" } else { b"\n" }
}

impl Edit<'_> {
    /// Positions of the lines that match.
    fn matched(&self, pieces: &[Piece]) -> Vec<usize> {
        let Some(regex) = &self.matching else { return Vec::new() };
        (0..pieces.len()).filter(|at| regex.is_match(&pieces[*at].body)).collect()
    }

    /// Changes the lines, and says which; the numbers of several matches where only one may be.
    fn put(&self, pieces: &mut Vec<Piece>) -> Result<Vec<Change>, Vec<usize>> {
        let line = self.line.unwrap_or_default();
        let matched = self.matched(pieces);
        let others: Vec<usize> = matched.iter().copied().filter(|at| pieces[*at].body != line).collect();
        if matched.len() > 1 && !others.is_empty() && !self.all {
            return Err(matched);
        }
        let mut changes = Vec::new();
        for at in others {
            let before = std::mem::replace(&mut pieces[at].body, line.to_vec());
            changes.push((at + 1, Some(before), Some(line.to_vec())));
        }
        if matched.is_empty() && !pieces.iter().any(|piece| piece.body == line) {
            let at = self.insert(pieces, line);
            changes.push((at + 1, None, Some(line.to_vec())));
        }
        Ok(changes)
    }

    fn insert(&self, pieces: &mut Vec<Piece>, line: &[u8]) -> usize {
        let ending = usual_ending(pieces);
        let end = pieces.len();
        let at = match &self.anchor {
            Anchor::After(regex) => {
                pieces.iter().rposition(|piece| regex.is_match(&piece.body)).map_or(end, |at| at + 1)
            }
            Anchor::Before(regex) => {
                pieces.iter().position(|piece| regex.is_match(&piece.body)).unwrap_or(end)
            }
            Anchor::End => end,
        };
        let mut piece = Piece { body: line.to_vec(), ending };
        if at == end
            && let Some(last) = pieces.last_mut().filter(|last| last.ending.is_empty())
        {
            // The file ends as it did: without a newline.
            last.ending = ending;
            piece.ending = b"";
        }
        pieces.insert(at, piece);
        at
    }

    /// Takes the lines out, and says which; the numbers of several matches where only one may be.
    fn take(&self, pieces: &mut Vec<Piece>) -> Result<Vec<Change>, Vec<usize>> {
        let matched = self.matched(pieces);
        if matched.len() > 1 && !self.all {
            return Err(matched);
        }
        let goes = |at: usize, piece: &Piece| matched.contains(&at) || self.line == Some(&piece.body[..]);
        let (mut kept, mut changes) = (Vec::new(), Vec::new());
        for (at, piece) in pieces.drain(..).enumerate() {
            if goes(at, &piece) {
                changes.push((at + 1, Some(piece.body), None));
            } else {
                kept.push(piece);
            }
        }
        *pieces = kept;
        Ok(changes)
    }
}

impl Line {
    fn edit(&self) -> Result<Edit<'_>, Vec<Problem>> {
        let mut problems = Vec::new();
        let mut regex = |key: &str, text: &Option<String>| {
            let compiled = text.as_deref().map(pattern);
            compiled.transpose().unwrap_or_else(|reason| {
                problems.push(Problem::at(key, format!("this is no regular expression: {reason}")));
                None
            })
        };
        let matching = regex("match", &self.matching);
        let after = regex("insert_after", &self.insert_after);
        let before = regex("insert_before", &self.insert_before);
        let anchor = match (after, before) {
            (Some(after), _) => Anchor::After(after),
            (None, Some(before)) => Anchor::Before(before),
            (None, None) => Anchor::End,
        };
        let line = self.line.as_ref().map(|line| line.expose().as_bytes());
        if problems.is_empty() { Ok(Edit { line, matching, anchor, all: self.all }) } else { Err(problems) }
    }

    /// The step that puts `bytes` in place, with the lines that differ.
    fn write(&self, seen: &Seen, bytes: Vec<u8>, changes: Vec<Change>) -> Step {
        let is_secret = self.line.as_ref().is_some_and(Text::is_secret);
        let content =
            if is_secret { Content::Hidden(Secret::new(bytes.into())) } else { Content::held(bytes) };
        let root = || Principal::Name("root".to_owned());
        let new = (root(), root(), if is_secret { 0o600 } else { 0o644 });
        let kept = |entry: &Entry| (Principal::Number(entry.uid), Principal::Number(entry.gid), entry.mode);
        let (owner, group, mode) = seen.entry.as_ref().map_or(new, kept);
        let path = seen.at.as_ref().unwrap_or(&self.path).clone();
        let op = Op::WriteFile { path, content, owner, group, mode, validate: Vec::new() };
        let show = |line: Option<Vec<u8>>| match line {
            None => Val::Absent,
            Some(_) if is_secret => Val::Hidden,
            Some(line) => Val::Text(String::from_utf8_lossy(&line).into_owned()),
        };
        let more = changes.len().saturating_sub(MOST_SHOWN);
        let shown = changes.into_iter().take(MOST_SHOWN);
        let step = shown.fold(Step::new(op), |step, (number, before, after)| {
            step.because(&format!("line {number}"), show(before), show(after))
        });
        if more == 0 { step } else { step.because("further lines", Val::Absent, format!("{more}")) }
    }
}

impl Seen {
    fn bytes(&self) -> Result<Vec<u8>, Failure> {
        match &self.base64 {
            None => Ok(self.text.clone().into_bytes()),
            Some(coded) => {
                STANDARD.decode(coded).map_err(|error| Failure::unknown("a file", error.to_string()))
            }
        }
    }
}

impl Kind for Line {
    const NAME: &'static str = "line";
    /// One at a time: two may edit the same file.
    const CLASS: Class = Class::Commands;
    const SCOPE: Scope = Scope::Module;
    const CONFIG: bool = true;
    const EXAMPLE: &'static str = r#"[line.no-root-login]
path  = "/etc/ssh/sshd_config"
line  = "PermitRootLogin no"
match = '^#?\s*PermitRootLogin\s'

[line.no-motd-news]
path   = "/etc/default/motd-news"
match  = "^ENABLED=1"
ensure = "absent"
"#;
    type Seen = Seen;

    fn check(&self) -> Vec<Problem> {
        let mut problems: Vec<Problem> = self.edit().err().unwrap_or_default();
        let is_present = self.ensure == Ensure::Present;
        match (&self.line, &self.matching) {
            (None, _) if is_present => problems.push(
                Problem::whole("there is no `line` that could be present")
                    .help("write line = \"…\", or ensure = \"absent\" with `match`"),
            ),
            (None, None) => {
                problems.push(Problem::whole("nothing says which line").help("write `line` or `match`"))
            }
            (Some(line), _) if line.expose().contains(['\n', '\r', '\0']) => problems.push(
                Problem::at("line", "it holds more than one line").help("write a resource for each line"),
            ),
            _ => {}
        }
        if let (Some(_), Some(_)) = (&self.insert_after, &self.insert_before) {
            let problem = Problem::at("insert_before", "`insert_after` says already where a new line goes");
            problems.push(problem.help("leave out one of the two"));
        }
        if self.all && self.matching.is_none() {
            let problem = Problem::at("all", "nothing says which lines");
            problems.push(problem.help("write `match`, or leave `all` out"));
        }
        problems
    }

    fn claims(&self) -> Vec<Claim> {
        Vec::new()
    }

    fn wants(&self) -> Vec<Thing> {
        [Thing::Path(self.path.clone())].into_iter().chain(place::wants(&self.path)).collect()
    }

    fn probe(&self, system: &dyn System) -> Result<Seen, Failure> {
        let mut seen = Seen { entry: system.look(&self.path, Look::Bare)?, ..Seen::default() };
        if let Some(Entry { kind: EntryKind::Symlink { .. }, .. }) = seen.entry {
            let end = follow(system, &self.path)?;
            seen.entry = system.look(&end, Look::Bare)?;
            seen.at = Some(end);
        }
        if let Some(Entry { kind: EntryKind::File { size, .. }, .. }) = seen.entry {
            let path = seen.at.as_ref().unwrap_or(&self.path);
            let read = || system.read(path, LARGEST);
            let bytes = if size <= SHARED { once(system, path, read)?.to_vec() } else { read()? };
            match String::from_utf8(bytes) {
                Ok(text) => seen.text = text,
                Err(error) => seen.base64 = Some(STANDARD.encode(error.as_bytes())),
            }
        }
        Ok(seen)
    }

    fn plan(&self, seen: &Seen) -> Result<Vec<Step>, Failure> {
        let path = seen.at.as_ref().unwrap_or(&self.path);
        match (&seen.entry, self.ensure) {
            (None, Ensure::Absent) => return Ok(Vec::new()),
            (None, Ensure::Present) if !self.create => {
                let help = "set `create = true` to have it made, or declare the file";
                return Err(Failure::refused(format!("{path} does not exist"), help));
            }
            (Some(entry), _) if !matches!(entry.kind, EntryKind::File { .. }) => {
                let why = format!("a {} stands at {path}, which has no lines", entry.what());
                return Err(Failure::refused(why, "name a file"));
            }
            _ => {}
        }
        if let Some(entry) = seen.entry.as_ref().filter(|_| self.ensure == Ensure::Present)
            && entry.mode & 0o004 != 0
            && self.line.as_ref().is_some_and(Text::is_secret)
        {
            let why = format!("the line is secret, and anybody may read {path}");
            return Err(Failure::refused(
                why,
                "take the rights of others away first, by the mode of a `file`",
            ));
        }
        let edit = self.edit().map_err(|_| Failure::unknown(path.to_string(), "an expression is wrong"))?;
        let mut pieces = pieces(&seen.bytes()?);
        let changes = match self.ensure {
            Ensure::Present => edit.put(&mut pieces),
            Ensure::Absent => edit.take(&mut pieces),
        };
        let changes = changes.map_err(|matched| several(path, &matched))?;
        if changes.is_empty() {
            return Ok(Vec::new());
        }
        let bytes = pieces.iter().flat_map(|piece| [&piece.body, piece.ending].concat()).collect();
        Ok(vec![self.write(seen, bytes, changes)])
    }
}

fn several(path: &HostPath, matched: &[usize]) -> Failure {
    let numbers: Vec<String> = matched.iter().take(MOST_SHOWN).map(|at| (at + 1).to_string()).collect();
    let more = if matched.len() > MOST_SHOWN { " …" } else { "" };
    let why = format!("`match` fits {} lines of {path}: {}{more}", matched.len(), numbers.join(", "));
    Failure::refused(why, "make it more exact, or set `all = true`")
}
