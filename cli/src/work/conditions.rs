//! How a run is carried out, as the command line says it. It decides nothing: the host does as the order's terms say.

use wire::Terms;

/// Seconds that are waited for another run, where no number is said.
const WAIT: &str = "600";

/// Options of every verb that changes machines.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Conditions {
    /// Waits for another run that has the host, at most so many seconds; 600 where no number is said.
    #[arg(long, value_name = "SECONDS", num_args = 0..=1, default_missing_value = WAIT, require_equals = true)]
    wait: Option<u64>,
    /// The host undoes the run unless it is confirmed within this time after its end, such as 60s. Of hosts keel does that by itself, over a
    /// fresh connection; with --local it asks. A run that could lock you out has 60 s without being told.
    #[arg(long, value_name = "DURATION", value_parser = seconds)]
    confirm: Option<u64>,
}

impl Conditions {
    /// As the host is told.
    pub fn put(&self, terms: &mut Terms) {
        terms.wait = self.wait.or(terms.wait);
        terms.confirm = self.confirm.or(terms.confirm);
    }
}

/// `60s`, `5m` or `1h` as seconds.
pub fn seconds(text: &str) -> Result<u64, String> {
    dsl::duration(text).ok_or_else(|| "write a whole number with s, m or h, such as 60s".to_owned())
}

#[cfg(test)]
mod tests {
    use super::seconds;

    #[test]
    fn a_duration_has_a_unit() {
        assert_eq!(["60s", "5m", "1h"].map(seconds), [Ok(60), Ok(300), Ok(3600)]);
        assert!(["60", "", "0s", "s", "é"].iter().all(|text| seconds(text).is_err()));
    }
}
