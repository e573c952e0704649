//! Results of hosts, those that are the same together. A text is kept once, however many hosts have it. Prints nothing.

use super::names;
use super::show::Manner;
use super::words::counted;
use model::Report;
use std::collections::BTreeMap;

/// What sums up a result, of one host and of several.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sum {
    /// Of one host.
    pub one: String,
    several: String,
}

impl Sum {
    /// Of what was done, and undone.
    pub fn undone() -> Self {
        let text = "what was done, and undone".to_owned();
        Self { one: text.clone(), several: text }
    }

    /// Of a report, which `text` puts in words.
    pub fn of(manner: Manner, report: &Report, text: String) -> Self {
        let only_changes = report.changed > 0 && report.is_converged();
        let changes = counted(usize::try_from(report.changed).unwrap_or(usize::MAX), "change");
        let several = match manner {
            _ if !only_changes => format!("the same: {text}"),
            Manner::Forecast | Manner::Rehearsal => format!("same {changes} to come"),
            Manner::Asked | Manner::Straight | Manner::Answer => format!("same {changes}"),
        };
        Self { one: text, several }
    }
}

/// Results by what sums them up and their text.
#[derive(Default)]
pub struct Groups {
    by_result: BTreeMap<(Sum, String), Vec<String>>,
}

impl Groups {
    /// The result of a host; one with nothing to say is none.
    pub fn add(&mut self, host: &str, sum: Sum, text: String) {
        if !text.is_empty() {
            self.by_result.entry((sum, text)).or_default().push(host.to_owned());
        }
    }

    /// All of them as text, in the order of their first hosts as `place` has it, an empty line after each; empty where there
    /// are none.
    pub fn render(self, place: &dyn Fn(&String) -> Option<usize>) -> String {
        let mut groups: Vec<(Vec<String>, Sum, String)> = Vec::new();
        for ((sum, text), mut hosts) in self.by_result {
            hosts.sort_by_key(place);
            groups.push((hosts, sum, text));
        }
        groups.sort_by_key(|(hosts, ..)| hosts.first().and_then(place));
        groups.iter().map(|(hosts, sum, text)| format!("{}\n{}\n", head(hosts, sum), set_in(text))).collect()
    }
}

fn head(hosts: &[String], sum: &Sum) -> String {
    match (hosts, sum.one.as_str()) {
        ([one], "") => format!("{one}:"),
        ([one], sum) => format!("{one}: {sum}"),
        (many, "") => format!("{} hosts: the same: {}", many.len(), names::folded(many)),
        (many, _) => format!("{} hosts: {}: {}", many.len(), sum.several, names::folded(many)),
    }
}

fn set_in(text: &str) -> String {
    let set_in = |line: &str| if line.is_empty() { "\n".to_owned() } else { format!("  {line}\n") };
    text.lines().map(set_in).collect()
}

#[cfg(test)]
mod tests {
    use super::{Groups, Sum};
    use crate::view::show::Manner;
    use model::Report;

    fn sum(manner: Manner, changed: u64, failed: u64) -> Sum {
        let report = Report { changed, failed, ..Report::default() };
        Sum::of(manner, &report, format!("{changed} changed, {failed} failed"))
    }

    #[test]
    fn the_same_is_told_once_in_the_order_of_the_hosts() {
        let mut groups = Groups::default();
        for (host, sum, text) in [
            ("b9", sum(Manner::Straight, 1, 1), "! x failed"),
            ("b3", sum(Manner::Straight, 3, 0), "+ a\n\n    b"),
            ("b1", sum(Manner::Straight, 3, 0), "+ a\n\n    b"),
            ("b4", sum(Manner::Straight, 0, 0), ""),
            ("b2", sum(Manner::Straight, 3, 0), "+ a\n\n    b"),
            ("b8", sum(Manner::Forecast, 1, 0), "~ c"),
            ("b7", sum(Manner::Forecast, 1, 0), "~ c"),
            ("b6", sum(Manner::Straight, 0, 1), "! d"),
            ("b5", sum(Manner::Straight, 0, 1), "! d"),
            ("b0", Sum::default(), "{}"),
        ] {
            groups.add(host, sum, text.to_owned());
        }
        let place = |name: &String| name.strip_prefix('b')?.parse().ok();
        let expected = "b0:\n  {}\n\n3 hosts: same 3 changes: b[1-3]\n  + a\n\n      b\n\n\
                        2 hosts: the same: 0 changed, 1 failed: b5, b6\n  ! d\n\n\
                        2 hosts: same 1 change to come: b7, b8\n  ~ c\n\n\
                        b9: 1 changed, 1 failed\n  ! x failed\n\n";
        assert_eq!(groups.render(&place), expected);
    }
}
