//! The processes of a rehearsal, found by their parents in `/proc`, and their mount namespaces.

use rustix::process::{Pid, Signal, kill_process};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// A process: its number alone may soon be another's.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Process {
    parent: u32,
    started: String,
    words: String,
    mounts: Option<PathBuf>,
}

/// A process with all below it.
#[derive(Debug)]
pub struct Tree(BTreeMap<u32, Process>);

fn process(pid: u32) -> Option<Process> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // proc_pid_stat(5): after the name in parentheses come state, parent, …, and as the 22nd field the time of its start.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let words = std::fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let alive = !["Z", "X"].contains(fields.first()?);
    alive.then_some(Process {
        parent: fields.get(1)?.parse().ok()?,
        started: (*fields.get(19)?).to_owned(),
        words: words.replace('\0', " "),
        mounts: std::fs::read_link(format!("/proc/{pid}/ns/mnt")).ok(),
    })
}

fn all() -> BTreeMap<u32, Process> {
    let entries = std::fs::read_dir("/proc").expect("there is a /proc");
    let numbers = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    numbers.filter_map(|pid| Some((pid, process(pid)?))).collect()
}

impl Tree {
    /// As it is now.
    pub fn of(root: u32) -> Self {
        let all = all();
        let mut members = BTreeSet::from([root]);
        loop {
            let more: Vec<u32> = all
                .iter()
                .filter(|(pid, it)| members.contains(&it.parent) && !members.contains(pid))
                .map(|(pid, _)| *pid)
                .collect();
            if more.is_empty() {
                return Self(all.into_iter().filter(|(pid, _)| members.contains(pid)).collect());
            }
            members.extend(more);
        }
    }

    /// As it is once a process of this name is in it.
    pub fn until_has(root: u32, name: &str) -> Self {
        let until = Instant::now() + Duration::from_secs(30);
        loop {
            let tree = Self::of(root);
            if tree.0.values().any(|it| it.words.starts_with(name)) {
                return tree;
            }
            assert!(Instant::now() < until, "no {name} below {root}: {tree:#?}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Kills the process whose command line has `word` in it: the deepest of those.
    pub fn kill(&self, word: &str) {
        let is_it = |it: &&Process| match word {
            "keel" => !it.words.contains("__rehearse") && !it.words.starts_with("sleep"),
            _ => it.words.contains(word) || it.words.starts_with(word),
        };
        let (pid, _) =
            self.0.iter().find(|(_, it)| is_it(it)).unwrap_or_else(|| panic!("no {word}: {self:#?}"));
        let pid = Pid::from_raw(i32::try_from(*pid).expect("a process number")).expect("not 0");
        kill_process(pid, Signal::KILL).expect("it runs");
    }

    /// Soon neither one of these processes nor one of their mount namespaces is there any more.
    pub fn assert_gone(&self) {
        let ours = std::fs::read_link("/proc/self/ns/mnt").expect("our own");
        let spaces: BTreeSet<&PathBuf> =
            self.0.values().filter_map(|it| it.mounts.as_ref()).filter(|it| **it != ours).collect();
        let until = Instant::now() + Duration::from_secs(10);
        loop {
            let is_left = |(pid, it): &(&u32, &Process)| {
                self.0.get(pid).is_some_and(|known| known.started == it.started)
                    || it.mounts.as_ref().is_some_and(|space| spaces.contains(space))
            };
            let now = all();
            let left: Vec<_> = now.iter().filter(is_left).collect();
            if left.is_empty() {
                return;
            }
            assert!(Instant::now() < until, "still there: {left:#?}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}
