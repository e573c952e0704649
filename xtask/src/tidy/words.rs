//! Words and constructs that have no place, or one place only. It reads code without strings, so that a rule
//! may name what it forbids.

use crate::tidy::finding::Finding;
use crate::tidy::source::{Source, is_test_path};
use crate::tidy::tree::Tree;

/// Written as a macro call in code, tests included.
const UNFINISHED: &[&str] = &["todo!", "unimplemented!", "dbg!"];

/// Written anywhere, comments included.
const REMINDERS: &[&str] = &["TODO", "FIXME"];

const PRINTING: &[&str] = &["println!", "print!", "eprintln!", "eprint!"];

/// Where this project is worked on is nobody's business. In halves, so that this file does not name it either.
const WORKPLACE: &[&str] = &[concat!("/wo", "rk/"), concat!("/tmp/", "wt"), concat!("/tmp/", "keel-build")];

/// All findings about words.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let mut found: Vec<_> = tree.sources.iter().flat_map(|s| [anywhere(s), product(s)].concat()).collect();
    for (path, text) in &tree.texts {
        for (number, line) in text.lines().enumerate() {
            if let Some(word) = WORKPLACE.iter().find(|word| line.contains(**word)) {
                let advice = format!("`{word}` is a place of this machine: say it without");
                found.push(Finding::new(path, number + 1, advice));
            }
        }
    }
    found
}

/// Rules for every line of Rust.
fn anywhere(source: &Source) -> Vec<Finding> {
    let mut found = Vec::new();
    for (number, line) in source.all() {
        if let Some(word) = UNFINISHED.iter().find(|word| has_word(line, word)) {
            found.push(Finding::new(&source.path, number, format!("`{word}`: finish it or take it out")));
        }
        if line.trim_start().starts_with("#[ignore") {
            found.push(Finding::new(
                &source.path,
                number,
                "an ignored test shows nothing: run it or delete it",
            ));
        }
        if ["::*;", "::*,", "::*}", "::* }"].iter().any(|star| line.contains(star)) {
            found.push(Finding::new(&source.path, number, "no wildcard import: name what is used"));
        }
        let remark = &source.remarks[number - 1];
        if let Some(word) = REMINDERS.iter().find(|word| has_word(remark, word)) {
            found.push(Finding::new(&source.path, number, format!("`{word}`: do it now or open an issue")));
        }
    }
    found
}

/// Where programs may be started.
const STARTING: [&str; 7] = [
    "agent/src/os/child.rs",
    "fleet/src/remote/openssh.rs",
    "fleet/src/remote/keep/start.rs",
    "fleet/src/remote/spawned.rs",
    "fleet/src/sources/vagrant.rs",
    "cli/src/vault/editor.rs",
    "bundle/src/source/git.rs",
];

/// Who looks at the clock that people set: for them, and for the age of files. What waits or times out goes by `Instant`.
const DATING: [&str; 4] =
    ["agent/src/os/clock.rs", "cli/src/clock.rs", "agent/src/main.rs", "agent/src/session/job.rs"];

/// Rules for what is neither test nor chore.
fn product(source: &Source) -> Vec<Finding> {
    let path = source.path.as_str();
    if path.starts_with("xtask/") || path.starts_with("bench/") || is_test_path(path) {
        return Vec::new();
    }
    let mut found = Vec::new();
    for (number, line) in source.product() {
        let mut say = |advice: &str| found.push(Finding::new(path, number, advice));
        if !STARTING.contains(&path) && starts_processes(line) {
            say(
                "processes are started by agent/src/os/child.rs alone, ssh by fleet/src/remote/openssh.rs, what enters a box by fleet/src/remote/spawned.rs, what keeps connections by fleet/src/remote/keep/start.rs, vagrant by fleet/src/sources/vagrant.rs, the editor by cli/src/vault/editor.rs, and git by bundle/src/source/git.rs",
            );
        }
        if !path.starts_with("cli/src/view/") && PRINTING.iter().any(|word| has_word(line, word)) {
            say("printing is done by cli/src/view/ alone: hand it an event or a value");
        }
        if !DATING.contains(&path)
            && ["SystemTime::now", "Timestamp::now", "Zoned::now"].iter().any(|it| line.contains(it))
        {
            say(
                "the time of day comes in as an argument; what waits goes by `Instant`, which nobody can set",
            );
        }
        if line.contains(".unwrap()") {
            say("no unwrap outside tests: return the error, or `expect(\"why it holds\")`");
        }
    }
    found.extend(
        source.functions.iter().filter(|f| f.first <= source.product_lines && takes_bool(&f.signature)).map(
            |f| {
                Finding::new(
                    path,
                    f.first,
                    format!("fn {}: a `bool` parameter says too little: make it an enum", f.name),
                )
            },
        ),
    );
    found
}

fn starts_processes(line: &str) -> bool {
    let uses = line.contains("std::process");
    let types = ["Command", "Stdio", "exit"];
    line.contains("process::Command")
        || uses && (line.trim_end().ends_with("process;") || types.iter().any(|word| has_word(line, word)))
}

/// `pub fn` with a parameter of the bare type `bool`.
fn takes_bool(signature: &str) -> bool {
    let parameters = signature.rsplit_once(") ->").map_or(signature, |(parameters, _)| parameters);
    let plain = [": bool,", ": bool)", ": bool, )"].iter().any(|end| parameters.contains(end));
    signature.starts_with("pub fn") && (plain || parameters.ends_with(": bool"))
}

/// Does `word` stand in `line` with no letter, digit or underscore beside it?
pub fn has_word(line: &str, word: &str) -> bool {
    let part = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    let whole =
        |at: usize| !part(line[..at].chars().next_back()) && !part(line[at + word.len()..].chars().next());
    line.match_indices(word).any(|(at, _)| whole(at))
}

#[cfg(test)]
mod tests {
    use super::{WORKPLACE, check};
    use crate::tidy::tree::Tree;

    fn found(path: &str, text: &str) -> String {
        check(&Tree::of(path, text)).iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn unfinished_things_are_found() {
        for bad in
            ["todo!()", "unimplemented!()", "dbg!(x)", "// TODO later", "/* FIXME */", "#[ignore = \"slow\"]"]
        {
            assert!(
                found("m/tests/x.rs", &format!("//! x\n{bad}\n")).starts_with("m/tests/x.rs:2: "),
                "{bad}"
            );
        }
        assert_eq!(found("m/src/x.rs", "//! x\nlet a = \"TODO todo!\"; // TODOS\n"), "");
    }

    #[test]
    fn wildcard_imports_are_found() {
        for bad in ["use a::*;", "use a::{b::*, c};", "    use super::*;"] {
            assert!(found("m/src/x.rs", bad).contains("no wildcard import"), "{bad}");
        }
        assert_eq!(found("m/src/x.rs", "let a = b * c; // use a::*;\n"), "");
    }

    #[test]
    fn processes_have_one_place() {
        for bad in [
            "use std::process::Command;",
            "use std::process::{Stdio, X};",
            "use std::process;",
            "std::process::exit(1)",
        ] {
            assert!(found("agent/src/x.rs", bad).contains("processes are started"), "{bad}");
            assert_eq!(found("agent/src/os/child.rs", bad), "");
            assert_eq!(found("fleet/src/remote/openssh.rs", bad), "");
            assert!(
                found("fleet/src/remote/openssh_pipe.rs", bad).contains("processes are started"),
                "{bad}"
            );
            assert_eq!(found("xtask/src/x.rs", bad), "");
        }
        assert_eq!(found("cli/src/main.rs", "use std::process::ExitCode;"), "");
    }

    #[test]
    fn printing_has_one_place() {
        for bad in ["println!()", "eprint!(\"x\")", "std::println!(\"x\")"] {
            assert!(found("cli/src/x.rs", bad).contains("printing is done"), "{bad}");
            assert_eq!(found("cli/src/view/human.rs", bad), "");
            assert_eq!(found("cli/tests/x.rs", bad), "");
        }
    }

    #[test]
    fn the_time_of_day_has_few_places() {
        for bad in ["SystemTime::now()", "let now = jiff::Timestamp::now;", "jiff::Zoned::now()"] {
            assert!(found("fleet/src/x.rs", bad).contains("nobody can set"), "{bad}");
            assert_eq!(found("agent/src/os/clock.rs", bad), "");
            assert_eq!(found("agent/tests/x.rs", bad), "");
        }
    }

    #[test]
    fn unwrap_is_for_tests() {
        assert!(found("m/src/x.rs", "a.unwrap()").contains("no unwrap"));
        assert_eq!(found("m/src/x.rs", "#[cfg(test)]\nmod tests {\n    a.unwrap()\n}\n"), "");
    }

    #[test]
    fn a_bool_parameter_of_a_public_function_is_found() {
        for bad in [
            "pub fn a(b: bool) {}",
            "pub fn a(b: bool, c: u8) -> bool {}",
            "pub fn a(\n    b: u8,\n    c: bool,\n) {}",
        ] {
            assert!(found("m/src/x.rs", bad).contains("fn a: a `bool`"), "{bad}");
        }
        assert_eq!(found("m/src/x.rs", "fn a(b: bool) {}\npub fn c(d: &bool) -> bool {}\n"), "");
    }

    #[test]
    fn the_workplace_is_found_in_any_text() {
        for word in WORKPLACE {
            assert!(found("README.md", &format!("x\nsee {word}x\n")).starts_with("README.md:2: "), "{word}");
        }
    }
}
