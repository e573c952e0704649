//! The exit code that monitors read (Monitoring Plugins Development Guidelines, "Plugin Return Codes").

use crate::looked::Looked;
use model::{CheckEnd, CheckSeverity};

/// What a monitor is told, the most severe last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Monitor {
    /// Everything is known to be as wanted.
    Ok,
    /// Only checks of the severity `warning` failed.
    Warning,
    /// Something could not be told, or a host could not be asked.
    Unknown,
    /// A check failed.
    Critical,
}

impl Monitor {
    /// Of all hosts.
    pub fn of(hosts: &[Looked]) -> Self {
        let one = |looked: &Looked| {
            let trouble = looked.trouble.as_ref().map(|_| Self::Unknown);
            let seen = looked.checks.iter().map(|seen| match (seen.result.end, seen.check.severity) {
                (CheckEnd::Passed, _) => Self::Ok,
                (CheckEnd::Unknown, _) => Self::Unknown,
                (CheckEnd::Failed, CheckSeverity::Warning) => Self::Warning,
                (CheckEnd::Failed, CheckSeverity::Critical) => Self::Critical,
            });
            seen.chain(trouble).max().unwrap_or(Self::Ok)
        };
        hosts.iter().map(one).max().unwrap_or(Self::Unknown)
    }

    /// Its exit code.
    pub fn code(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Warning => 1,
            Self::Critical => 2,
            Self::Unknown => 3,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Monitor;
    use crate::Looked;
    use model::{CheckEnd, CheckResult, CheckSeverity, CheckSpec};

    fn host(ends: &[(CheckEnd, CheckSeverity)], trouble: Option<&str>) -> Looked {
        let numbered = || ends.iter().enumerate().map(|(at, end)| (at.to_string(), end));
        let specs = numbered().map(|(name, (_, severity))| CheckSpec {
            name,
            severity: *severity,
            ..CheckSpec::default()
        });
        let results: Vec<CheckResult> = numbered()
            .map(|(name, (end, _))| CheckResult { name, end: *end, ..CheckResult::default() })
            .collect();
        Looked::new("h", specs.collect(), &results, trouble.map(str::to_owned))
    }

    #[test]
    fn a_monitor_is_told_the_worst() {
        use CheckEnd::{Failed, Passed, Unknown};
        use CheckSeverity::{Critical, Warning};
        for (hosts, code) in [
            (vec![host(&[(Passed, Critical)], None)], 0),
            (vec![host(&[(Passed, Critical), (Failed, Warning)], None)], 1),
            (vec![host(&[(Failed, Warning)], None), host(&[(Unknown, Warning)], None)], 3),
            (vec![host(&[(Failed, Critical), (Unknown, Critical)], None)], 2),
            (vec![host(&[(Passed, Critical)], Some("gone"))], 3),
            (vec![host(&[], None)], 0),
            (vec![], 3),
        ] {
            assert_eq!(Monitor::of(&hosts).code(), code, "{hosts:?}");
        }
    }
}
