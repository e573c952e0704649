//! The figures as bars, in SVG: a group for each workload, time to the right on a logarithmic scale, the floor as the first bar.

use crate::contest::Outcome;
use crate::figures::Figures;
use crate::table::seconds;
use std::fmt::Write as _;

const WIDTH: f64 = 900.0;
/// Where bars begin, and how much room the longest leaves for its label.
const LEFT: f64 = 190.0;
const RIGHT: f64 = 80.0;
const BAR: f64 = 15.0;
const HEAD: f64 = 26.0;

/// The powers of ten, in seconds, between which bars end.
const SHORTEST: i32 = -3;
const LONGEST: i32 = 2;

/// An SVG document.
pub fn svg(figures: &Figures) -> String {
    let mut body = String::new();
    let mut y = 30.0;
    for row in &figures.rows {
        y += HEAD;
        let title = format!("{}: {}", row.id, row.what);
        text(&mut body, [8.0, y - 6.0], "title", &title);
        let bars = row.floors().iter().take(1).map(|it| (it, "floor", "floor"));
        let bars = bars.chain([(row.keel(), "keel", "keel")]);
        for (outcome, class, name) in bars.chain(row.peers().iter().map(|it| (it, "peer", it.name.as_str())))
        {
            bar(&mut body, y, class, name, outcome);
            y += BAR;
        }
    }
    let grid = grid(y + 4.0);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{:.0}\" viewBox=\"0 0 {WIDTH} {:.0}\" font-family=\"sans-serif\" \
         font-size=\"11\">\n<style>.back{{fill:#fff}}.title{{font-weight:bold}}.floor{{fill:#9aa5b1}}.keel{{fill:#1b7f5c}}.peer{{fill:#c98b3c}}\
         .line{{stroke:#ddd}}text{{fill:#222}}</style>\n<rect class=\"back\" width=\"100%\" height=\"100%\"/>\n{grid}{body}</svg>\n",
        y + 16.0,
        y + 16.0
    )
}

fn bar(body: &mut String, y: f64, class: &str, name: &str, outcome: &Outcome) {
    text(body, [24.0, y + 11.0], "name", name);
    if outcome.samples.is_empty() {
        let why = outcome.left_out.as_deref().unwrap_or("not measured");
        let why = if why.starts_with("failed") { "failed" } else { why };
        return text(body, [LEFT + 4.0, y + 11.0], "time", why);
    }
    let length = at(outcome.wall()) - LEFT;
    writeln!(
        body,
        "<rect class=\"{class}\" x=\"{LEFT}\" y=\"{:.0}\" width=\"{length:.1}\" height=\"11\"/>",
        y + 2.0
    )
    .expect("a String takes all");
    text(body, [LEFT + length + 4.0, y + 11.0], "time", &seconds(outcome.wall()));
}

/// Where a time is, from the left.
fn at(seconds: f64) -> f64 {
    let share = (seconds.log10() - f64::from(SHORTEST)) / f64::from(LONGEST - SHORTEST);
    LEFT + share.clamp(0.002, 1.0) * (WIDTH - LEFT - RIGHT)
}

/// A line for each power of ten.
fn grid(bottom: f64) -> String {
    let mut body = String::new();
    for power in SHORTEST..=LONGEST {
        let time = 10f64.powi(power);
        let x = at(time);
        writeln!(body, "<line class=\"line\" x1=\"{x:.1}\" y1=\"24\" x2=\"{x:.1}\" y2=\"{bottom:.0}\"/>")
            .expect("a String takes all");
        text(&mut body, [x - 12.0, 18.0], "time", &seconds(time));
    }
    body
}

fn text(body: &mut String, [x, y]: [f64; 2], class: &str, words: &str) {
    let words = words.replace('&', "&amp;").replace('<', "&lt;");
    writeln!(body, "<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.0}\">{words}</text>")
        .expect("a String takes all");
}

#[cfg(test)]
mod tests {
    use super::{LEFT, at, svg};
    use crate::figures::tests::figures;

    #[test]
    fn a_chart_has_a_bar_for_each_that_was_measured() {
        let chart = svg(&figures());
        insta::assert_snapshot!(chart);
        assert_eq!(chart.matches("height=\"11\"").count(), 4);
    }

    #[test]
    fn ten_times_longer_is_a_step_further() {
        let step = at(0.1) - at(0.01);
        assert!((at(1.0) - at(0.1) - step).abs() < 1e-9);
        assert!(at(1e-9) > LEFT && at(1e9) <= at(100.0) + 1e-9);
    }
}
