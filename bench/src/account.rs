//! What a push costs its hosts: the processor time of all that runs there, and its largest program. The kernel keeps both; this reads them. Next:
//! `contest`, `lab`.

use anyhow::Context;
use nix::sys::resource::{UsageWho, getrusage};
use std::fs;
use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

/// Where `bench peak` leaves what it saw, on the host.
pub const PEAK: &str = "/tmp/bench-peak";

/// What the init of a host of the lab has in its environment, before the host's directory.
const MARK: &str = "KEEL_LAB_INIT=";

/// Ticks of the clock of proc(5) in a second (USER_HZ).
const TICKS: f64 = 100.0;

/// How long sshd may take to end what a call has left.
const PARTING: Duration = Duration::from_millis(200);

/// The pid namespaces of the hosts in these directories, as proc(5) names them in `ns/pid`.
pub fn namespaces(directories: &[String]) -> anyhow::Result<Vec<String>> {
    let mut found = vec![None; directories.len()];
    for pid in pids()? {
        let read = |file: &str| fs::read(format!("/proc/{pid}/{file}")).unwrap_or_default();
        // One that has ended meanwhile has neither; of a host's processes the first is number 1 there.
        let status = String::from_utf8_lossy(&read("status")).into_owned();
        if !status.lines().any(|line| line.starts_with("NSpid:") && line.ends_with("\t1")) {
            continue;
        }
        let environment = String::from_utf8_lossy(&read("environ")).into_owned();
        let marked = environment.split('\0').find_map(|word| word.strip_prefix(MARK));
        if let Some(at) = marked.and_then(|marked| directories.iter().position(|one| one == marked)) {
            found[at] = namespace(&pid);
        }
    }
    let all = found.into_iter().zip(directories);
    all.map(|(found, directory)| found.with_context(|| format!("no host runs in {directory}"))).collect()
}

/// Processor seconds of all that runs in these namespaces, and of what has ended there.
pub fn processor(namespaces: &[String]) -> anyhow::Result<f64> {
    if namespaces.is_empty() {
        return Ok(0.0);
    }
    let mut ticks = 0.0;
    for pid in pids()? {
        if namespace(&pid).is_none_or(|its| !namespaces.contains(&its)) {
            continue;
        }
        // One that has ended meanwhile counts with its parent.
        let Ok(stat) = fs::read_to_string(format!("/proc/{pid}/stat")) else { continue };
        let (_, after) = stat.rsplit_once(')').context("a line of stat without a name")?;
        // `utime`, `stime`, `cutime` and `cstime`.
        for field in after.split_whitespace().skip(11).take(4) {
            ticks += field.parse::<f64>().context("a time of stat")?;
        }
    }
    Ok(ticks / TICKS)
}

/// Processor seconds there since it was asked and `had` was the answer.
pub fn since(had: f64, namespaces: &[String]) -> anyhow::Result<f64> {
    if namespaces.is_empty() {
        return Ok(0.0);
    }
    sleep(PARTING);
    Ok(processor(namespaces)? - had)
}

/// What `bench peak` does, in the place of a command that sshd was asked to run: runs it, and leaves the largest resident set of any process
/// that came of it in [`PEAK`], in kibibytes. Its exit status is that of the command.
pub fn peak() -> anyhow::Result<()> {
    let command = std::env::var("SSH_ORIGINAL_COMMAND").context("sshd runs this")?;
    let status = Command::new("sh").args(["-c", &command]).status()?;
    // Kibibytes on Linux, and of those that were waited for, getrusage(2).
    fs::write(PEAK, getrusage(UsageWho::RUSAGE_CHILDREN)?.max_rss().to_string())?;
    std::process::exit(status.code().unwrap_or(1))
}

fn namespace(pid: &str) -> Option<String> {
    Some(fs::read_link(format!("/proc/{pid}/ns/pid")).ok()?.display().to_string())
}

fn pids() -> anyhow::Result<Vec<String>> {
    let entries = fs::read_dir("/proc")?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
    let all = entries.collect::<std::io::Result<Vec<String>>>()?;
    Ok(all.into_iter().filter(|name| name.bytes().all(|byte| byte.is_ascii_digit())).collect())
}

#[cfg(test)]
mod tests {
    use super::{namespace, processor};
    use std::process::Command;

    #[test]
    fn what_has_ended_counts_as_well() {
        let ours = [namespace("self").expect("this process is there")];
        let had = processor(&ours).expect("it is read");
        let busy = "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done";
        assert!(Command::new("sh").args(["-c", busy]).status().expect("sh starts").success());
        assert!(processor(&ours).expect("it is read") > had);
        assert_eq!(processor(&[]).expect("nothing is read"), 0.0);
    }
}
