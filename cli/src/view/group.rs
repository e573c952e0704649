//! Results of hosts, those that are the same together. A text is kept once, however many hosts have it.

use super::names;
use std::collections::BTreeMap;

/// Results by what sums them up and their text.
#[derive(Default)]
pub struct Groups {
    by_result: BTreeMap<(String, String), Vec<String>>,
}

impl Groups {
    /// The result of a host; one with nothing to say is none.
    pub fn add(&mut self, host: &str, sum: String, text: String) {
        if !text.is_empty() {
            self.by_result.entry((sum, text)).or_default().push(host.to_owned());
        }
    }

    /// A text for each group, in the order of their first hosts as `place` has it.
    pub fn finish(self, place: &dyn Fn(&String) -> Option<usize>) -> Vec<String> {
        let mut groups: Vec<(Vec<String>, String, String)> = Vec::new();
        for ((sum, text), mut hosts) in self.by_result {
            hosts.sort_by_key(place);
            groups.push((hosts, sum, text));
        }
        groups.sort_by_key(|(hosts, ..)| hosts.first().and_then(place));
        groups.iter().map(|(hosts, sum, text)| format!("{}\n{}", head(hosts, sum), set_in(text))).collect()
    }
}

fn head(hosts: &[String], sum: &str) -> String {
    match (hosts, sum) {
        ([one], "") => format!("{one}:"),
        ([one], sum) => format!("{one}: {sum}"),
        (many, "") => format!("{} hosts, the same: {}", many.len(), names::folded(many)),
        (many, sum) => format!("{} hosts, the same: {sum}: {}", many.len(), names::folded(many)),
    }
}

fn set_in(text: &str) -> String {
    let lines =
        text.lines().map(|line| if line.is_empty() { "\n".to_owned() } else { format!("  {line}\n") });
    lines.collect()
}
