//! What was seen in the text format of Prometheus (exposition formats, 0.0.4), as node_exporter's textfile collector reads it.

use crate::looked::{Looked, Seen};
use model::{CheckEnd, CheckSeverity};

/// A family of metrics: its name, its help, and its samples as labels and values.
struct Family {
    name: &'static str,
    help: &'static str,
    samples: Vec<(String, String)>,
}

/// The text. Families and samples are in a fixed order.
pub fn prometheus(hosts: &[Looked]) -> String {
    let seen = |value: fn(&Seen) -> String| -> Vec<(String, String)> {
        let all = hosts.iter().flat_map(|looked| looked.checks.iter().map(move |seen| (looked, seen)));
        all.map(|(looked, seen)| (of_check(&looked.host, seen), value(seen))).collect()
    };
    let is = |end: bool| u8::from(end).to_string();
    let reached = hosts.iter().map(|looked| (of_host(&looked.host), is(looked.trouble.is_none()))).collect();
    let families = [
        Family {
            name: "keel_check_passed",
            help: "Whether it is known to be as wanted.",
            samples: seen(|seen| u8::from(seen.result.end == CheckEnd::Passed).to_string()),
        },
        Family {
            name: "keel_check_known",
            help: "Whether it could be told at all.",
            samples: seen(|seen| u8::from(seen.result.end != CheckEnd::Unknown).to_string()),
        },
        Family {
            name: "keel_check_tries",
            help: "How often it was looked at.",
            samples: seen(|seen| seen.result.tries.to_string()),
        },
        Family {
            name: "keel_check_duration_seconds",
            help: "How long that took, pauses included.",
            samples: seen(|seen| format!("{}.{:03}", seen.result.millis / 1000, seen.result.millis % 1000)),
        },
        Family { name: "keel_host_asked", help: "Whether the host could be asked.", samples: reached },
    ];
    families.iter().filter(|family| !family.samples.is_empty()).map(text).collect()
}

fn text(Family { name, help, samples }: &Family) -> String {
    let mut out = format!("# HELP {name} {help}\n# TYPE {name} gauge\n");
    for (labels, value) in samples {
        out.push_str(&format!("{name}{{{labels}}} {value}\n"));
    }
    out
}

fn of_host(host: &str) -> String {
    format!("host=\"{}\"", escaped(if host.is_empty() { "localhost" } else { host }))
}

fn of_check(host: &str, Seen { check, .. }: &Seen) -> String {
    let severity = match check.severity {
        CheckSeverity::Warning => "warning",
        CheckSeverity::Critical => "critical",
    };
    let (name, subject) = (escaped(&check.name), escaped(&check.subject));
    format!("{},check=\"{name}\",subject=\"{subject}\",severity=\"{severity}\"", of_host(host))
}

/// Backslash, quote and newline are all that a label's value has to escape.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::prometheus;
    use crate::looked::tests::hosts;

    #[test]
    fn families_have_their_heads_and_labels_are_escaped() {
        let said = prometheus(&hosts());
        let expected = include_str!("../tests/prometheus.txt");
        assert_eq!(said, expected, "{said}");
    }

    /// `name{label="value",…} number`, as the format has it.
    #[test]
    fn every_line_is_a_sample_of_the_family_above_it() {
        let (said, mut family) = (prometheus(&hosts()), "");
        for line in said.lines() {
            match line.strip_prefix("# TYPE ") {
                Some(head) => family = head.split(' ').next().unwrap(),
                None if line.starts_with("# HELP ") => {}
                None => {
                    let (name, rest) = line.split_once('{').unwrap();
                    let (_, value) = rest.rsplit_once("} ").unwrap();
                    assert_eq!(name, family);
                    value.parse::<f64>().unwrap();
                }
            }
        }
    }
}
