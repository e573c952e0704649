//! Finding and ending the lab's own processes. They are known by argv or environment that names the lab's
//! directory, so no pid file can be stale or lost. It must never end a process that does not carry that mark.

use std::fs;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};

/// Set in the environment of a host's init; its value is the host's folder.
pub const MARK: &str = "KEEL_LAB_INIT";

/// The pids of `program` with an argument that is `path`, lies under it, or ends in `=path` or `:path…`.
pub fn running(program: &str, path: &Path) -> Result<Vec<i32>> {
    let path = path.to_string_lossy();
    matching(|pid| {
        let Some(words) = words(pid, "cmdline") else { return false };
        let is_program = words.first().is_some_and(|word| word.rsplit('/').next() == Some(program));
        is_program && words[1..].iter().any(|word| names(word, &path))
    })
}

/// The init of a host, as seen from outside: first of its pid namespace, and marked with the host's folder.
pub fn inits(host_dir: &Path) -> Result<Vec<i32>> {
    let mark = format!("{MARK}={}", host_dir.to_string_lossy());
    matching(|pid| words(pid, "environ").is_some_and(|words| words.contains(&mark)) && is_namespace_init(pid))
}

/// Kills the processes and waits until they are gone (or zombies that somebody else must reap).
pub fn end(pids: &[i32]) -> Result<()> {
    for pid in pids.iter().filter_map(|pid| Pid::from_raw(*pid)) {
        match kill_process(pid, Signal::KILL) {
            Err(rustix::io::Errno::SRCH) | Ok(()) => {}
            Err(error) => return Err(error).with_context(|| format!("cannot end process {pid:?}")),
        }
    }
    let deadline = Instant::now() + Duration::from_secs(20);
    while let Some(pid) = pids.iter().find(|pid| lives(**pid)) {
        if Instant::now() > deadline {
            bail!("process {pid} was killed and does not end");
        }
        sleep(Duration::from_millis(20));
    }
    Ok(())
}

/// Is there such a process, and is it more than a zombie? (proc(5): the state follows the name in `stat`.)
pub fn lives(pid: i32) -> bool {
    let Ok(stat) = fs::read_to_string(format!("/proc/{pid}/stat")) else { return false };
    let state = stat.rsplit_once(") ").and_then(|(_, rest)| rest.chars().next());
    !matches!(state, Some('Z' | 'X') | None)
}

fn matching(wanted: impl Fn(i32) -> bool) -> Result<Vec<i32>> {
    let mut pids = Vec::new();
    for entry in fs::read_dir("/proc").context("cannot read /proc")? {
        let Ok(pid) = entry?.file_name().to_string_lossy().parse() else { continue };
        if wanted(pid) && lives(pid) {
            pids.push(pid);
        }
    }
    Ok(pids)
}

/// The NUL-separated words of a file in /proc; none when the process has ended meanwhile.
fn words(pid: i32, file: &str) -> Option<Vec<String>> {
    let bytes = fs::read(format!("/proc/{pid}/{file}")).ok()?;
    Some(bytes.split(|byte| *byte == 0).map(|word| String::from_utf8_lossy(word).into_owned()).collect())
}

fn names(word: &str, path: &str) -> bool {
    let Some(at) = word.find(path) else { return false };
    let before = word[..at].chars().next_back();
    let after = word[at + path.len()..].chars().next();
    matches!(before, None | Some('=' | ':')) && matches!(after, None | Some('/'))
}

/// proc(5): the last number of `NSpid` is the pid in the innermost namespace.
fn is_namespace_init(pid: i32) -> bool {
    let Ok(status) = fs::read_to_string(format!("/proc/{pid}/status")) else { return false };
    let line = status.lines().find_map(|line| line.strip_prefix("NSpid:"));
    line.is_some_and(|numbers| numbers.split_whitespace().count() > 1 && numbers.ends_with("\t1"))
}

#[cfg(test)]
mod tests {
    use super::{lives, names};

    #[test]
    fn a_path_counts_only_as_a_whole() {
        assert!(names("/lab/a", "/lab/a"));
        assert!(names("/lab/a/root", "/lab/a"));
        assert!(names("--address=unix:path=/lab/a/bus", "/lab/a"));
        assert!(!names("/lab/ab", "/lab/a"));
        assert!(!names("/old/lab/a", "/lab/a"));
    }

    #[test]
    fn this_process_lives_and_an_impossible_one_does_not() {
        assert!(lives(i32::try_from(std::process::id()).expect("a pid")));
        assert!(!lives(i32::MAX));
    }
}
