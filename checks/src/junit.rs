//! What was seen as JUnit's XML, which CI systems show: a suite for each host, a case for each check. A check that failed is a `failure`, one
//! that could not be told an `error`. There is no standard; this keeps to what Jenkins' and GitLab's readers take.

use crate::looked::{Looked, Seen};
use model::CheckEnd;
use std::fmt::Write as _;

/// The document.
pub fn junit(hosts: &[Looked]) -> String {
    let mut out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"keel check\">\n".to_owned();
    for looked in hosts {
        suite(looked, &mut out);
    }
    out.push_str("</testsuites>\n");
    out
}

fn suite(looked: &Looked, out: &mut String) {
    let tally = looked.tally();
    let lost = usize::from(looked.trouble.is_some());
    let host = if looked.host.is_empty() { "localhost" } else { &looked.host };
    let millis = looked.checks.iter().map(|seen| seen.result.millis).sum();
    let head = format!(
        "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"0\" time=\"{}\">\n",
        escaped(host),
        tally.all() + lost,
        tally.failed,
        tally.unknown + lost,
        seconds(millis),
    );
    out.push_str(&head);
    if let Some(why) = &looked.trouble {
        let (host, why) = (escaped(host), escaped(why));
        let line = "    <testcase classname=\"{host}\" name=\"asked\" time=\"0.000\">\n";
        out.push_str(&line.replace("{host}", &host));
        out.push_str(&format!("      <error message=\"{why}\"/>\n    </testcase>\n"));
    }
    looked.checks.iter().for_each(|seen| case(host, seen, out));
    out.push_str("  </testsuite>\n");
}

fn case(host: &str, Seen { check, result }: &Seen, out: &mut String) {
    let (host, name, file) = (escaped(host), escaped(&check.name), escaped(&check.origin.file));
    let (line, time) = (check.origin.line, seconds(result.millis));
    let head = format!(
        "    <testcase classname=\"{host}\" name=\"{name}\" file=\"{file}\" line=\"{line}\" time=\"{time}\""
    );
    out.push_str(&head);
    let (word, message) = match result.end {
        CheckEnd::Passed => return out.push_str("/>\n"),
        CheckEnd::Failed => {
            ("failure", result.shortfalls.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
        }
        CheckEnd::Unknown => ("error", format!("could not be told: {}", result.because)),
    };
    let text = [check.origin.to_string(), check.doc.clone()].join(" ");
    let (message, text) = (escaped(&message), escaped(text.trim()));
    out.push_str(&format!(">\n      <{word} message=\"{message}\">{text}</{word}>\n    </testcase>\n"));
}

fn seconds(millis: u64) -> String {
    format!("{}.{:03}", millis / 1000, millis % 1000)
}

/// For text and for attributes in double quotes. What XML 1.0 has no place for (section 2.2) is replaced.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\t' | '\r' => {
                // To write into a String cannot fail.
                write!(out, "&#{};", u32::from(character)).ok();
            }
            other if is_unfit(other) => out.push('\u{fffd}'),
            other => out.push(other),
        }
    }
    out
}

/// What XML has no place for, and what would steer a terminal that shows it.
fn is_unfit(character: char) -> bool {
    let turns = matches!(character, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    character.is_control() || turns || matches!(character, '\u{fffe}' | '\u{ffff}')
}

#[cfg(test)]
mod tests {
    use super::{escaped, junit};
    use crate::looked::tests::hosts;

    #[test]
    fn each_host_is_a_suite_and_each_check_a_case() {
        let said = junit(&hosts());
        let expected = include_str!("../tests/junit.xml");
        assert_eq!(said, expected, "{said}");
    }

    #[test]
    fn nothing_that_was_seen_ends_an_attribute() {
        assert_eq!(
            escaped("a\"><b>&'\u{1b}\u{9b}\u{202e}\n"),
            "a&quot;&gt;&lt;b&gt;&amp;'\u{fffd}\u{fffd}\u{fffd}&#10;"
        );
    }
}
