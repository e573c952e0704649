//! `cargo xtask test`: everything the project can check, as one nextest run that includes the lab. It must not
//! let anything pass that did not run: what is left out is said, and a lab that does not come up is a failure.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use crate::lab::{down, scenario, up};
use crate::tidy::tree::Tree;
use crate::{cmd, deny, dist, docker, moto, packages};

/// Tests that need root but no lab carry this in their name.
const ROOT_ONLY: &str = "needs_root";

/// Runs all tests; `extra` goes to nextest. The number is the exit code.
///
/// # Errors
/// Something could not be started or built; failing tests are an exit code.
pub fn run(extra: &[String]) -> Result<u8> {
    let root = cmd::is_root();
    let chosen = std::env::var("KEEL_LAB").ok();
    let lab = chosen.clone().unwrap_or_else(|| format!("test-{}", std::process::id()));
    if root {
        down::sweep()?;
        if let Err(error) = up::ready(&lab) {
            eprintln!("error: no lab, so its scenarios will fail: {error:#}");
        }
    } else {
        say_what_is_left_out()?;
    }
    if root && let Err(error) = packages::ensure_vagrant() {
        println!("there is no Vagrant to be had, so lab scenarios that need it are LEFT OUT: {error:#}");
    }
    if root && let Err(error) = docker::ensure() {
        println!("there is no engine of Docker to be had, so its boxes are LEFT OUT: {error:#}");
    }
    if root && let Err(error) = moto::ensure() {
        println!(
            "there is no moto to be had, so lab scenarios that need a server of S3 are LEFT OUT: {error:#}"
        );
    }
    let built = laid_out().and_then(|()| lint()).and_then(|()| deny::check()).and_then(|()| build());
    // Only hosts of the lab are pushed to: without them nobody needs an agent that runs elsewhere.
    let built = built.and_then(|keel| if root { dist::for_tests(&keel) } else { Ok(keel) });
    let outcome = built.and_then(|keel| {
        let mut tests = if has_nextest() { nextest(root, extra) } else { libtest(root) };
        tests.env("KEEL_BIN", keel).env("KEEL_LAB", &lab);
        tests
            .current_dir(cmd::workspace())
            .status()
            .with_context(|| format!("cannot start: {}", cmd::shown(&tests)))
    });
    // A lab of the developer's choice stays; the run's own goes, whatever came of it.
    if root && chosen.is_none() {
        down::down(&lab)?;
    }
    Ok(if outcome?.success() { 0 } else { 1 })
}

fn say_what_is_left_out() -> Result<()> {
    println!("not root, so these are LEFT OUT:");
    for scenario in scenario::all()? {
        println!("  lab scenario {}", scenario.name);
    }
    println!("  every test with {ROOT_ONLY} in its name");
    println!("run `cargo xtask test` as root for all of them");
    Ok(())
}

/// The lints are rules of the house like any other: a warning is a failure. Said, where there is no clippy to ask.
fn lint() -> Result<()> {
    if !answers(&mut cargo(&["clippy", "--version"])) {
        println!("there is no clippy here, so the lints are LEFT OUT: rustup component add clippy");
        return Ok(());
    }
    // The second: what `keel` is on a machine that is no Linux.
    for what in [&["--workspace", "--all-targets"][..], &["--package", "cli", "--features", "elsewhere"]] {
        let mut clippy = cargo(&[&["clippy", "--quiet"], what, &["--", "--deny", "warnings"]].concat());
        let status = clippy.current_dir(cmd::workspace()).status();
        let status = status.with_context(|| format!("cannot start: {}", cmd::shown(&clippy)))?;
        anyhow::ensure!(status.success(), "clippy has something to say");
    }
    Ok(())
}

/// Every file by itself: `cargo fmt` does not find modules that a macro declares, as it does kinds.
fn laid_out() -> Result<()> {
    if !answers(&mut cmd::command(&["rustfmt", "--version"])) {
        println!("there is no rustfmt here, so the layout is LEFT OUT: rustup component add rustfmt");
        return Ok(());
    }
    let root = cmd::workspace();
    let mut rustfmt = cmd::command(&["rustfmt", "--check"]);
    rustfmt.args(Tree::read(&root)?.sources.iter().map(|source| &source.path)).current_dir(&root);
    let status = rustfmt.status().context("cannot start: rustfmt")?;
    anyhow::ensure!(status.success(), "some files are not as rustfmt lays them out");
    Ok(())
}

/// Whether a program of the toolchain is installed.
fn answers(version: &mut Command) -> bool {
    let version = version.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
    version.status().is_ok_and(|status| status.success())
}

/// Builds what the tests need, exactly as nextest will, and hands back the path of `keel`.
fn build() -> Result<PathBuf> {
    let mut build = cargo(&["build", "--workspace", "--lib", "--bins", "--tests"]);
    build.arg("--message-format=json-render-diagnostics").current_dir(cmd::workspace());
    build.stderr(std::process::Stdio::inherit());
    let output = build.output().with_context(|| format!("cannot start: {}", cmd::shown(&build)))?;
    anyhow::ensure!(output.status.success(), "the project does not build");
    let messages = String::from_utf8(output.stdout).context("cargo's messages are UTF-8")?;
    keel_in(&messages).map(PathBuf::from).context("the build made no program called keel")
}

/// The path of the program `keel` in cargo's messages (cargo's book, "JSON messages").
fn keel_in(messages: &str) -> Option<String> {
    messages.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok()).find_map(
        |message| {
            let is_keel = message["target"]["name"] == "keel" && message["profile"]["test"] == false;
            if is_keel { message["executable"].as_str().map(str::to_owned) } else { None }
        },
    )
}

fn nextest(root: bool, extra: &[String]) -> Command {
    let mut command = cargo(&["nextest", "run", "--workspace", "--no-fail-fast", "--profile"]);
    if root {
        command.arg("full");
    } else {
        command.args(["default", "-E"]);
        command.arg(format!("not (binary_id(xtask::lab) | test({ROOT_ONLY}))"));
    }
    command.args(extra);
    command
}

/// Without nextest: the same tests; the lab's are ignored when not root, as libtest shows.
fn libtest(root: bool) -> Command {
    println!("cargo-nextest is not to be had here: running the same tests by cargo test");
    let mut command = cargo(&["test", "--workspace", "--no-fail-fast"]);
    if !root {
        command.args(["--", "--skip", ROOT_ONLY]);
    }
    command
}

/// Is cargo-nextest there, or could it be installed now?
fn has_nextest() -> bool {
    let there =
        cmd::collect(&mut cargo(&["nextest", "--version"])).is_ok_and(|output| output.status.success());
    if there {
        return true;
    }
    println!("installing cargo-nextest …");
    match cmd::run(&mut cargo(&["install", "--locked", "cargo-nextest"])) {
        Ok(()) => true,
        Err(error) => {
            eprintln!("{error:#}");
            false
        }
    }
}

fn cargo(args: &[&str]) -> Command {
    let mut command = cmd::cargo();
    command.args(args);
    command
}

#[cfg(test)]
mod tests {
    use super::keel_in;

    #[test]
    fn the_program_is_taken_and_not_its_test() {
        let test = r#"{"target":{"name":"keel"},"profile":{"test":true},"executable":"/t/keel-1"}"#;
        let program = r#"{"target":{"name":"keel"},"profile":{"test":false},"executable":"/t/keel"}"#;
        assert_eq!(keel_in(&format!("{test}\n{program}\n")).as_deref(), Some("/t/keel"));
        assert_eq!(keel_in(&format!("not json\n{test}\n")), None);
    }
}
