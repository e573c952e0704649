//! How a run is carried out, as the command line says it. It decides nothing: the host does as the order's terms say.

use wire::Terms;

/// How long is waited for another run, where that is not said.
const WAIT: &str = "10m";

/// Options of every verb that changes machines.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Conditions {
    /// Waits for another run that has the host, at most so long, in seconds or such as 10m; ten minutes where that is not said.
    #[arg(long, value_name = "TIME", num_args = 0..=1, default_missing_value = WAIT, require_equals = true, value_parser = time)]
    wait: Option<u64>,
    /// The host undoes the run unless it is confirmed within this time after its end, such as 60s. Of hosts keel does that by itself, over a
    /// fresh connection; with --local it asks. A run that could lock you out has 60 s without being told; 0s is for none.
    #[arg(long, value_name = "DURATION", value_parser = window)]
    confirm: Option<u64>,
}

impl Conditions {
    /// As the host is told.
    pub fn put(&self, terms: &mut Terms) {
        terms.wait = self.wait.or(terms.wait);
        terms.confirm = self.confirm.or(terms.confirm);
    }
}

/// The same, or none at all.
fn window(text: &str) -> Result<u64, String> {
    if text == "0s" { Ok(0) } else { seconds(text) }
}

/// The same, or seconds without a unit.
fn time(text: &str) -> Result<u64, String> {
    text.parse().or_else(|_| seconds(text))
}

/// `60s`, `5m` or `1h` as seconds.
pub fn seconds(text: &str) -> Result<u64, String> {
    dsl::duration(text).ok_or_else(|| "write a whole number with s, m or h, such as 60s".to_owned())
}

#[cfg(test)]
mod tests {
    use super::{seconds, time, window};

    #[test]
    fn a_duration_has_a_unit() {
        assert_eq!(["60s", "5m", "1h"].map(seconds), [Ok(60), Ok(300), Ok(3600)]);
        assert_eq!([window("0s"), window("1m"), time("90"), time("2m")], [Ok(0), Ok(60), Ok(90), Ok(120)]);
        assert!(["60", "", "0s", "s", "é"].iter().all(|text| seconds(text).is_err()));
    }
}
