//! What a run of the benchmark found, raw, and what it amounts to: medians, and ratios pair by pair. Kept as JSON beside table and chart. Next: `table`,
//! `chart`.

use crate::clock::Sample;
use crate::contest::Outcome;
use crate::workloads::{Most, Scale};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// All that was found.
#[derive(Debug, Serialize, Deserialize)]
pub struct Figures {
    /// On what machine, a fact a line.
    pub machine: Vec<String>,
    /// How much was measured.
    pub scale: Scale,
    /// What each tool says of its version.
    pub versions: BTreeMap<String, String>,
    /// Peers that were asked for and could not be had, and why.
    pub left_out: BTreeMap<String, String>,
    /// A row for each workload.
    pub rows: Vec<Row>,
}

/// What was found of one workload.
#[derive(Debug, Serialize, Deserialize)]
pub struct Row {
    /// The workload.
    pub id: String,
    /// What it is.
    pub what: String,
    /// What keel is to cost at most.
    pub most: Most,
    /// What it may need at most, in MiB.
    pub memory: Option<f64>,
    /// The largest process of keel's on a host, in MiB, where it was looked for.
    #[serde(default)]
    pub on_host: Option<f64>,
    /// How many of the outcomes, after the first, are floors.
    pub floors: usize,
    /// That of keel first, then the floors, then the peers.
    pub outcomes: Vec<Outcome>,
}

impl Row {
    /// That of keel.
    pub fn keel(&self) -> &Outcome {
        &self.outcomes[0]
    }

    /// Those of the floors.
    pub fn floors(&self) -> &[Outcome] {
        &self.outcomes[1..=self.floors]
    }

    /// Of a `Most::Change`: what keel takes more than with nothing to do, the same of the first floor, both in seconds, and the median of
    /// their ratios of each round.
    pub fn change(&self) -> Option<(f64, f64, f64)> {
        let [floor, .., nothing, idle] = self.floors() else { return None };
        let more = |of: &Outcome, than: &Outcome| -> Vec<f64> {
            of.samples.iter().zip(&than.samples).map(|(of, than)| of.wall - than.wall).collect()
        };
        let (keel, floor) = (more(self.keel(), idle), more(floor, nothing));
        let ratios = keel.iter().zip(&floor).map(|(keel, floor)| keel / floor);
        Some((median(keel.iter().copied()), median(floor.iter().copied()), median(ratios)))
    }

    /// Those of the peers.
    pub fn peers(&self) -> &[Outcome] {
        &self.outcomes[self.floors + 1..]
    }
}

impl Outcome {
    /// The median of what `of` takes from each run; NaN without runs.
    pub fn median(&self, of: fn(&Sample) -> f64) -> f64 {
        median(self.samples.iter().map(of))
    }

    /// Median of wall times, in seconds.
    pub fn wall(&self) -> f64 {
        self.median(|sample| sample.wall)
    }

    /// Largest peak of all runs, in MiB; NaN without runs.
    pub fn peak(&self) -> f64 {
        self.samples.iter().map(|sample| sample.peak).fold(f64::NAN, f64::max)
    }

    /// The median of ratios of wall times, each that of runs of one round; NaN without runs of both.
    pub fn ratio(&self, other: &Self) -> f64 {
        median(self.samples.iter().zip(&other.samples).map(|(one, other)| one.wall / other.wall))
    }
}

/// NaN for no values; of an even number of them, the mean of the middle two.
pub fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let middle = |index: usize| values.get(index).copied().unwrap_or(f64::NAN);
    match values.len() {
        0 => f64::NAN,
        odd if odd % 2 == 1 => middle(odd / 2),
        even => f64::midpoint(middle(even / 2 - 1), middle(even / 2)),
    }
}

#[cfg(test)]
pub mod tests {
    use super::{Figures, Row, median};
    use crate::clock::Sample;
    use crate::contest::Outcome;
    use crate::workloads::{Most, Scale};

    /// An outcome with these wall times.
    pub fn outcome(name: &str, walls: &[f64]) -> Outcome {
        let samples = walls
            .iter()
            .map(|&wall| Sample { wall, cpu: wall, peak: wall * 100.0, hosts: wall * 3.0 })
            .collect();
        Outcome { name: name.to_owned(), samples, left_out: None }
    }

    /// Two rows, one of them with peers.
    pub fn figures() -> Figures {
        let slow = Outcome { left_out: Some("over 40 s".to_owned()), ..outcome("slowly", &[]) };
        let row = |id: &str, most: Most, floors: usize, outcomes: Vec<Outcome>| Row {
            id: id.to_owned(),
            what: "some files".to_owned(),
            most,
            memory: Some(25.0),
            on_host: (floors == 1).then_some(12.0),
            floors,
            outcomes,
        };
        let fast = outcome("keel", &[0.012, 0.010, 0.011]);
        let floor = outcome("stat, read, hash", &[0.010, 0.010, 0.010]);
        let pup = outcome("pup", &[4.0, 5.0, 6.0]);
        Figures {
            machine: vec!["2 x some processor".to_owned()],
            scale: Scale::Quick,
            versions: [("pup".to_owned(), "7.0".to_owned())].into(),
            left_out: [("gone".to_owned(), "no such package".to_owned())].into(),
            rows: vec![
                row("W1", Most::Ratio(1.5), 1, vec![fast, floor, pup, slow]),
                row("W8", Most::Seconds(0.15), 0, vec![outcome("keel", &[0.2])]),
            ],
        }
    }

    #[test]
    fn the_median_is_in_the_middle() {
        for (values, wanted) in
            [(vec![3.0, 1.0, 2.0], 2.0), (vec![1.0, 2.0, 3.0, 10.0], 2.5), (vec![7.0], 7.0)]
        {
            assert_eq!(median(values.into_iter()), wanted);
        }
        assert!(median(std::iter::empty()).is_nan());
    }

    #[test]
    fn a_change_is_what_is_more_than_nothing() {
        let walls = [[0.05, 0.06, 0.9], [0.012, 0.013, 0.1], [0.002, 0.003, 0.002], [0.03, 0.04, 0.03]];
        let outcomes = walls.iter().map(|walls| outcome("it", walls)).collect();
        let mut figures = figures();
        let row = &mut figures.rows[0];
        (row.floors, row.outcomes) = (3, outcomes);
        let (keel, floor, ratio) = row.change().expect("there are enough floors");
        assert!((keel - 0.02).abs() < 1e-9 && (floor - 0.01).abs() < 1e-9 && (ratio - 2.0).abs() < 1e-9);
    }

    #[test]
    fn ratios_are_those_of_pairs() {
        // The machine becomes ten times slower in the middle: for both.
        let (one, other) = (outcome("a", &[2.0, 20.0, 2.0]), outcome("b", &[1.0, 10.0, 1.0, 9.0]));
        assert_eq!(one.ratio(&other), 2.0);
        assert!(one.ratio(&outcome("c", &[])).is_nan());
    }
}
