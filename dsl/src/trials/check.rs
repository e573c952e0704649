//! One `[check.NAME]`: its common keys, its one subject, and the subject's keys.

use super::keys::{self, Table as Sort};
use super::problem;
use crate::document::{Entry, Item, Table, Value};
use crate::findings::Findings;
use crate::nearest::did_you_mean;
use crate::source::Extent;
use crate::strings::Strings;
use crate::turns;
use model::{CheckSeverity, CheckSide, CheckSpec, Diagnostic, KindInfo, SubjectInfo};
use serde_json::{Map, Value as Json};

/// What came of a table.
pub enum Said {
    /// A check for this host.
    Check(Box<CheckSpec>),
    /// None: it is not for this host, or what is wrong with it has been told.
    Nothing,
}

/// One try takes at most so many seconds, unless said.
const TIMEOUT: u64 = 10;

/// Reads one check.
pub fn check(
    entry: &Entry,
    strings: Strings<'_>,
    subjects: &[&dyn SubjectInfo],
    findings: &mut Findings,
) -> Said {
    let before = findings.errors();
    let mut reader = Reader { sort: Sort::Check, strings, subjects, findings, name: &entry.key };
    let Some(table) = reader.table(entry) else { return Said::Nothing };
    let subject = reader.subject(entry.at, table);
    let is_meant = table.get("when").map(|when| turns::holds(strings, &when.item, reader.findings));
    if is_meant.is_some_and(|holds| holds != Some(true)) {
        return Said::Nothing;
    }
    let check = reader.common(entry, table);
    let from = reader.from(table);
    let Some((info, item)) = subject else { return Said::Nothing };
    let Some(params) = reader.params(info, item) else { return Said::Nothing };
    let check = CheckSpec { from: reader.sided(from, info.sides(&params)), ..check };
    if reader.findings.errors() > before {
        return Said::Nothing;
    }
    Said::Check(Box::new(CheckSpec { subject: info.name().to_owned(), params, ..check }))
}

/// Reads one table of a check or a drill.
pub(super) struct Reader<'a> {
    pub sort: Sort,
    pub strings: Strings<'a>,
    /// What it can be about.
    pub subjects: &'a [&'a dyn SubjectInfo],
    pub findings: &'a mut Findings,
    pub name: &'a str,
}

impl<'a> Reader<'a> {
    /// The table, where it is one. Its name is looked at as well.
    pub fn table<'t>(&mut self, entry: &'t Entry) -> Option<&'t Table> {
        let word = self.sort.word();
        let Value::Table(table) = &entry.item.value else {
            let message = format!("`{word}.{}` is {}, not a table", entry.key, entry.item.value.type_name());
            self.tell("wrong-type", message, entry.at, &format!("write [{word}.NAME] and its keys below"));
            return None;
        };
        if entry.key.is_empty() || entry.key.contains('/') || entry.key.chars().any(char::is_control) {
            let message = format!("`{}` is no name of a {word}", entry.key);
            self.tell("bad-name", message, entry.at, "a name is a line of text without `/`");
        }
        Some(table)
    }

    pub fn tell(&mut self, code: &'static str, message: impl Into<String>, at: Extent, help: &str) {
        let diagnostic = Diagnostic::error(code, message, self.strings.source.span(at));
        self.findings.push(diagnostic.help(help));
    }

    /// The one subject, and where it stands. Keys that are neither subject nor common are told.
    pub fn subject<'t>(&mut self, at: Extent, table: &'t Table) -> Option<(&'a dyn SubjectInfo, &'t Item)> {
        let mut found: Vec<(&dyn SubjectInfo, &Entry)> = Vec::new();
        let before = self.findings.errors();
        for entry in &table.entries {
            match self.subjects.iter().find(|one| one.name() == entry.key) {
                Some(info) => found.push((*info, entry)),
                None if self.sort.names().any(|name| name == entry.key) => {}
                None => {
                    let known = self.subjects.iter().map(|one| one.name()).chain(self.sort.names());
                    let word = self.sort.word();
                    let help = match entry.key.as_str() {
                        "sysctl" if self.sort == Sort::Check => {
                            "write kernel = { key = \"…\", value = \"…\" }".to_owned()
                        }
                        key => did_you_mean(key, known)
                            .unwrap_or_else(|| format!("`keel explain {word}` lists its keys")),
                    };
                    self.tell(
                        "unknown-key",
                        format!("unknown key `{}` of a {word}", entry.key),
                        entry.at,
                        &help,
                    );
                }
            }
        }
        let names: Vec<&str> = self.subjects.iter().map(|one| one.name()).collect();
        match found.as_slice() {
            [(info, entry)] => Some((*info, &entry.item)),
            [] if self.findings.errors() > before => None,
            [] => {
                let message = match self.sort {
                    Sort::Check => format!("check.{} looks at nothing", self.name),
                    Sort::Drill => format!("drill.{} does nothing", self.name),
                };
                self.tell("missing-key", message, at, &format!("give it one of {}", names.join(", ")));
                None
            }
            [(first, _), (second, entry), ..] => {
                let (first, second) = (first.name(), second.name());
                let word = self.sort.word();
                let does = if self.sort == Sort::Check { "looks at" } else { "does" };
                let message = format!("{word}.{} {does} two things, `{first}` and `{second}`", self.name);
                self.tell("conflict", message, entry.at, &format!("make two {word}s of it"));
                None
            }
        }
    }

    /// The keys that all checks have. `from` depends on the subject.
    fn common(&mut self, entry: &Entry, table: &Table) -> CheckSpec {
        let mut check = CheckSpec {
            name: entry.key.clone(),
            subject: String::new(),
            params: Json::Null,
            doc: String::new(),
            within: 0,
            timeout: TIMEOUT,
            from: CheckSide::Host,
            severity: CheckSeverity::Critical,
            origin: self.strings.source.origin(entry.at),
        };
        for key in ["doc", "within", "timeout", "severity"] {
            let Some(entry) = table.get(key) else { continue };
            let Some(text) = self.text(key, &entry.item) else { continue };
            match key {
                "doc" => check.doc = text,
                "severity" => match text.as_str() {
                    "critical" => check.severity = CheckSeverity::Critical,
                    "warning" => check.severity = CheckSeverity::Warning,
                    other => {
                        let message = format!("`{other}` is no severity");
                        self.tell(
                            "unknown-word",
                            message,
                            entry.item.at,
                            "there is `warning` and `critical`",
                        );
                    }
                },
                key => match crate::common::duration(&text) {
                    Some(seconds) if key == "within" => check.within = seconds,
                    Some(seconds) => check.timeout = seconds,
                    None => {
                        let message = format!("`{key}`: this is no duration");
                        let help = "write a whole number with s, m or h, such as \"30s\"";
                        self.tell("bad-value", message, entry.item.at, help);
                    }
                },
            }
        }
        check
    }

    /// A common key that takes a string.
    pub fn text(&mut self, key: &str, item: &Item) -> Option<String> {
        let value = self.strings.value(item, self.findings)?;
        match value.real {
            _ if value.masked.is_some() => {
                self.tell("secret-not-allowed", format!("a secret in `{key}`"), item.at, SHOWN);
                None
            }
            Json::String(text) => Some(text),
            _ => {
                let message = format!("`{key}`: expected a string, found {}", item.value.type_name());
                self.tell("wrong-type", message, item.at, "write it in quotes");
                None
            }
        }
    }

    /// From where it is to be looked, where that is said, and the place that says so.
    fn from(&mut self, table: &Table) -> Option<(CheckSide, Extent)> {
        let entry = table.get("from")?;
        let from = match self.text("from", &entry.item)?.as_str() {
            "host" => CheckSide::Host,
            "keel" => CheckSide::Keel,
            other => {
                let message = format!("`{other}` is no side to look from");
                self.tell("unknown-word", message, entry.item.at, "there is `host` and `keel`");
                return None;
            }
        };
        Some((from, entry.item.at))
    }

    /// From where it is looked: the first of its sides unless said.
    fn sided(&mut self, from: Option<(CheckSide, Extent)>, sides: &[CheckSide]) -> CheckSide {
        let Some((from, at)) = from else { return sides.first().copied().unwrap_or_default() };
        if !sides.contains(&from) {
            let (message, help) = match from {
                CheckSide::Host => ("the host speaks no TLS of its own", "leave `from` out: keel asks"),
                CheckSide::Keel => ("this is seen from the host alone", "leave `from` out"),
            };
            self.tell("bad-value", format!("`from`: {message}"), at, help);
        }
        from
    }

    /// The keys of the subject, decoded once so that everything wrong with them is told here.
    pub fn params(&mut self, info: &dyn SubjectInfo, item: &Item) -> Option<Json> {
        let value = self.strings.value(item, self.findings)?;
        let what = match self.sort {
            Sort::Check => format!("check of a {}", info.name()),
            Sort::Drill => format!("drill with `{}`", info.name()),
        };
        if value.is_secret() {
            let help = SHOWN;
            self.tell("secret-not-allowed", format!("a secret in a {what}"), item.at, help);
            return None;
        }
        let mut map = match value.real {
            Json::Object(map) => map,
            short => Map::from_iter([(info.short().to_owned(), short)]),
        };
        let infos: &dyn KindInfo = info;
        keys::print(infos, item, &mut map);
        // Nothing, such as an input that is left out, is as if the key were not there.
        map.retain(|_, value| !value.is_null());
        let place = (self.strings.source, item);
        if !problem::keys(infos, &format!("a {what}"), (&map, place), self.findings) {
            return None;
        }
        let params = Json::Object(map);
        match info.inspect(self.name, &params) {
            Ok(_) => Some(params),
            Err(problems) => {
                problem::tell(problems, place, self.findings);
                None
            }
        }
    }
}

/// Why no secret stands in a check.
const SHOWN: &str = "what a check wants and sees is shown: use another value";
