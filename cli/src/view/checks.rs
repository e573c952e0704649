//! What checks saw: for people, as lines of JSON, and in the forms that `checks` makes for other programs. All of it at the end, in the order
//! of the hosts' names: it is the same whoever answered first.

use super::color::{paint, wanted};
use super::diagnostics::Color;
use super::out::{inert, inset, line, note, status};
use super::show::{Show, Sorted};
use super::words::doing;
use super::wrong;
use crate::book::Book;
use crate::format::Format;
use checks::{Looked, Seen, Tally};
use clap::ValueEnum;
use fleet::{End, Stage};
use model::{CheckEnd, Diagnostic, Event, Facts};
use serde_json::json;
use std::sync::{Arc, Mutex, PoisonError};
use wire::Reply;

/// How checks are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// For people: a line a host, and what did not pass.
    Human,
    /// JSON lines: one a check, the last one sums up.
    Json,
    /// XML for CI systems.
    Junit,
    /// For Prometheus, as node_exporter reads it from a file.
    Prometheus,
}

/// The view.
pub struct View {
    book: Arc<Book>,
    form: Form,
    /// What was found wrong so far: the same of many hosts is told once.
    wrong: Mutex<Vec<Diagnostic>>,
}

impl View {
    /// Of what stands in `book`.
    pub fn new(book: &Arc<Book>, form: Form) -> Self {
        Self { book: Arc::clone(book), form, wrong: Mutex::default() }
    }
}

impl Show for View {
    fn stage(&self, host: &str, stage: Stage) {
        status(&format!("{host}: {}", doing(stage)));
    }

    fn facts(&self, _: &str, _: &Facts) {}

    fn event(&self, _: &str, _: &Event) {}

    fn reply(&self, host: &str, _: &Reply) {
        status(&format!("{host}: looked at"));
    }

    fn note(&self, host: &str, text: &str) {
        note(&inert(&format!("{host}: {text}")));
    }

    fn wrong(&self, _: &str, found: &[Diagnostic]) {
        let mut known = self.wrong.lock().unwrap_or_else(PoisonError::into_inner);
        let new: Vec<Diagnostic> = found.iter().filter(|one| !known.contains(one)).cloned().collect();
        let format = if self.form == Form::Json { Format::Json } else { Format::Human };
        wrong::show(&new, format);
        known.extend(new);
    }

    fn ended(&self, _: &str, _: &End, _: u64) {}

    fn before_question(&self, _: &[String], _: &Sorted) {}

    fn finish(&self, _: &Sorted) {
        let looked = self.book.looked();
        match self.form {
            Form::Human => {
                let color = wanted(&std::io::stdout());
                looked.iter().flat_map(|one| human(one, color)).for_each(|text| line(&text));
            }
            Form::Json => json_lines(&looked).iter().for_each(|text| line(text)),
            Form::Junit => line(checks::junit(&looked).trim_end()),
            Form::Prometheus => line(checks::prometheus(&looked).trim_end()),
        }
    }
}

/// A host: one line where all passed.
fn human(looked: &Looked, color: Color) -> Vec<String> {
    let host = if looked.host.is_empty() { String::new() } else { format!("{}: ", looked.host) };
    let mut lines = Vec::new();
    match &looked.trouble {
        Some(why) => {
            lines.push(paint(&format!("? {host}could not be asked: {}", inset(why)), '?', color));
            return lines;
        }
        None => lines.push(format!("{host}{}", sum(looked.tally()))),
    }
    for seen in looked.checks.iter().filter(|seen| seen.result.end != CheckEnd::Passed) {
        lines.extend(short(seen, color));
    }
    lines
}

fn sum(tally: Tally) -> String {
    let checks = |count: usize| if count == 1 { "check" } else { "checks" };
    let all = tally.all();
    match tally {
        _ if all == 0 => "no checks".to_owned(),
        Tally { failed: 0, unknown: 0, .. } => format!("{all} {} passed", checks(all)),
        Tally { failed, unknown: 0, .. } => format!("{failed} of {all} {} failed", checks(all)),
        Tally { failed: 0, unknown, .. } => format!("{unknown} of {all} {} could not be told", checks(all)),
        Tally { failed, unknown, .. } => {
            format!("{failed} of {all} {} failed, {unknown} could not be told", checks(all))
        }
    }
}

/// A check that did not pass.
fn short(Seen { check, result }: &Seen, color: Color) -> Vec<String> {
    let sign = if result.end == CheckEnd::Failed { '!' } else { '?' };
    let head = format!("{sign} {}  {}", inert(&check.name), inert(&check.origin.to_string()));
    let mut lines = vec![paint(&head, sign, color)];
    let said = (!check.doc.is_empty()).then(|| check.doc.clone());
    let shortfalls = result.shortfalls.iter().map(ToString::to_string);
    let because = (result.end == CheckEnd::Unknown).then(|| result.because.clone());
    let seconds = format!("{}.{}", result.millis / 1000, result.millis % 1000 / 100);
    let tries = (result.tries > 1).then(|| format!("tried {} times in {seconds} s", result.tries));
    let all = said.into_iter().chain(shortfalls).chain(because).chain(tries);
    lines.extend(all.map(|text| format!("    {}", inset(&text))));
    lines
}

fn json_lines(hosts: &[Looked]) -> Vec<String> {
    let mut lines = Vec::new();
    let mut all = Tally::default();
    for looked in hosts {
        let tally = looked.tally();
        all = Tally {
            passed: all.passed + tally.passed,
            failed: all.failed + tally.failed,
            unknown: all.unknown + tally.unknown,
        };
        for Seen { check, result } in &looked.checks {
            let mut text = json!(result);
            text["event"] = json!("check");
            text["host"] = json!(looked.host);
            text["subject"] = json!(check.subject);
            text["doc"] = json!(check.doc);
            text["severity"] = json!(check.severity);
            text["from"] = json!(check.from);
            text["origin"] = json!(check.origin);
            lines.push(escaped(&text.to_string()));
        }
        if let Some(why) = &looked.trouble {
            lines.push(escaped(&json!({ "event": "error", "host": looked.host, "text": why }).to_string()));
        }
    }
    let unasked: Vec<&String> =
        hosts.iter().filter(|one| one.trouble.is_some()).map(|one| &one.host).collect();
    let Tally { passed, failed, unknown } = all;
    let sum = json!({ "event": "checks", "passed": passed, "failed": failed, "unknown": unknown, "unasked": unasked });
    lines.push(sum.to_string());
    lines
}

/// The same JSON with nothing in it that steers a terminal.
fn escaped(text: &str) -> String {
    let one = |character: char| match super::out::is_active(character) {
        true => format!("\\u{:04x}", u32::from(character)),
        false => character.to_string(),
    };
    text.chars().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::{human, json_lines};
    use crate::view::diagnostics::Color;
    use checks::Looked;
    use model::{CheckEnd, CheckResult, CheckSpec, Origin, Shortfall};

    fn host(ends: &[CheckEnd], trouble: Option<&str>) -> Looked {
        let names = || ends.iter().enumerate().map(|(at, end)| (format!("c{at}"), *end));
        let origin = |at: usize| Origin { file: "tests/a.toml".into(), line: at as u32, col: 1 };
        let spec = |(at, (name, _)): (usize, (String, CheckEnd))| CheckSpec {
            name,
            doc: "why\nso".into(),
            origin: origin(at + 1),
            ..CheckSpec::default()
        };
        let result = |(name, end): (String, CheckEnd)| {
            let shortfalls = match end {
                CheckEnd::Failed => vec![Shortfall::new("status", 200, "502\nweb2: fine\u{1b}[31m")],
                _ => Vec::new(),
            };
            CheckResult { name, end, shortfalls, because: "gone".into(), tries: 3, millis: 1234 }
        };
        let results: Vec<CheckResult> = names().map(result).collect();
        Looked::new("web1", names().enumerate().map(spec).collect(), &results, trouble.map(str::to_owned))
    }

    #[test]
    fn a_host_that_passes_is_a_line_and_nothing_makes_up_another() {
        use CheckEnd::{Failed, Passed, Unknown};
        let shown = |ends: &[CheckEnd], trouble| human(&host(ends, trouble), Color::Never).join("\n");
        assert_eq!(shown(&[Passed, Passed], None), "web1: 2 checks passed");
        assert_eq!(shown(&[], None), "web1: no checks");
        assert_eq!(
            shown(&[Passed], Some("no route\nweb2: ok")),
            "? web1: could not be asked: no route\n    web2: ok"
        );
        let expected = "web1: 1 of 3 checks failed, 1 could not be told\n! c1  tests/a.toml:2:1\n    why\n    so\n    \
                        status: wanted 200, saw 502\n    web2: fine\\u{1b}[31m\n    tried 3 times in 1.2 s\n\
                        ? c2  tests/a.toml:3:1\n    why\n    so\n    gone\n    tried 3 times in 1.2 s";
        assert_eq!(shown(&[Passed, Failed, Unknown], None), expected);
    }

    #[test]
    fn the_last_line_of_json_sums_up() {
        let lines = json_lines(&[host(&[CheckEnd::Passed, CheckEnd::Failed], None)]);
        let read: Vec<serde_json::Value> =
            lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!((read.len(), &read[0]["end"], &read[0]["host"]), (3, &"passed".into(), &"web1".into()));
        assert_eq!((&read[2]["failed"], &read[2]["unasked"]), (&1.into(), &serde_json::json!([])));
        assert!(lines[1].contains("\\u001b") && !lines[1].contains('\u{1b}'));
    }
}
