//! One run of one program, and the kernel's account of it. It knows nothing of what the program does. Next: `contest`.

use crate::answer::Answer;
use anyhow::Context;
use nix::errno::Errno;
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::signal::{Signal, kill, killpg};
use nix::sys::time::{TimeVal, TimeValLike};
use nix::unistd::Pid;
use serde::{Deserialize, Serialize};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// How long after its end what a program has brought about may take to be seen.
const AFTERWARDS: Duration = Duration::from_secs(10);

/// What one run cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// Wall time in seconds.
    pub wall: f64,
    /// Processor time in seconds, of the program and all that it waited for.
    pub cpu: f64,
    /// Largest resident set of any of these processes, in MiB.
    pub peak: f64,
    /// Processor time of the hosts meanwhile, in seconds; 0 where nobody asked.
    #[serde(default)]
    pub hosts: f64,
}

/// How one run ended.
#[derive(Debug, Serialize, Deserialize)]
pub enum Ended {
    /// Well.
    Well(Sample),
    /// It was killed at its limit.
    TooLong,
    /// Not well: how, and the last that it said.
    Badly(String),
}

/// Runs one program and prints how it ended, as JSON.
#[derive(clap::Args)]
pub struct One {
    /// Seconds after which it is killed.
    #[arg(long)]
    limit: f64,
    /// The clock stops when this is answered.
    #[command(flatten)]
    page: Option<Answer>,
    /// The program and its arguments.
    #[arg(last = true, required = true)]
    argv: Vec<String>,
}

/// What `bench one` does.
pub fn print(one: &One) -> anyhow::Result<()> {
    println!("{}", serde_json::to_string(&here(one)?)?);
    Ok(())
}

/// Has a process of its own run the program.
pub fn run(argv: &[String], limit: f64, page: Option<&Answer>) -> anyhow::Result<Ended> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["one", "--limit", &limit.to_string()]);
    if let Some(Answer { at, says }) = page {
        command.args(["--at", &at.to_string(), "--says", says]);
    }
    command.arg("--").args(argv);
    let output = command.stderr(Stdio::inherit()).stdin(Stdio::null()).output()?;
    anyhow::ensure!(output.status.success(), "cannot run {}", argv.join(" "));
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// Only here is the clock running.
fn here(one: &One) -> anyhow::Result<Ended> {
    let said = tempfile::tempfile()?;
    let mut command = Command::new(&one.argv[0]);
    command.args(&one.argv[1..]).stdin(Stdio::null()).process_group(0);
    command.stdout(said.try_clone()?).stderr(said.try_clone()?);
    let (tell, told) = channel::<Pid>();
    let limit = Duration::from_secs_f64(one.limit);
    let watch = std::thread::spawn(move || -> anyhow::Result<bool> {
        let group = told.recv()?;
        let late = matches!(told.recv_timeout(limit), Err(RecvTimeoutError::Timeout));
        if late {
            // Some tools put their workers into sessions of their own.
            let workers = below(group.as_raw())?;
            killpg(group, Signal::SIGKILL)?;
            for worker in workers {
                match kill(Pid::from_raw(worker), Signal::SIGKILL) {
                    Ok(()) | Err(Errno::ESRCH) => {}
                    Err(error) => return Err(error.into()),
                }
            }
        }
        Ok(late)
    });
    let began = Instant::now();
    let mut child = command.spawn().with_context(|| format!("cannot start {}", one.argv[0]))?;
    tell.send(Pid::from_raw(i32::try_from(child.id())?))?;
    let (waits, page) = (Arc::new(AtomicBool::new(true)), one.page.clone());
    let answered = page.map(|page| {
        let waits = Arc::clone(&waits);
        std::thread::spawn(move || page.first(began, &waits))
    });
    let status = child.wait()?;
    drop(tell);
    let mut wall = Some(began.elapsed());
    if let Some(answered) = answered {
        // What the program has brought about is there when it says so, or a moment later.
        let until = Instant::now() + AFTERWARDS;
        while status.success() && !answered.is_finished() && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(5));
        }
        waits.store(false, Ordering::Relaxed);
        wall = answered.join().map_err(|_| anyhow::anyhow!("who asked for the page died"))?;
    }
    let late = watch.join().map_err(|_| anyhow::anyhow!("the watch of a run died"))??;
    if late {
        return Ok(Ended::TooLong);
    }
    if !status.success() {
        return Ok(Ended::Badly(format!("{status}: {}", tail(said)?)));
    }
    let Some(wall) = wall.map(|wall| wall.as_secs_f64()) else {
        return Ok(Ended::Badly("the page was not there when it had ended".to_owned()));
    };
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let seconds = |time: TimeVal| time.num_microseconds() as f64 / 1e6;
    let cpu = seconds(usage.user_time()) + seconds(usage.system_time());
    // Kibibytes on Linux, getrusage(2).
    Ok(Ended::Well(Sample { wall, cpu, peak: usage.max_rss() as f64 / 1024.0, hosts: 0.0 }))
}

/// The processes that a process has started, and theirs: proc(5), the second field after the name in `stat` is the parent.
fn below(top: i32) -> anyhow::Result<Vec<i32>> {
    let mut parents: Vec<(i32, i32)> = Vec::new();
    for entry in std::fs::read_dir("/proc")? {
        let Ok(pid) = entry?.file_name().to_string_lossy().parse() else { continue };
        // One that has ended meanwhile has nothing below it.
        let Ok(stat) = std::fs::read_to_string(format!("/proc/{pid}/stat")) else { continue };
        let after = stat.rsplit_once(')').context("a line of stat without a name")?.1;
        parents.push((
            pid,
            after.split_whitespace().nth(1).context("a line of stat without a parent")?.parse()?,
        ));
    }
    let mut found = vec![top];
    let mut next = 0;
    while next < found.len() {
        found.extend(
            parents
                .iter()
                .filter(|(_, parent)| *parent == found[next])
                .map(|(pid, _)| *pid)
                .collect::<Vec<_>>(),
        );
        next += 1;
    }
    found.remove(0);
    Ok(found)
}

/// The last kilobyte or so of what a program said.
fn tail(mut said: std::fs::File) -> anyhow::Result<String> {
    use std::io::{Read, Seek, SeekFrom};
    let length = said.seek(SeekFrom::End(0))?;
    said.seek(SeekFrom::Start(length.saturating_sub(1500)))?;
    let mut bytes = Vec::new();
    said.read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::{Ended, One, here};

    fn ended(script: &str, limit: f64) -> Ended {
        here(&One { limit, page: None, argv: ["sh", "-c", script].map(str::to_owned).into() })
            .expect("it runs")
    }

    #[test]
    fn a_run_ends_well_badly_or_too_late() {
        assert!(matches!(ended("sleep 0.05", 60.0), Ended::Well(sample) if sample.wall >= 0.05));
        assert!(matches!(ended("echo why >&2; exit 3", 60.0), Ended::Badly(said) if said.contains("why")));
        let began = std::time::Instant::now();
        assert!(matches!(ended("setsid -w sleep 60 & sleep 60 & wait", 0.4), Ended::TooLong));
        assert!(began.elapsed().as_secs() < 30, "its children were killed as well");
    }
}
