//! What became of the checks of one host. Whoever did not answer has not passed.

use model::{CheckEnd, CheckResult, CheckSpec};

/// One host, looked at.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Looked {
    /// Its name; empty for the machine we are on.
    pub host: String,
    /// Its checks in their order, each with what became of it.
    pub checks: Vec<Seen>,
    /// Why it could not be asked, where it could not.
    pub trouble: Option<String>,
}

/// A check, and what became of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    /// What was asked.
    pub check: CheckSpec,
    /// What was seen.
    pub result: CheckResult,
}

/// How many checks ended how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// As wanted.
    pub passed: usize,
    /// Not as wanted.
    pub failed: usize,
    /// Could not be told.
    pub unknown: usize,
}

impl Looked {
    /// Puts checks and results together. A check without a result is unknown.
    pub fn new(host: &str, checks: Vec<CheckSpec>, results: &[CheckResult], trouble: Option<String>) -> Self {
        let unasked = || trouble.clone().unwrap_or_else(|| "nobody has told what was seen".to_owned());
        let seen = |check: CheckSpec| {
            let found = results.iter().find(|result| result.name == check.name).cloned();
            let result = found.unwrap_or_else(|| CheckResult {
                name: check.name.clone(),
                end: CheckEnd::Unknown,
                because: unasked(),
                ..CheckResult::default()
            });
            Seen { check, result }
        };
        let checks = checks.into_iter().map(seen).collect();
        Self { host: host.to_owned(), checks, trouble }
    }

    /// How many ended how.
    pub fn tally(&self) -> Tally {
        let count = |end| self.checks.iter().filter(|seen| seen.result.end == end).count();
        Tally {
            passed: count(CheckEnd::Passed),
            failed: count(CheckEnd::Failed),
            unknown: count(CheckEnd::Unknown),
        }
    }

    /// True where every check is known to be as wanted. A host that could not be asked never is.
    pub fn is_passed(&self) -> bool {
        self.trouble.is_none() && self.checks.iter().all(|seen| seen.result.end == CheckEnd::Passed)
    }
}

impl Tally {
    /// All of them.
    pub fn all(&self) -> usize {
        self.passed + self.failed + self.unknown
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::{Looked, Tally};
    use model::{CheckEnd, CheckResult, CheckSeverity, CheckSpec, Origin, Shortfall};

    /// One host with a check of every ending, and one that could not be asked.
    pub(crate) fn hosts() -> Vec<Looked> {
        let spec = |name: &str, line, severity| {
            let origin = Origin { file: "tests/web.toml".into(), line, col: 1 };
            let (name, subject) = (name.to_owned(), "http".to_owned());
            CheckSpec {
                name,
                subject,
                origin,
                severity,
                doc: "the \"site\" <answers>".into(),
                ..CheckSpec::default()
            }
        };
        let checks = vec![
            spec("answers", 1, CheckSeverity::Critical),
            spec("a \"b\"\\", 5, CheckSeverity::Warning),
            spec("db", 9, CheckSeverity::Critical),
        ];
        let shortfalls =
            vec![Shortfall::new("status", 200, "502; it said `<b>\n&`"), Shortfall::new("x", "y", "z")];
        let results = [
            CheckResult { tries: 1, millis: 12, ..result("answers", CheckEnd::Passed) },
            CheckResult { tries: 7, millis: 30_120, shortfalls, ..result("a \"b\"\\", CheckEnd::Failed) },
            CheckResult {
                tries: 1,
                because: "`psql` was not found".into(),
                ..result("db", CheckEnd::Unknown)
            },
        ];
        let lost = Looked::new("web2", Vec::new(), &[], Some("connect: no route to host".to_owned()));
        vec![Looked::new("web1", checks, &results, None), lost]
    }

    fn spec(name: &str) -> CheckSpec {
        CheckSpec { name: name.into(), ..CheckSpec::default() }
    }

    fn result(name: &str, end: CheckEnd) -> CheckResult {
        CheckResult { name: name.into(), end, ..CheckResult::default() }
    }

    #[test]
    fn what_has_no_result_has_not_passed() {
        let results = [result("b", CheckEnd::Passed), result("c", CheckEnd::Failed)];
        let looked = Looked::new("web1", ["a", "b", "c"].map(spec).into(), &results, None);
        assert_eq!(looked.tally(), Tally { passed: 1, failed: 1, unknown: 1 });
        assert!(!looked.is_passed());
        let whole = Looked::new("web1", vec![spec("b")], &results, None);
        assert!(whole.is_passed());
        let cut_off = Looked::new("web1", vec![spec("b")], &results, Some("it is gone".into()));
        assert!(!cut_off.is_passed());
    }
}
