//! What a no-op costs. `bench`: `keel apply` on this machine, 1,000 files of 1 KiB, in turn with the floor (stat, read and hash the same files) and
//! with an empty process, so that a machine that changes its speed changes it for all. `bench push`: a push to hosts of the lab.
//!
//! Prints ratios of medians, and the peak memory. It asserts nothing: timings are benchmarks, not tests.

mod fleet;
mod measure;
mod pairs;
mod push;
mod scene;

use clap::{Parser, Subcommand};
use measure::measure;
use scene::Scene;
use std::ffi::OsString;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Measures the no-op path of this machine.
#[derive(Parser)]
#[command(args_conflicts_with_subcommands = true)]
struct Args {
    #[command(subcommand)]
    workload: Option<Workload>,
    /// How many files.
    #[arg(long, default_value_t = 1000)]
    files: usize,
    /// Size of each, in bytes.
    #[arg(long, default_value_t = 1024)]
    size: usize,
    /// Runs this program and prints the peak of its memory in MiB; the benchmark calls itself so.
    #[arg(long, hide = true, num_args = 1.., allow_hyphen_values = true)]
    peak_of: Vec<OsString>,
    /// How many times each program runs.
    #[arg(long, default_value_t = 40)]
    runs: usize,
}

#[derive(Subcommand)]
enum Workload {
    Push(push::Push),
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    if let Some(Workload::Push(push)) = &args.workload {
        return push::table(push)?.iter().try_for_each(|row| say(row));
    }
    if !args.peak_of.is_empty() {
        return say(&format!("{:.1}", measure::peak(&args.peak_of)?));
    }
    let bin = std::env::current_exe()?;
    let beside = |name: &str| -> PathBuf { bin.with_file_name(name) };
    anyhow::ensure!(
        beside("keel").exists(),
        "build keel first: cargo build --release -p cli -p bench, then target/release/bench"
    );
    let scene = Scene::make(args.files, args.size)?;
    let keel = scene.keel(&beside("keel"));
    let floor: Vec<OsString> = vec![beside("floor").into(), scene.tree().into()];
    measure::run(&keel)?;
    let nothing: Vec<OsString> = vec!["/bin/true".into()];
    let [fast, base, empty] = measure([&keel, &floor, &nothing], args.runs)?;
    say(&format!("{} files of {} bytes, {} runs of each in turn", args.files, args.size, args.runs))?;
    say(&format!("keel apply (no-op) / floor, median wall time:  {:.2}", fast.wall / base.wall))?;
    let less = (fast.wall - empty.wall) / (base.wall - empty.wall);
    say(&format!("the same, less an empty process:               {less:.2}"))?;
    say(&format!("median processor time, keel / floor:           {:.2}", fast.cpu / base.cpu))?;
    say(&format!(
        "peak memory of keel, floor (MiB):              {}, {}",
        peak(&bin, &keel)?,
        peak(&bin, &floor)?
    ))
}

/// The peak of one program, in a process of its own: the kernel keeps one figure for all children.
fn peak(bin: &Path, argv: &[OsString]) -> anyhow::Result<String> {
    #[expect(clippy::disallowed_methods, reason = "the benchmark starts itself")]
    let output = Command::new(bin).arg("--peak-of").args(argv).output()?;
    anyhow::ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn say(line: &str) -> anyhow::Result<()> {
    Ok(writeln!(std::io::stdout(), "{line}")?)
}
