//! `cargo xtask seeded`: do the tests bite? Puts one known bug after the other into a copy of the sources, in a target directory of its
//! own, and wants the tests that are named with it to pass without it and to fail with it. The sources themselves are never touched.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use crate::cmd;

/// `tests/seeded.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    bug: Vec<Bug>,
}

/// A bug, and who catches it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bug {
    /// Its name on the command line.
    pub name: String,
    /// What it is, and by which fault it would be found.
    pub about: String,
    /// Where it is put.
    pub file: String,
    /// What stands there; exactly once.
    pub find: String,
    /// What takes its place.
    pub replace: String,
    /// The package whose tests are run.
    pub package: String,
    /// Where they are, as options of cargo: nothing else is built.
    pub target: String,
    /// The tests that have to fail, as a filter of nextest.
    pub tests: String,
}

/// What nextest ends with where it ran tests and some failed (its book, "Exit codes").
const TESTS_FAILED: i32 = 100;

/// All known bugs.
///
/// # Errors
/// The list cannot be read.
pub fn all() -> Result<Vec<Bug>> {
    let path = cmd::workspace().join("tests/seeded.toml");
    let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let list: List = toml::from_str(&text).with_context(|| path.display().to_string())?;
    Ok(list.bug)
}

impl Bug {
    /// The source with the bug in it.
    ///
    /// # Errors
    /// What the bug takes the place of does not stand there, or more than once.
    pub fn put_into(&self, source: &str) -> Result<String> {
        let times = source.matches(&self.find).count();
        ensure!(times == 1, "{}: `{}` stands {times} times in {}", self.name, self.find, self.file);
        Ok(source.replace(&self.find, &self.replace))
    }
}

/// What came of a bug.
#[derive(Debug)]
enum Verdict {
    /// The tests failed.
    Caught,
    /// They passed.
    Missed,
    /// They do not run with it, or fail without it: nothing can be said. What was printed.
    Unknown(String),
}

/// Tries all bugs, or the one of that name. The number is the exit code: 0 where each was caught.
///
/// # Errors
/// Something could not be started or copied, or there is no such bug.
pub fn run(name: Option<&str>) -> Result<u8> {
    let bugs: Vec<Bug> = all()?.into_iter().filter(|bug| name.is_none_or(|name| bug.name == name)).collect();
    ensure!(!bugs.is_empty(), "no such bug in tests/seeded.toml");
    let copy = cmd::workspace().join("target/seeded/tree");
    copy_sources(&copy)?;
    let (mut passing, mut wrong) = (BTreeSet::new(), 0_usize);
    for bug in &bugs {
        let verdict = verdict(bug, &copy, &mut passing)?;
        let word = match &verdict {
            Verdict::Caught => "caught",
            Verdict::Missed => "MISSED",
            Verdict::Unknown(_) => "UNKNOWN",
        };
        wrong += usize::from(!matches!(verdict, Verdict::Caught));
        println!("{word:<8} {:<28} {}", bug.name, bug.about);
        if let Verdict::Unknown(told) = verdict {
            println!("{told}");
        }
    }
    println!("{} of {} caught", bugs.len() - wrong, bugs.len());
    Ok(u8::from(wrong > 0))
}

/// Runs the tests that are named with a bug, without it and with it. `passing` holds those that are known to pass without one.
fn verdict<'a>(
    bug: &'a Bug,
    copy: &Path,
    passing: &mut BTreeSet<(&'a str, &'a str, &'a str)>,
) -> Result<Verdict> {
    if passing.insert((&bug.package, &bug.target, &bug.tests)) {
        match tests(bug, copy)? {
            (Some(0), _) => {}
            (_, told) => {
                return Ok(Verdict::Unknown(format!("without the bug its tests do not pass:\n{told}")));
            }
        }
    }
    let path = copy.join(&bug.file);
    let source = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    std::fs::write(&path, bug.put_into(&source)?)?;
    let ran = tests(bug, copy);
    std::fs::write(&path, source)?;
    Ok(match ran? {
        (Some(0), _) => Verdict::Missed,
        (Some(TESTS_FAILED), _) => Verdict::Caught,
        (_, told) => Verdict::Unknown(told),
    })
}

/// The exit code of the tests of a bug, and what they printed.
fn tests(bug: &Bug, copy: &Path) -> Result<(Option<i32>, String)> {
    let mut tests = Command::new("cargo");
    tests.args(["nextest", "run", "--package", &bug.package, "--profile", "full", "-E", &bug.tests]);
    tests.args(bug.target.split(' '));
    if std::env::var_os("CARGO_TARGET_DIR").is_none() {
        tests.env("CARGO_TARGET_DIR", cmd::workspace().join("target/seeded/target"));
    }
    tests.current_dir(copy).stdout(Stdio::null()).stderr(Stdio::piped());
    let output = tests.output().with_context(|| format!("cannot start: {}", cmd::shown(&tests)))?;
    Ok((output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned()))
}

/// Copies what git knows of, or would, into `copy`; what is the same already keeps its time, for cargo goes by that.
fn copy_sources(copy: &Path) -> Result<()> {
    let root = cmd::workspace();
    let mut git = Command::new("git");
    git.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]).current_dir(&root);
    let output = git.output().with_context(|| format!("cannot start: {}", cmd::shown(&git)))?;
    let names = String::from_utf8(output.stdout).context("names of files are UTF-8")?;
    for name in names.split('\0').filter(|name| !name.is_empty()) {
        let (from, to) = (root.join(name), copy.join(name));
        let Ok(bytes) = std::fs::read(&from) else { continue };
        if std::fs::read(&to).is_ok_and(|known| known == bytes) {
            continue;
        }
        let above = to.parent().map_or_else(PathBuf::new, Path::to_owned);
        std::fs::create_dir_all(&above).with_context(|| format!("cannot make {}", above.display()))?;
        std::fs::copy(&from, &to).with_context(|| format!("cannot copy {}", from.display()))?;
    }
    Ok(())
}
