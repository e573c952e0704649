//! `cargo xtask bench`: builds what the benchmark needs, has it boot hosts and measure, and ends the hosts. What is measured, and how, is bench/'s.

use std::path::PathBuf;

use anyhow::Result;

use crate::dist::Purpose;
use crate::lab::{down, state};
use crate::{cmd, dist};

/// Runs the benchmark; the words are its own: see `cargo xtask bench -- --help`.
///
/// # Errors
/// It could not be built, or did not end well.
pub fn bench(words: &[String]) -> Result<()> {
    let target = dist::target();
    let keel = match std::env::var_os("KEEL_BIN") {
        Some(keel) => PathBuf::from(keel),
        None => {
            dist::dist(Purpose::Release)?;
            target.join("dist/keel")
        }
    };
    let workspace = cmd::workspace();
    cmd::run(
        cmd::cargo().args(["build", "--release", "--quiet", "--package", "bench"]).current_dir(&workspace),
    )?;
    let name = state::default_name()?;
    let mut run = cmd::command(&[target.join("release/bench")]);
    run.arg("run").arg("--keel").arg(keel).args(words);
    let verdict = cmd::run(run.env("KEEL_LAB", &name).current_dir(&workspace));
    if std::env::var_os("KEEL_LAB_KEEP").is_some() {
        println!("the hosts stay: cargo xtask lab ssh h1");
        return verdict;
    }
    let ended = down::down(&name);
    verdict.and(ended)
}
