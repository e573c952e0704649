//! The Test Anything Protocol (testanything.org), as far as it says what failed: bats and others write it.

/// The failures of an output in TAP, a line each; `None` where it is none, or tells of none.
pub fn failures(text: &str) -> Option<String> {
    let is_plan =
        |line: &str| line.strip_prefix("1..").is_some_and(|count| count.trim().parse::<u32>().is_ok());
    if !text.lines().any(is_plan) {
        return None;
    }
    let mut told: Vec<&str> = Vec::new();
    let mut is_failed = false;
    for line in text.lines() {
        match line.strip_prefix("not ok ") {
            Some(rest) => {
                is_failed = !rest.contains("# \u{54}ODO") && !rest.to_lowercase().contains("# skip");
                told.extend(is_failed.then_some(line));
            }
            None if line.starts_with("ok ") => is_failed = false,
            // What a failure says of itself.
            None if is_failed && line.starts_with('#') => told.push(line),
            None => {}
        }
    }
    (!told.is_empty()).then(|| told.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::failures;

    #[test]
    fn only_failures_and_what_they_say_are_told() {
        let text = "1..3\nok 1 answers\n# fine\nnot ok 2 is served\n# (in test file web.bats, line 7)\nnot ok 3 x # skip\n# why\n";
        assert_eq!(failures(text).unwrap(), "not ok 2 is served\n# (in test file web.bats, line 7)");
        assert_eq!(failures("1..1\nok 1 x\n"), None);
        assert_eq!(failures("not ok 1 but no TAP\n"), None);
    }
}
