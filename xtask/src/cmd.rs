//! Running other programs for the chores: argv only, and every error names the argv.
//! It must not start a shell.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use anyhow::{Context, Result, bail};

/// A command from its argv; `argv` must not be empty.
pub fn command<S: AsRef<OsStr>>(argv: &[S]) -> Command {
    let mut command = Command::new(argv[0].as_ref());
    command.args(&argv[1..]);
    command
}

/// The cargo that runs this very chore.
pub fn cargo() -> Command {
    command(&[std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned())])
}

/// The argv as a person would type it (for messages only, never run).
pub fn shown(command: &Command) -> String {
    std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(|word| word.to_string_lossy().into_owned())
        .collect::<Vec<_>>()
        .join(" ")
}

/// Runs to the end with the caller's terminal; a failing status is an error.
pub fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("cannot start: {}", shown(command)))?;
    if !status.success() {
        bail!("{status}: {}", shown(command));
    }
    Ok(())
}

/// Runs to the end silently; standard error is part of the error of a failing status.
pub fn quiet(command: &mut Command) -> Result<String> {
    let output = collect(command)?;
    if !output.status.success() {
        bail!(
            "{}: {}\n{}",
            output.status,
            shown(command),
            String::from_utf8_lossy(&output.stderr).trim_end()
        );
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Runs to the end silently and hands back status and output, whatever the status.
pub fn collect(command: &mut Command) -> Result<Output> {
    command.stdin(Stdio::null()).output().with_context(|| format!("cannot start: {}", shown(command)))
}

/// Where `program` stands on PATH or in the system's sbin directories, which a user's PATH often lacks.
pub fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin", "/sbin"].map(PathBuf::from))
        .map(|dir| dir.join(program))
        .find(|file| file.is_file())
}

/// Are we root?
pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// The root of the workspace that this chore is run for. Cargo names it at run time; what it named at build time
/// may be another clone that shares the build directory, and serves only when the program is started by hand.
pub fn workspace() -> PathBuf {
    let built = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let named = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    let xtask = named.filter(|dir| dir.ends_with("xtask")).unwrap_or(built);
    xtask.parent().expect("xtask is a folder of the workspace").to_owned()
}
