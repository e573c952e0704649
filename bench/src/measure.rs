//! Runs programs in turn and takes the kernel's own account of each.

use crate::pairs::median;
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::{TimeVal, TimeValLike};
use std::ffi::OsString;
use std::process::{Command, Stdio};
use std::time::Instant;

/// One run, or the medians of several.
#[derive(Clone, Copy, Debug, Default)]
pub struct Measured {
    /// Wall time in seconds.
    pub wall: f64,
    /// Processor time in seconds.
    pub cpu: f64,
}

/// Runs the programs in turn, `runs` times, after one round that is not counted.
pub fn measure<const N: usize>(programs: [&Vec<OsString>; N], runs: usize) -> anyhow::Result<[Measured; N]> {
    let mut all = [(); N].map(|()| Vec::new());
    for round in 0..=runs {
        for (program, samples) in programs.iter().zip(&mut all) {
            let sample = run(program)?;
            if round > 0 {
                samples.push(sample);
            }
        }
    }
    Ok(all.map(|samples| summary(&samples)))
}

/// Runs one program to its end, which has to be a good one.
pub fn run(argv: &[OsString]) -> anyhow::Result<Measured> {
    let before = cpu()?;
    let began = Instant::now();
    #[expect(clippy::disallowed_methods, reason = "the benchmark starts the programs it measures")]
    let status = Command::new(&argv[0]).args(&argv[1..]).stdout(Stdio::null()).status()?;
    let wall = began.elapsed().as_secs_f64();
    anyhow::ensure!(status.success(), "{} {status}", argv[0].display());
    Ok(Measured { wall, cpu: cpu()? - before })
}

/// Runs one program and says the largest resident set that any child of this process has had, in MiB.
pub fn peak(argv: &[OsString]) -> anyhow::Result<f64> {
    run(argv)?;
    // Kibibytes on Linux, getrusage(2).
    Ok(getrusage(UsageWho::RUSAGE_CHILDREN)?.max_rss() as f64 / 1024.0)
}

fn cpu() -> anyhow::Result<f64> {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let seconds = |time: TimeVal| time.num_microseconds() as f64 / 1e6;
    Ok(seconds(usage.user_time()) + seconds(usage.system_time()))
}

fn summary(samples: &[Measured]) -> Measured {
    let median = |of: fn(&Measured) -> f64| median(samples.iter().map(of));
    Measured { wall: median(|it| it.wall), cpu: median(|it| it.cpu) }
}
