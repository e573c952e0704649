//! `Match` of ssh_config(5): does a block count for this host? What would have to be run or asked of the network to know is said, never guessed.

use super::words;
use crate::pattern;

/// What a `Match` is about, as far as the lines before it have said.
pub(super) struct Subject<'a> {
    /// As it was typed.
    pub(super) original: &'a str,
    /// `HostName` so far.
    pub(super) host: &'a str,
    /// `User` so far.
    pub(super) user: &'a str,
    /// Who asks.
    pub(super) local_user: &'a str,
    pub(super) pass: Pass,
}

/// A configuration with a `Match final` is read twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pass {
    First,
    Final,
}

/// Whether the block counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Yes,
    No,
    /// Only ssh itself can tell, because of this criterion.
    Beyond(String),
}

/// `exec=foo`, `host foo`, `!all`: a criterion's name in small letters, whether it is to hold, and what it is compared with.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Criterion {
    name: String,
    holds: bool,
    value: String,
}

/// Takes what is behind `Match` apart.
///
/// # Errors
/// What is wrong with it.
pub(super) fn criteria(rest: &str) -> Result<Vec<Criterion>, String> {
    let mut words = words::arguments(rest)?.into_iter();
    let mut criteria = Vec::new();
    while let Some(word) = words.next() {
        let (word, inline) = match word.split_once('=') {
            Some((word, value)) => (word.to_owned(), Some(value.to_owned())),
            None => (word, None),
        };
        let name = word.trim_start_matches('!').to_ascii_lowercase();
        let value = match name.as_str() {
            "all" | "canonical" | "final" => String::new(),
            _ => inline.filter(|value| !value.is_empty()).or_else(|| words.next()).ok_or_else(|| {
                format!("`Match {word}` has nothing to compare with: write `Match {word} PATTERN`")
            })?,
        };
        criteria.push(Criterion { name, holds: !word.starts_with('!'), value });
    }
    if criteria.is_empty() {
        Err("`Match` has no criteria: write `Match all`".to_owned())
    } else {
        Ok(criteria)
    }
}

/// Do they ask for a second reading?
pub(super) fn want_final_pass(criteria: &[Criterion]) -> bool {
    criteria.iter().any(|criterion| criterion.name == "final")
}

/// All of them have to hold. One that does not is enough to know, whatever the others would need.
pub(super) fn judge(criteria: &[Criterion], subject: &Subject<'_>) -> Verdict {
    let mut verdict = Verdict::Yes;
    for Criterion { name, holds, value } in criteria {
        let listed = |patterns: &str, text: &str| pattern::any(patterns.split(','), text);
        let found = match name.as_str() {
            "all" => true,
            "canonical" | "final" => subject.pass == Pass::Final,
            "host" => listed(&value.to_lowercase(), subject.host),
            "originalhost" => listed(&value.to_lowercase(), subject.original),
            "user" => listed(value, subject.user),
            "localuser" => listed(value, subject.local_user),
            _ => {
                verdict = Verdict::Beyond(format!("Match {name}"));
                continue;
            }
        };
        if found != *holds {
            return Verdict::No;
        }
    }
    verdict
}

#[cfg(test)]
mod tests {
    use super::{Pass, Subject, Verdict, criteria, judge, want_final_pass};

    fn judged(rest: &str, pass: Pass) -> Verdict {
        let subject =
            Subject { original: "web", host: "web.example.org", user: "ops", local_user: "me", pass };
        judge(&criteria(rest).unwrap(), &subject)
    }

    #[test]
    fn all_criteria_have_to_hold() {
        for (rest, expected) in [
            ("all", true),
            ("!all", false),
            ("host *.Example.org", true),
            ("host=*.example.org user ops", true),
            ("host web", false),
            ("originalhost web,db", true),
            ("originalhost \"web,!w*\"", false),
            ("!user root localuser me", true),
            ("user OPS", false),
            ("final", false),
            ("canonical all", false),
            ("user root exec \"test -f x\"", false),
        ] {
            assert_eq!(judged(rest, Pass::First) == Verdict::Yes, expected, "{rest}");
        }
        assert_eq!(judged("final all", Pass::Final), Verdict::Yes);
        assert!(want_final_pass(&criteria("host x Final").unwrap()));
    }

    #[test]
    fn what_only_ssh_can_tell() {
        let beyond = |name: &str| Verdict::Beyond(name.to_owned());
        assert_eq!(judged("exec \"test a = b\" user ops", Pass::First), beyond("Match exec"));
        assert_eq!(judged("!localnetwork 10.0.0.0/8", Pass::First), beyond("Match localnetwork"));
        assert_eq!(judged("tagged x", Pass::First), beyond("Match tagged"));
    }

    #[test]
    fn criteria_that_are_wrong_say_what_to_write() {
        assert!(criteria("").unwrap_err().contains("write `Match all`"));
        assert!(criteria("# x").unwrap_err().contains("write `Match all`"));
        assert!(criteria("host").unwrap_err().contains("write `Match host PATTERN`"));
        assert!(criteria("exec 'a").unwrap_err().contains("never closed"));
    }
}
