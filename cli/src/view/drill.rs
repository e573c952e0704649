//! What drills came to: for people, or as JSON lines.

use super::color::{paint, wanted};
use super::out::{inset, line, status};
use crate::format::Format;
use model::{DrillSpec, Sight};
use serde_json::json;
use std::cell::Cell;
use std::time::Duration;
use trial::drill::{End, Ran};

/// Shows drills as they end.
pub struct View {
    format: Format,
    /// How many were passed, were not, and could not be told.
    tally: Cell<(u64, u64, u64)>,
}

/// One drill of one host.
pub struct Told<'a> {
    /// The host.
    pub host: &'a str,
    /// The drill.
    pub drill: &'a DrillSpec,
    /// What came of it.
    pub ran: &'a Ran,
    /// How long it took.
    pub took: Duration,
}

impl View {
    /// Nothing has been shown.
    pub fn new(format: Format) -> Self {
        Self { format, tally: Cell::default() }
    }

    /// What would be done.
    pub fn would(&self, host: &str, drill: &DrillSpec) {
        if self.format == Format::Json {
            let text = json!({
                "event": "drill", "host": host, "drill": drill.name, "origin": drill.origin, "end": "asked",
                "fault": { &drill.sort: drill.params }, "sees": sees(drill), "repair": repair(drill),
            });
            return line(&text.to_string());
        }
        line(&inset(&format!("{host}: {}  {}", drill.name, drill.origin)));
        line(&inset(&format!("    {}", fault(drill))));
        let seen = match sees(drill) {
            none if none.is_empty() => "seen by nobody in particular".to_owned(),
            some => format!("seen within {} s by {}", drill.seen, some.join(", ")),
        };
        line(&inset(&format!("    {seen}; even again within {} s by {}", drill.within, repair(drill))));
    }

    /// One begins.
    pub fn begins(&self, host: &str, drill: &DrillSpec) {
        status(&inset(&format!("{host}: {}: {}", drill.name, fault(drill))));
    }

    /// A host could not be asked.
    pub fn trouble(&self, host: &str, why: &str) {
        line(&match self.format {
            Format::Json => json!({ "event": "error", "host": host, "text": why }).to_string(),
            Format::Human => inset(&format!("{host}: could not be asked: {why}")),
        });
    }

    /// One has ended.
    pub fn ran(&self, told: &Told<'_>) {
        let (passed, failed, untold) = self.tally.get();
        self.tally.set(match told.ran.end {
            End::Passed => (passed + 1, failed, untold),
            End::Failed => (passed, failed + 1, untold),
            End::Untold(_) | End::Locked(_) => (passed, failed, untold + 1),
        });
        match self.format {
            Format::Json => line(&as_json(told).to_string()),
            Format::Human => {
                let color = wanted(&std::io::stdout());
                let (sign, mark) = match told.ran.end {
                    End::Passed => ('+', "ok  "),
                    End::Failed => ('-', "FAIL"),
                    End::Untold(_) | End::Locked(_) => ('?', "--  "),
                };
                let lines = human(told);
                let head = lines.first().map_or("", String::as_str);
                line(&format!("{} {}", paint(mark, sign, color), inset(head)));
                lines.iter().skip(1).for_each(|text| line(&format!("     {}", inset(text))));
            }
        }
    }

    /// All have; whether all were passed, where any was done.
    pub fn finish(&self, done: Option<bool>) {
        let (passed, failed, untold) = self.tally.get();
        if self.format == Format::Json {
            let sum = json!({ "event": "drills", "passed": passed, "failed": failed, "untold": untold });
            return line(&sum.to_string());
        }
        line(&match done {
            None => "nothing was done: --yes does it".to_owned(),
            Some(true) => format!("{} passed", counted(passed)),
            Some(false) => {
                format!("{}, {failed} failed, {untold} could not be told", counted(passed + failed + untold))
            }
        });
    }
}

fn counted(drills: u64) -> String {
    super::words::counted(usize::try_from(drills).unwrap_or(usize::MAX), "drill")
}

fn fault(drill: &DrillSpec) -> String {
    format!("{} {}", drill.sort, drill.params)
}

fn repair(drill: &DrillSpec) -> &'static str {
    drill.repair.unwrap_or_else(|| agent::drills::usual_repair(&drill.sort)).word()
}

fn sees(drill: &DrillSpec) -> Vec<String> {
    let one = |sight: &Sight| match sight {
        Sight::Drift => "drift".to_owned(),
        Sight::Agent => "agent".to_owned(),
        Sight::Check(name) => name.clone(),
    };
    drill.sees.iter().map(one).collect()
}

fn time(took: Duration) -> String {
    match took.as_millis() {
        millis @ 0..1000 => format!("{millis} ms"),
        _ => format!("{:.1} s", took.as_secs_f64()),
    }
}

fn because(end: &End) -> Option<&str> {
    match end {
        End::Untold(why) | End::Locked(why) => Some(why),
        End::Passed | End::Failed => None,
    }
}

fn human(Told { host, drill, ran, took }: &Told<'_>) -> Vec<String> {
    let mut lines = vec![format!("{host}: {} ({}, {})", drill.name, drill.origin, time(*took))];
    for step in &ran.steps {
        lines.push(format!("  {:<6} {:>7}  {}", step.name, time(step.took), step.told).trim_end().to_owned());
    }
    lines.extend(because(&ran.end).map(|why| format!("  cannot be told here: {why}")));
    if !ran.faults.is_empty() && !drill.doc.is_empty() {
        lines.push(drill.doc.clone());
    }
    lines.extend(ran.faults.iter().cloned());
    lines
}

fn as_json(Told { host, drill, ran, took }: &Told<'_>) -> serde_json::Value {
    let millis = |took: Duration| u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    let step = |step: &trial::Step| json!({ "step": step.name, "told": step.told, "ms": millis(step.took) });
    let end = match ran.end {
        End::Passed => "passed",
        End::Failed => "failed",
        End::Untold(_) => "untold",
        End::Locked(_) => "locked",
    };
    json!({
        "event": "drill", "host": host, "drill": drill.name, "origin": drill.origin, "end": end,
        "because": because(&ran.end), "ms": millis(*took),
        "steps": ran.steps.iter().map(step).collect::<Vec<_>>(), "faults": ran.faults,
    })
}

#[cfg(test)]
mod tests {
    use super::{Told, as_json, human};
    use model::DrillSpec;
    use std::time::Duration;
    use trial::Step;
    use trial::drill::{End, Ran};

    #[test]
    fn what_could_not_be_told_is_never_told_as_passed() {
        let drill = DrillSpec { name: "full".into(), ..DrillSpec::default() };
        let steps =
            vec![Step { name: "even", told: "1 check passed".into(), took: Duration::from_millis(7) }];
        for (end, faults, word, part) in [
            (End::Passed, vec![], "passed", "even      7 ms  1 check passed"),
            (End::Failed, vec!["not seen".to_owned()], "failed", "not seen"),
            (End::Untold("no nft".into()), vec![], "untold", "cannot be told here: no nft"),
            (End::Locked("by ann".into()), vec![], "locked", "cannot be told here: by ann"),
        ] {
            let ran = Ran { end, steps: steps.clone(), faults };
            let told = Told { host: "web1", drill: &drill, ran: &ran, took: Duration::from_millis(20) };
            assert_eq!(as_json(&told)["end"], word);
            assert!(human(&told).join("\n").contains(part), "{:?}", human(&told));
        }
    }
}
