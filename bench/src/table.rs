//! The figures as Markdown: against the floor, against peers, memory; then what they were found on.

use crate::clock::Sample;
use crate::contest::Outcome;
use crate::figures::{Figures, Row};
use crate::workloads::Most;
use std::fmt::Write as _;

/// The tables, and what stands below them.
pub fn markdown(figures: &Figures) -> String {
    let mut text = against_the_floor(figures);
    let peers = peers(figures);
    if !peers.is_empty() {
        text += &against(figures, &peers);
    }
    text += &memory(figures, &peers);
    text += &shares(figures);
    text += &circumstances(figures);
    text
}

fn against_the_floor(figures: &Figures) -> String {
    let mut text = "| | | keel | floor | keel / floor | to reach |\n|---|---|---|---|---|---|\n".to_owned();
    for row in &figures.rows {
        let keel = row.keel();
        let floors: Vec<String> =
            row.floors().iter().map(|floor| format!("{} ({})", seconds(floor.wall()), floor.name)).collect();
        let ratios: Vec<String> = row.floors().iter().map(|floor| number(keel.ratio(floor))).collect();
        let (found, reach) = (found(row, &ratios), reach(row.most));
        writeln!(
            text,
            "| {} | {} | {} | {} | {found} | {reach} |",
            row.id,
            row.what,
            time(keel),
            floors.join("; ")
        )
        .expect("a String takes all");
    }
    text
}

/// What is to be compared with what is to be reached.
fn found(row: &Row, ratios: &[String]) -> String {
    match (row.most, row.floors()) {
        (Most::RoundTrips(milliseconds, _), [floor, ..]) => {
            let more = (row.keel().wall() - floor.wall()) * 1e3 / milliseconds as f64;
            format!("{}, {} round trips more", ratios.join("; "), number(more))
        }
        (Most::Change(_), _) => {
            let Some((keel, floor, ratio)) = row.change() else { return ratios.join("; ") };
            let change =
                format!("**{}** for the change ({} to {})", number(ratio), seconds(keel), seconds(floor));
            format!("{}; {change}", ratios.join("; "))
        }
        _ => ratios.join("; "),
    }
}

fn reach(most: Most) -> String {
    match most {
        Most::Ratio(ratio) => format!("{ratio}"),
        Most::Change(ratio) => format!("{ratio} for the change"),
        Most::Seconds(limit) => seconds(limit),
        Most::RoundTrips(_, more) => format!("{more} round trips more"),
        Most::Open => String::new(),
    }
}

/// The names of those that took part in any, in the order of their first row.
pub fn peers(figures: &Figures) -> Vec<&str> {
    let mut names: Vec<&str> = Vec::new();
    for outcome in figures.rows.iter().flat_map(Row::peers) {
        if !names.contains(&outcome.name.as_str()) {
            names.push(&outcome.name);
        }
    }
    names
}

fn against(figures: &Figures, peers: &[&str]) -> String {
    let mut text = format!(
        "\nPeers, and how many times what keel took:\n\n| | keel | {} |\n|---|---|",
        peers.join(" | ")
    );
    text += &"---|".repeat(peers.len());
    text.push('\n');
    for row in figures.rows.iter().filter(|row| !row.peers().is_empty()) {
        let cells: Vec<String> = peers.iter().map(|name| cell(row, name)).collect();
        writeln!(text, "| {} | {} | {} |", row.id, time(row.keel()), cells.join(" | "))
            .expect("a String takes all");
    }
    text
}

fn cell(row: &Row, peer: &str) -> String {
    let Some(outcome) = row.peers().iter().find(|outcome| outcome.name == peer) else { return String::new() };
    match &outcome.left_out {
        Some(why) if why.starts_with("failed") => "failed".to_owned(),
        Some(why) => why.clone(),
        None => format!("{} (x {})", time(outcome), number(outcome.ratio(row.keel()))),
    }
}

fn memory(figures: &Figures, peers: &[&str]) -> String {
    let mut text =
        "\nLargest process of a run, in MiB:\n\n| | keel | its agent on a host | to reach |".to_owned();
    for name in peers {
        write!(text, " {name} |").expect("a String takes all");
    }
    text += "\n|---|---|---|---|";
    text += &"---|".repeat(peers.len());
    text.push('\n');
    for row in &figures.rows {
        let on_host = row.on_host.map(number).unwrap_or_default();
        let limit = row.memory.map(|limit| limit.to_string()).unwrap_or_default();
        let peak = |name: &&str| {
            let peer = row.peers().iter().find(|outcome| outcome.name == *name);
            peer.filter(|peer| !peer.samples.is_empty()).map(|peer| number(peer.peak())).unwrap_or_default()
        };
        let cells: String = peers.iter().map(|name| format!(" {} |", peak(name))).collect();
        writeln!(text, "| {} | {} | {on_host} | {limit} |{cells}", row.id, number(row.keel().peak()))
            .expect("a String takes all");
    }
    text
}

/// Who is busy while hosts are pushed to, where that was counted: each as a share of what all processors of the machine could have done.
fn shares(figures: &Figures) -> String {
    let counted = |outcome: &&Outcome| outcome.median(|sample| sample.hosts) > 0.0;
    let mut text = String::new();
    for row in figures.rows.iter().filter(|row| row.outcomes.iter().any(|one| counted(&one))) {
        for outcome in row.outcomes.iter().filter(counted) {
            let [here, there] = [|it: &Sample| it.cpu, |it: &Sample| it.hosts].map(|of| outcome.median(of));
            let (id, name, wall) = (&row.id, &outcome.name, seconds(outcome.wall()));
            writeln!(text, "| {id} | {name} | {wall} | {} | {} |", seconds(here), seconds(there))
                .expect("a String takes all");
        }
    }
    if text.is_empty() {
        return text;
    }
    let head = "\nProcessor time of a push, on the laptop and on its hosts, which are on one machine here:\n\n\
                | | | wall time | laptop | hosts |\n|---|---|---|---|---|\n";
    head.to_owned() + &text
}

fn circumstances(figures: &Figures) -> String {
    let mut text = format!("\nOn {}.", figures.machine.join("; "));
    for (name, version) in &figures.versions {
        write!(text, " {name}: {version}.").expect("a String takes all");
    }
    for (name, why) in &figures.left_out {
        write!(text, " Left out, {name}: {why}.").expect("a String takes all");
    }
    text.push('\n');
    text
}

/// Its median time, with the number of runs if those were few.
fn time(outcome: &Outcome) -> String {
    match outcome.samples.len() {
        0 => outcome.left_out.clone().map_or_else(String::new, |_| "failed".to_owned()),
        1 => format!("{} (one run)", seconds(outcome.wall())),
        few @ 2..5 => format!("{} ({few} runs)", seconds(outcome.wall())),
        _ => seconds(outcome.wall()),
    }
}

/// A time as people read it.
pub fn seconds(seconds: f64) -> String {
    match seconds {
        none if none.is_nan() => "?".to_owned(),
        long if long >= 10.0 => format!("{long:.0} s"),
        middling if middling >= 1.0 => format!("{middling:.1} s"),
        short if short >= 0.01 => format!("{:.0} ms", short * 1e3),
        tiny => format!("{:.1} ms", tiny * 1e3),
    }
}

fn number(value: f64) -> String {
    match value {
        none if none.is_nan() => "?".to_owned(),
        large if large >= 10.0 => format!("{large:.0}"),
        small => format!("{small:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::{markdown, seconds};
    use crate::figures::tests::figures;

    #[test]
    fn the_tables_tell_what_was_found_and_what_was_not() {
        insta::assert_snapshot!(markdown(&figures()));
    }

    #[test]
    fn times_are_short() {
        let told = [0.0042, 0.0123, 0.9, 1.26, 285.4].map(seconds);
        assert_eq!(told, ["4.2 ms", "12 ms", "900 ms", "1.3 s", "285 s"]);
    }
}
