//! Outcomes as JUnit XML: a suite for each file of tests, as CI systems read it (the schema of Jenkins' xUnit plugin, the common
//! ground of them all). What a box could not have is a case of its own, skipped.

use crate::outcome::{Outcome, Skipped};
use model::Origin;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

/// All outcomes, as a document.
pub fn junit(outcomes: &[Outcome]) -> String {
    let mut suites: BTreeMap<&str, Vec<&Outcome>> = BTreeMap::new();
    for outcome in outcomes {
        suites.entry(&outcome.origin.file).or_default().push(outcome);
    }
    let mut out =
        format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites {}>\n", counts(outcomes.iter()));
    for (file, outcomes) in suites {
        let counts = counts(outcomes.iter().copied());
        write(&mut out, format_args!("  <testsuite name=\"{}\" {counts}>\n", escaped(file)));
        outcomes.into_iter().for_each(|outcome| case(&mut out, outcome));
        out.push_str("  </testsuite>\n");
    }
    out.push_str("</testsuites>\n");
    out
}

fn case(out: &mut String, outcome: &Outcome) {
    let Outcome { name, origin, took, steps, faults, skipped } = outcome;
    for Skipped { name: part, origin, because } in skipped {
        head(out, &format!("{name} {part}"), (origin, Duration::ZERO));
        let message = escaped(because);
        write(out, format_args!(">\n      <skipped message=\"{message}\"/>\n    </testcase>\n"));
    }
    head(out, name, (origin, *took));
    if faults.is_empty() && steps.is_empty() {
        return out.push_str("/>\n");
    }
    out.push_str(">\n");
    // One element holds all: some readers take only the first.
    if let Some(first) = faults.first() {
        let lines: Vec<String> =
            faults.iter().map(|fault| format!("{}: {}", fault.origin, fault.message)).collect();
        let (message, text) = (escaped(&first.message), escaped(&lines.join("\n")));
        write(out, format_args!("      <failure message=\"{message}\">{text}</failure>\n"));
    }
    if !steps.is_empty() {
        let lines: Vec<String> = steps
            .iter()
            .map(|step| format!("{} {} s {}", step.name, seconds(step.took), step.told))
            .collect();
        write(out, format_args!("      <system-out>{}</system-out>\n", escaped(&lines.join("\n"))));
    }
    out.push_str("    </testcase>\n");
}

/// A case, up to what is in it.
fn head(out: &mut String, name: &str, (origin, took): (&Origin, Duration)) {
    let (name, file, line, took) = (escaped(name), escaped(&origin.file), origin.line, seconds(took));
    let attributes = format_args!(
        "    <testcase name=\"{name}\" classname=\"{file}\" file=\"{file}\" line=\"{line}\" time=\"{took}\""
    );
    write(out, attributes);
}

fn counts<'a>(outcomes: impl Iterator<Item = &'a Outcome>) -> String {
    let (mut all, mut failed, mut skipped, mut took) = (0, 0, 0, Duration::ZERO);
    for outcome in outcomes {
        all += 1 + outcome.skipped.len();
        skipped += outcome.skipped.len();
        (failed, took) = (failed + u64::from(!outcome.passed()), took + outcome.took);
    }
    let took = seconds(took);
    format!("tests=\"{all}\" failures=\"{failed}\" errors=\"0\" skipped=\"{skipped}\" time=\"{took}\"")
}

fn seconds(took: Duration) -> String {
    format!("{:.3}", took.as_secs_f64())
}

fn write(out: &mut String, what: std::fmt::Arguments<'_>) {
    out.write_fmt(what).expect("a string takes any text");
}

/// Text for XML 1.0, which has no place for most control characters, however they are written.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for one in text.chars() {
        match one {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' => out.push_str("&#10;"),
            '\t' => out.push_str("&#9;"),
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            control if control.is_control() => out.extend(control.escape_default()),
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::junit;
    use crate::outcome::{Fault, Outcome, Skipped, Step};
    use model::Origin;
    use std::time::Duration;

    #[test]
    fn a_document_names_place_and_reason_and_holds_any_text() {
        let origin = |line| Origin { file: "tests/a&b.toml".to_owned(), line, col: 1 };
        let took = Duration::from_millis(1250);
        let (name, steps, faults, skipped) = ("unit.a".into(), vec![], vec![], vec![]);
        let fine = Outcome { name, origin: origin(1), took, steps, faults, skipped };
        let fault = Fault { origin: origin(7), message: "is \"<\u{1b}\", not ]]>".to_owned() };
        let steps = vec![Step { name: "converge", told: "2 changed".into(), took }];
        let skipped = vec![Skipped { name: "drill.c".into(), origin: origin(9), because: "no <nft>".into() }];
        let bad = Outcome { name: "box.b".into(), steps, faults: vec![fault], skipped, ..fine.clone() };
        let expected = r#"<?xml version="1.0" encoding="UTF-8"?>
<testsuites tests="3" failures="1" errors="0" skipped="1" time="2.500">
  <testsuite name="tests/a&amp;b.toml" tests="3" failures="1" errors="0" skipped="1" time="2.500">
    <testcase name="unit.a" classname="tests/a&amp;b.toml" file="tests/a&amp;b.toml" line="1" time="1.250"/>
    <testcase name="box.b drill.c" classname="tests/a&amp;b.toml" file="tests/a&amp;b.toml" line="9" time="0.000">
      <skipped message="no &lt;nft&gt;"/>
    </testcase>
    <testcase name="box.b" classname="tests/a&amp;b.toml" file="tests/a&amp;b.toml" line="1" time="1.250">
      <failure message="is &quot;&lt;\u{1b}&quot;, not ]]&gt;">tests/a&amp;b.toml:7:1: is &quot;&lt;\u{1b}&quot;, not ]]&gt;</failure>
      <system-out>converge 1.250 s 2 changed</system-out>
    </testcase>
  </testsuite>
</testsuites>
"#;
        assert_eq!(junit(&[fine, bad]), expected);
    }
}
