//! How many instructions a run takes that finds nothing to do, as callgrind counts them: the same on a busy machine, so that it can
//! be held. The budget is in `tests/budget.toml`; `CONTRIBUTING.md` says how it is changed.
//!
//! The program is the one of the tests, without optimization: what counts is how the number changes. On one processor it looks at
//! everything in one thread. Counts differ between compilers and between versions of valgrind, which hides system calls that it
//! does not know: where nobody has counted with these, any budget is held loosely.

use crate::scratch::Scratch;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::process::Command;

const KEPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/budget.toml");

/// By how much a count may be over its budget, in percent.
const TIGHT: u64 = 3;

/// The same where the budget was counted by other tools.
const LOOSE: u64 = 30;

fn site() -> String {
    let mut site = String::from("[directory.\"HOST/d\"]\nmode = \"0750\"\n");
    for number in 0..200 {
        let text = "x".repeat(63) + "\\n";
        let content = format!("{number}\\n{}", text.repeat(16));
        writeln!(site, "[file.\"HOST/d/f{number}\"]\ncontent = \"{content}\"\nmode = \"0644\"")
            .expect("text");
    }
    site.push_str("[file.\"HOST/lines\"]\n");
    for number in 0..20 {
        writeln!(site, "[directory.\"HOST/d{number}\"]").expect("text");
        writeln!(site, "[symlink.\"HOST/l{number}\"]\ntarget = \"d/f{number}\"").expect("text");
        writeln!(site, "[file.\"HOST/n{number}\"]\nensure = \"absent\"").expect("text");
        writeln!(site, "[line.n{number}]\npath = \"HOST/lines\"\nline = \"{number}\"").expect("text");
    }
    site
}

/// What a program says at the end of its first line; `None` where there is no such program.
fn version(program: &str, word: usize) -> Option<String> {
    let output = Command::new(program).arg("--version").output().ok()?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    said.split_whitespace().nth(word).map(|word| word.trim_start_matches("valgrind-").to_owned())
}

/// A processor on which this process may run.
fn processor() -> String {
    let status = std::fs::read_to_string("/proc/self/status").expect("there is proc(5)");
    let allowed = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
    let allowed = allowed.expect("Linux tells it").trim();
    allowed.split([',', '-']).next().expect("one at least").to_owned()
}

fn count(scratch: &Scratch) -> u64 {
    let mut command = Command::new("taskset");
    command.args(["-c", &processor(), "valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"]);
    command.arg(env!("CARGO_BIN_EXE_keel")).args(scratch.arguments("apply", &["--yes"]));
    let output = command.env("HOME", scratch.root()).output().expect("taskset is everywhere");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && output.stdout.starts_with(b"as desired"), "{output:?}");
    let count = said.lines().find_map(|line| line.split_once("Collected :")?.1.trim().parse().ok());
    count.expect("callgrind says what it counted")
}

/// What is kept for these tools, and by how much it may be exceeded.
fn budget(tools: &Value) -> (u64, u64) {
    let text = std::fs::read_to_string(KEPT).expect("the budget is kept");
    let kept: Value = toml::from_str(&text).expect("TOML");
    let all = kept["counted"].as_array().expect("a list");
    let own = all.iter().find(|it| ["rustc", "valgrind"].iter().all(|tool| it[tool] == tools[tool]));
    let number = |it: &Value| it["instructions"].as_u64().expect("a number");
    match own {
        Some(own) => (number(own), TIGHT),
        None => (all.iter().map(number).max().expect("one at least"), LOOSE),
    }
}

#[test]
#[expect(clippy::print_stdout, reason = "tells what was counted, and what is left out")]
fn finding_nothing_to_do_stays_within_its_instructions() {
    let (Some(rustc), Some(valgrind)) = (version("rustc", 1), version("valgrind", 0)) else {
        return println!("LEFT OUT: there is no valgrind here to count instructions with");
    };
    let scratch = Scratch::of(&site());
    scratch.fine("apply", &["--yes"]);
    let (counted, tools) = (count(&scratch), json!({ "rustc": rustc, "valgrind": valgrind }));
    if std::env::var_os("KEEL_BLESS").is_some() {
        return println!("rustc = {rustc:?}\nvalgrind = {valgrind:?}\ninstructions = {counted}");
    }
    let (budget, tolerance) = budget(&tools);
    println!("{counted} instructions with rustc {rustc} and valgrind {valgrind}, of {budget}");
    assert!(
        counted <= budget + budget * tolerance / 100,
        "a run that finds nothing to do takes {counted} instructions, {tolerance} % over {budget} are allowed: \
         make it cheaper, or say in tests/budget.toml what it is worth (CONTRIBUTING.md)"
    );
}
