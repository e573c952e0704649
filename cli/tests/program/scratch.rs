//! A scratch directory that stands for a host, with a site file and a state directory of its own.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A scratch host.
pub struct Scratch {
    dir: tempfile::TempDir,
}

/// What a call of the program came to.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Ran {
    /// The lines of standard output as JSON.
    pub fn events(&self) -> Vec<serde_json::Value> {
        self.out.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
    }
}

/// What tells whether somebody wrote: inode, size, mode, owner, times of change in nanoseconds.
pub type Stamp = (u64, u64, u32, (u32, u32), (i64, i64));

impl Scratch {
    /// An empty host.
    pub fn new() -> Self {
        let scratch = Self { dir: tempfile::tempdir().expect("a directory") };
        fs::create_dir(scratch.host("")).expect("a directory");
        scratch
    }

    /// An empty host and its site.
    pub fn of(site: &str) -> Self {
        let scratch = Self::new();
        scratch.site(site);
        scratch
    }

    /// Replaces the site; `HOST` stands for the directory of the host.
    pub fn site(&self, text: &str) {
        let host = self.host("").display().to_string();
        fs::write(self.dir.path().join("site.toml"), text.replace("HOST", host.trim_end_matches('/')))
            .expect("written");
    }

    /// A path on the host.
    pub fn host(&self, name: &str) -> PathBuf {
        self.dir.path().join("host").join(name)
    }

    /// A path of the state.
    pub fn state(&self, name: &str) -> PathBuf {
        self.dir.path().join("state").join(name)
    }

    /// The arguments of a verb that works on this host.
    pub fn arguments(&self, verb: &str, more: &[&str]) -> Vec<String> {
        let path = |name: &str| self.dir.path().join(name).display().to_string();
        let mut words = vec![verb.to_owned()];
        if matches!(verb, "plan" | "apply" | "validate") {
            words.extend(["-f".to_owned(), path("site.toml")]);
        }
        if verb != "validate" {
            words.push("--local".to_owned());
            words.extend(["--state-dir".to_owned(), path("state")]);
        }
        words.extend(more.iter().map(|word| (*word).to_owned()));
        words
    }

    /// Calls the program for this host.
    pub fn keel(&self, verb: &str, more: &[&str]) -> Ran {
        let words = self.arguments(verb, more);
        keel(self.dir.path(), &words.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// As `keel`, with a failpoint set (`agent::failpoint`); 137 is the code of one that was killed there.
    pub fn keel_at(&self, failpoint: &str, verb: &str, more: &[&str]) -> Ran {
        let words = self.arguments(verb, more);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        ran(command(self.dir.path()).env("KEEL_FAILPOINT", failpoint).args(words))
    }

    /// Calls the program, and wants it to end well.
    #[track_caller]
    pub fn fine(&self, verb: &str, more: &[&str]) -> Ran {
        let ran = self.keel(verb, more);
        assert_eq!(ran.code, 0, "{ran:?}");
        ran
    }

    /// Everything on the host, and in its state but for the lock, which says who looked last.
    pub fn stamps(&self) -> BTreeMap<PathBuf, Stamp> {
        let mut found = BTreeMap::new();
        for top in [self.host(""), self.state("")] {
            walk(&top, &mut |path, meta| {
                let changed = (meta.mtime() * 1_000_000_000 + meta.mtime_nsec(), meta.ctime_nsec());
                let owner = (meta.uid(), meta.gid());
                found.insert(path.to_owned(), (meta.ino(), meta.size(), meta.mode(), owner, changed));
            });
        }
        found.remove(&self.state("lock"));
        found
    }

    /// The directory of it all.
    pub fn root(&self) -> &Path {
        self.dir.path()
    }
}

/// Calls `each` for `path` and everything below.
pub fn walk(path: &Path, each: &mut dyn FnMut(&Path, &fs::Metadata)) {
    let meta = fs::symlink_metadata(path).expect("it is there");
    each(path, &meta);
    if meta.is_dir() {
        let entries = fs::read_dir(path).expect("a directory");
        entries.for_each(|entry| walk(&entry.expect("an entry").path(), each));
    }
}

/// Calls the program in `dir`, with no terminal and no environment but what it takes.
pub fn keel(dir: &Path, words: &[&str]) -> Ran {
    ran(command(dir).args(words))
}

/// As `keel`, with its standard output going to `out`.
pub fn keel_to(dir: &Path, words: &[&str], out: impl Into<Stdio>) -> Ran {
    ran(command(dir).args(words).stdout(out))
}

fn command(dir: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_keel"));
    command.env_clear().env("HOME", dir).env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").current_dir(dir);
    command
}

fn ran(command: &mut Command) -> Ran {
    let output = command.stdin(Stdio::null()).output().expect("keel starts");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    let code = output.status.code().or_else(|| Some(128 + output.status.signal()?)).expect("it ended");
    Ran { code, out: text(output.stdout), err: text(output.stderr) }
}
