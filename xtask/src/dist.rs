//! `cargo xtask dist`: the programs as they are given to people, `keel` and the agent that it puts on hosts, side by side. The agent is
//! static, so that it runs on any Linux of its machine. It must not let a program out that tests have a hand in.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};

use crate::cmd;
use crate::resident::list;

/// Most bytes of the agent.
const LARGEST: u64 = 6_000_000;

/// Most bytes of it packed, as it is sent to a host.
const LARGEST_PACKED: u64 = 3_000_000;

/// A name that only programs with failpoints hold (agent/src/failpoint.rs).
const FAILPOINT: &[u8] = b"write.renamed";

/// What a build is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// For people.
    Release,
    /// For tests: built faster, and larger.
    Test,
}

impl Purpose {
    /// The profile of the agent in Cargo.toml.
    fn profile(self) -> &'static str {
        match self {
            Self::Release => "agent",
            Self::Test => "agent-test",
        }
    }
}

/// Builds both programs and says how large they are.
///
/// # Errors
/// One cannot be built, is too large, or has something of the tests in it.
pub fn dist(purpose: Purpose) -> Result<()> {
    let mut build = cargo(&["rustc", "--package", "cli", "--bin", "keel"]);
    if purpose == Purpose::Release {
        build.args(["--release", "--"]).args(list::options()?);
    }
    run(&mut build)?;
    let built = if purpose == Purpose::Release { "release" } else { "debug" };
    let place = target().join("dist");
    put(&target().join(built).join("keel"), &place, "keel")?;
    let agent = beside(&place, purpose)?;
    println!("{}\t{} bytes", place.join("keel").display(), fs::metadata(place.join("keel"))?.len());
    let (size, packed) = (fs::metadata(&agent)?.len(), packed(&agent)?);
    println!("{}\t{size} bytes, {packed} packed", agent.display());
    if purpose == Purpose::Release {
        list::tell(&place.join("keel"))?;
        ensure!(size < LARGEST && packed < LARGEST_PACKED, "the agent is too large");
        for program in [place.join("keel"), agent] {
            let bytes = fs::read(&program)?;
            let holds = bytes.windows(FAILPOINT.len()).any(|window| window == FAILPOINT);
            ensure!(!holds, "{} has the failpoints of the tests in it", program.display());
        }
    }
    Ok(())
}

/// Puts `keel` and an agent for this machine into a directory for tests; the path of `keel` there.
///
/// # Errors
/// The agent cannot be built.
pub fn for_tests(keel: &Path) -> Result<PathBuf> {
    let place = target().join("lab-bin");
    put(keel, &place, "keel")?;
    beside(&place, Purpose::Test)?;
    Ok(place.join("keel"))
}

/// Builds the agent for this machine into `place`, under the name by which `keel` looks for it.
fn beside(place: &Path, purpose: Purpose) -> Result<PathBuf> {
    let machine = cmd::quiet(&mut cmd::command(&["uname", "-m"]))?;
    let (name, triple) = (format!("keel-agent-{}", machine.trim()), triple()?);
    let mut build = cargo(&["build", "--package", "agent", "--bin", "keel-agent"]);
    build.args(["--profile", purpose.profile(), "--target", &triple]);
    // With a target named these are for the program alone, and not for what runs while it is built.
    // Packed relocations (gABI, SHT_RELR) save a twentieth of its size.
    let mut flags = "-C target-feature=+crt-static -C link-arg=-Wl,-z,pack-relative-relocs".to_owned();
    if triple == "x86_64-unknown-linux-gnu" {
        // Here rustc links by its own lld (since 1.90), which keeps one of functions that are equal.
        flags.push_str(" -C link-arg=-Wl,--icf=all");
    }
    run(build.env("RUSTFLAGS", flags))?;
    let built = target().join(&triple).join(purpose.profile()).join("keel-agent");
    put(&built, place, &name)?;
    Ok(place.join(name))
}

/// Static with musl where it is installed, for it is smaller, and else with the C library of this machine.
fn triple() -> Result<String> {
    let said = cmd::quiet(&mut cmd::command(&["rustc", "-vV"]))?;
    let host = said.lines().find_map(|line| line.strip_prefix("host: ")).context("rustc names no host")?;
    if !host.contains("-linux-") {
        bail!("the agent is for Linux, and this is {host}: build it there");
    }
    let musl = host.replace("-gnu", "-musl");
    let mut print = cmd::command(&["rustc", "--print", "target-libdir", "--target", &musl]);
    let directory = cmd::quiet(&mut print)?;
    Ok(if Path::new(directory.trim()).is_dir() { musl } else { host.to_owned() })
}

/// Copies the program: what cargo builds next leaves the copy as it is.
fn put(program: &Path, place: &Path, name: &str) -> Result<()> {
    let to = place.join(name);
    fs::create_dir_all(place).with_context(|| format!("cannot make {}", place.display()))?;
    if let Err(error) = fs::remove_file(&to)
        && error.kind() != std::io::ErrorKind::NotFound
    {
        bail!("cannot replace {}: {error}", to.display());
    }
    let copied = fs::copy(program, &to);
    copied.map(drop).with_context(|| format!("cannot copy {} to {}", program.display(), to.display()))
}

/// Its size as a push sends it.
fn packed(program: &Path) -> Result<u64> {
    let mut gzip = cmd::command(&["gzip", "-9", "-c"]);
    let output = gzip.stdin(fs::File::open(program)?).stderr(Stdio::inherit()).output();
    let output = output.with_context(|| format!("cannot start: {}", cmd::shown(&gzip)))?;
    ensure!(output.status.success(), "gzip could not pack {}", program.display());
    Ok(output.stdout.len() as u64)
}

fn run(command: &mut Command) -> Result<()> {
    cmd::run(command.current_dir(cmd::workspace()))
}

/// Where cargo builds to.
pub fn target() -> PathBuf {
    let named = std::env::var_os("CARGO_TARGET_DIR").map(|dir| cmd::workspace().join(dir));
    named.unwrap_or_else(|| cmd::workspace().join("target"))
}

fn cargo(args: &[&str]) -> Command {
    let mut command = cmd::cargo();
    command.args(args);
    command
}
