//! Who writes to a file that is fought over: fanotify(7) tells the process with each event, inotify does not. Directories are marked only while
//! something in them is corrected again and again. A process that is gone by the time it is looked at cannot be told, and is told as that.

use nix::errno::Errno;
use nix::sys::fanotify::{EventFFlags, Fanotify, InitFlags, MarkFlags, MaskFlags};
use rustix::fd::{AsFd, AsRawFd, BorrowedFd};
use rustix::fs::CWD;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{read, read_link, read_to_string};
use std::path::{Path, PathBuf};

/// So many words of a command line are told: what follows may be anybody's secret.
const WORDS: usize = 2;

/// Longest word, in bytes.
const LONGEST: usize = 200;

/// What is heard of.
const WRITES: MaskFlags =
    MaskFlags::FAN_MODIFY.union(MaskFlags::FAN_CLOSE_WRITE).union(MaskFlags::FAN_EVENT_ON_CHILD);

/// The marked directories, and who wrote there last.
#[derive(Default)]
pub struct Writers {
    kernel: Option<Fanotify>,
    marked: BTreeSet<PathBuf>,
    files: BTreeSet<PathBuf>,
    /// Directories that could not be marked, and why: who writes there cannot be told.
    unheard: BTreeMap<PathBuf, Errno>,
    /// To the files themselves, and to anything else in their directories: a place each, however many names come and go there.
    last: BTreeMap<PathBuf, String>,
}

impl Writers {
    /// Marks the directories of these files, and no others; anew where they were marked already: another directory may stand there now.
    pub fn mark(&mut self, files: &BTreeSet<PathBuf>) {
        let dirs: BTreeSet<PathBuf> =
            files.iter().filter_map(|path| path.parent().map(Path::to_owned)).collect();
        if dirs.is_empty() {
            return *self = Self::default();
        }
        self.files.clone_from(files);
        self.last.retain(|path, _| files.contains(path) || dirs.contains(path));
        self.unheard.clear();
        let flags = InitFlags::FAN_CLASS_NOTIF | InitFlags::FAN_CLOEXEC | InitFlags::FAN_NONBLOCK;
        let kernel = self
            .kernel
            .take()
            .map_or_else(|| Fanotify::init(flags, EventFFlags::O_RDONLY | EventFFlags::O_CLOEXEC), Ok);
        match kernel {
            Ok(kernel) => {
                for dir in self.marked.difference(&dirs) {
                    // It may be gone, and its mark with it.
                    kernel.mark(MarkFlags::FAN_MARK_REMOVE, WRITES, CWD, Some(dir)).ok();
                }
                for dir in &dirs {
                    match kernel.mark(MarkFlags::FAN_MARK_ADD, WRITES, CWD, Some(dir)) {
                        // In one that is not there nobody writes.
                        Ok(()) | Err(Errno::ENOENT | Errno::ENOTDIR) => {}
                        Err(error) => drop(self.unheard.insert(dir.clone(), error)),
                    }
                }
                self.kernel = Some(kernel);
            }
            // Where the kernel does not offer it, or not to us, nobody can be told.
            Err(error) => self.unheard.extend(dirs.iter().map(|dir| (dir.clone(), error))),
        }
        self.marked = dirs;
    }

    /// The directories in which nobody can tell who writes, and why.
    pub fn unheard(&self) -> impl Iterator<Item = (&Path, String)> {
        self.unheard.iter().map(|(dir, error)| (dir.as_path(), words_of(*error)))
    }

    /// What becomes readable when somebody writes there.
    pub fn fd(&self) -> Option<BorrowedFd<'_>> {
        self.kernel.as_ref().map(AsFd::as_fd)
    }

    /// Takes up who has written since.
    pub fn hear(&mut self) {
        let Some(kernel) = &self.kernel else { return };
        let ours = i32::try_from(std::process::id()).unwrap_or(0);
        while let Ok(events) = kernel.read_events() {
            for event in events.iter().filter(|event| event.pid() != ours) {
                let place = event.fd().map(|fd| format!("/proc/self/fd/{}", fd.as_raw_fd()));
                let Some(path) = place.and_then(|place| read_link(place).ok()) else { continue };
                let is_one = self.files.contains(&path);
                if let Some(place) = if is_one { Some(path.as_path()) } else { path.parent() } {
                    self.last.insert(place.to_owned(), words(event.pid()));
                }
            }
            if events.is_empty() {
                break;
            }
        }
    }

    /// What is known of who wrote to this path last: to the file itself, or else to one beside it, which may have taken its name.
    ///
    /// # Errors
    /// Nothing is; and why, to be put after that, where it could not be heard.
    pub fn who(&self, path: &Path) -> Result<String, String> {
        let dir = path.parent().unwrap_or(path);
        let beside = || Some(format!("{}, which wrote beside it", self.last.get(dir)?));
        let why =
            || self.unheard.get(dir).map_or_else(String::new, |error| format!(": {}", words_of(*error)));
        self.last.get(path).cloned().or_else(beside).ok_or_else(why)
    }
}

fn words_of(error: Errno) -> String {
    std::io::Error::from(error).to_string()
}

/// A process: its number, its program, the beginning of its command line, its unit.
fn words(pid: i32) -> String {
    let Ok(program) = read_link(format!("/proc/{pid}/exe")) else {
        return format!("process {pid}, which is gone");
    };
    let line = read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let line: Vec<String> =
        line.split(|byte| *byte == 0).take(WORDS).map(word).filter(|it| !it.is_empty()).collect();
    let cgroups = read_to_string(format!("/proc/{pid}/cgroup")).unwrap_or_default();
    let unit = unit_of(&cgroups).map(|unit| format!(", {unit}")).unwrap_or_default();
    format!("process {pid}, {} ({}){unit}", program.display(), line.join(" "))
}

fn word(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(LONGEST)]).into_owned();
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// The unit in a process's cgroups (proc_pid_cgroup(5)).
fn unit_of(cgroups: &str) -> Option<&str> {
    let is_unit = |name: &&str| name.ends_with(".service") || name.ends_with(".scope");
    cgroups.lines().filter_map(|line| line.rsplit_once('/')).map(|(_, name)| name).find(is_unit)
}

#[expect(clippy::disallowed_methods, reason = "writes a scratch file")]
#[cfg(test)]
mod tests {
    use super::{Writers, unit_of, words};
    use std::collections::BTreeSet;

    #[test]
    fn a_process_is_told_as_far_as_it_can_be() {
        let me = words(i32::try_from(std::process::id()).unwrap());
        assert!(me.contains("daemon"), "{me}");
        assert_eq!(words(i32::MAX), format!("process {}, which is gone", i32::MAX));
        assert_eq!(unit_of("3:cpu:/\n0::/system.slice/cron.service\n"), Some("cron.service"));
        assert_eq!(unit_of("0::/\n"), None);
    }

    #[test]
    fn however_many_names_come_and_go_one_is_kept_of_each_directory() {
        let dir = tempfile::tempdir().unwrap();
        let files = ["one", "two"].map(|name| dir.path().join(name));
        let mut writers = Writers::default();
        writers.mark(&files.clone().into());
        if writers.fd().is_none() {
            return;
        }
        let script = "for n in 1 2 3 4 5; do echo x >\"$0/beside$n\"; done; echo x >\"$0/one\"";
        let ended = std::process::Command::new("sh").args(["-c", script]).arg(dir.path()).status().unwrap();
        writers.hear();
        assert!(ended.success() && writers.last.len() <= 2, "{:?}", writers.last);
        let [one, two] = files.map(|path| writers.who(&path).unwrap());
        assert!(one.starts_with("process ") && two.ends_with(", which wrote beside it"), "{one}; {two}");
    }

    #[test]
    fn our_own_writes_are_not_the_other_side() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        let mut writers = Writers::default();
        writers.mark(&BTreeSet::from([file.clone()]));
        std::fs::write(&file, "x").unwrap();
        writers.hear();
        assert_eq!(writers.who(&file), Err(String::new()));
        writers.mark(&BTreeSet::new());
        assert!(writers.fd().is_none());
    }

    #[test]
    fn where_nobody_can_tell_who_writes_is_known_and_tried_again() {
        let dir = tempfile::tempdir().unwrap();
        let inner = dir.path().join("inner");
        std::os::unix::fs::symlink(&inner, &inner).unwrap();
        let files = ["inner/a", "none/b", "c"].map(|name| dir.path().join(name));
        let mut writers = Writers::default();
        writers.mark(&files.clone().into());
        if writers.fd().is_none() {
            assert_eq!(writers.unheard().count(), 3);
            return;
        }
        let told: Vec<_> = writers.unheard().map(|(dir, _)| dir.to_owned()).collect();
        assert_eq!(told, [inner.as_path()], "where there is no directory nobody writes");
        assert!(writers.who(&files[0]).is_err_and(|why| why.contains("symbolic links")));
        std::fs::remove_file(&inner).unwrap();
        std::fs::create_dir(&inner).unwrap();
        writers.mark(&files.clone().into());
        assert_eq!(writers.unheard().count(), 0);
        let wrote = std::process::Command::new("sh").args(["-c", "echo x >$0"]).arg(&files[0]).status();
        writers.hear();
        assert!(wrote.unwrap().success() && writers.who(&files[0]).is_ok());
    }
}
