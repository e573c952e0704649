//! Boxes that are booted by systemd-nspawn: a minimal system of this machine's own release, with everything that belongs to one in
//! memory. Services run in them. They end with this program, however that ends: they live in namespaces of its child.

use super::base::{self, CACHE, make_private};
use super::command::run;
use super::driver::{Driver, Raw, TestBox};
use super::way_out::WayOut;
use agent::os::child::{Child, Outlet};
use agent::os::tied::Tied;
use agent::rehearse::layer_differences;
use fleet::{Remote, Spawned};
use model::Failure;
use std::collections::BTreeSet;
use std::fs;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

const SCRIPT: &str = include_str!("nspawn.sh");
/// How long a box may take to come up.
const BOOTING: Duration = Duration::from_secs(90);
const GLANCE: Duration = Duration::from_millis(20);
/// Where boxes without a service manager outside have their groups.
const GROUPS: [&str; 3] = ["/sys/fs/cgroup", "/sys/fs/cgroup/systemd", "/sys/fs/cgroup/unified"];
/// What names of boxes begin with; the number of this process and that of the box follow.
const PREFIX: &str = "keel-box-";

/// Makes them.
#[derive(Debug, Default)]
pub struct Nspawn {
    /// A directory with a system, in place of one that is made.
    pub base: Option<PathBuf>,
    made: Mutex<Option<PathBuf>>,
}

/// Counts the boxes of this process.
static NEXT: AtomicU32 = AtomicU32::new(1);

impl Nspawn {
    /// Over this system, or one that is made and kept.
    pub fn over(base: Option<PathBuf>) -> Self {
        Self { base, made: Mutex::default() }
    }

    /// The system to lay boxes over; the first who asks makes it, while others wait.
    fn base(&self) -> Result<PathBuf, Failure> {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(base) = self.base.as_ref().or(made.as_ref()) {
            return Ok(base.clone());
        }
        sweep()?;
        let base = base::ensure()?;
        Ok(made.insert(base).clone())
    }
}

impl Driver for Nspawn {
    fn name(&self) -> &'static str {
        "nspawn"
    }

    fn create(&self) -> Result<Box<dyn TestBox>, Failure> {
        if !rustix::process::geteuid().is_root() {
            return Err(Failure::refused("a booted box needs root", "run it with sudo"));
        }
        let base = self.base()?;
        make_private(Path::new(CACHE))?;
        let place = Path::new(CACHE).join("box");
        make_private(&place)?;
        let name = format!("{PREFIX}{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let words = [
            "unshare",
            "--mount",
            "--propagation",
            "private",
            "--pid",
            "--fork",
            "--kill-child",
            "--mount-proc",
            "--net",
            "--ipc",
            "--uts",
            "sh",
            "-euc",
            SCRIPT,
            "sh",
        ];
        let [from, to] = [&base, &place].map(|path| path.display().to_string());
        let mut keeper =
            Child::new(words.into_iter().chain([from.as_str(), &to, &name])).start(Outlet::Piped)?;
        let mut said = [0; 5];
        let heard = keeper.output().map(|mut output| output.read_exact(&mut said));
        if !matches!(heard, Some(Ok(()))) {
            drop(keeper);
            remove_groups(&name)?;
            return Err(Failure::unknown("the box", "it could not be laid out; what was said is above"));
        }
        let mut made =
            Booted { keeper, name, base, place, first: 0, init: 0, way_out: None, raw: BTreeSet::new() };
        made.boot()?;
        Ok(Box::new(made))
    }
}

/// A booted box.
struct Booted {
    keeper: Tied,
    name: String,
    base: PathBuf,
    place: PathBuf,
    /// The first process around the box, and that of the box, as this machine numbers them.
    first: u32,
    init: u32,
    way_out: Option<WayOut>,
    /// What booting made otherwise.
    raw: BTreeSet<String>,
}

impl Booted {
    fn boot(&mut self) -> Result<(), Failure> {
        let until = Instant::now() + BOOTING;
        self.first = *children(self.keeper.id())?.first().ok_or_else(|| self.gone())?;
        while self.init == 0 {
            if let Some(init) = init_below(self.first)? {
                self.init = init;
            } else if Instant::now() >= until || !Path::new("/proc").join(self.first.to_string()).exists() {
                return Err(self.gone());
            } else {
                sleep(GLANCE);
            }
        }
        self.up(until)?;
        self.way_out = Some(WayOut::open(self.init, &mut *self.remote())?);
        self.raw = self.differences()?;
        Ok(())
    }

    /// Waits until its service manager has started everything.
    fn up(&self, until: Instant) -> Result<(), Failure> {
        let argv = ["systemctl", "is-system-running", "--wait"];
        loop {
            let said = run(&mut *self.remote(), &argv, b"", until.saturating_duration_since(Instant::now()));
            let word =
                said.map(|said| said.out.trim().to_owned()).unwrap_or_else(|trouble| trouble.to_string());
            match word.as_str() {
                "running" | "degraded" => return Ok(()),
                _ if Instant::now() >= until => {
                    return Err(Failure::unknown(
                        "the box",
                        format!("it does not come up: {word}; {}", self.log()),
                    ));
                }
                // Its service manager cannot be asked yet.
                _ => sleep(GLANCE),
            }
        }
    }

    fn gone(&self) -> Failure {
        Failure::unknown("the box", format!("it has ended: {}", self.log()))
    }

    /// The box's own files, seen from here.
    fn below(&self, name: &str) -> PathBuf {
        let place = self.place.strip_prefix("/").unwrap_or(&self.place);
        Path::new("/proc").join(self.first.to_string()).join("root").join(place).join(name)
    }

    /// The end of what its console said.
    fn log(&self) -> String {
        let text = fs::read(self.below("log")).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        let text = text.unwrap_or_else(|error| error.to_string());
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(8)..].join("\n")
    }

    fn differences(&self) -> Result<BTreeSet<String>, Failure> {
        Ok(layer_differences(&self.base, &self.below("upper"))?.into_iter().collect())
    }
}

impl TestBox for Booted {
    fn remote(&self) -> Box<dyn Remote> {
        let init = self.init.to_string();
        let words = [
            "nsenter", "--target", &init, "--mount", "--pid", "--ipc", "--uts", "--net", "--root", "--wd",
            "--",
        ];
        Box::new(Spawned::behind(words.map(str::to_owned).to_vec()))
    }

    fn compare(&mut self) -> Result<Raw, Failure> {
        Ok(Raw::Differs(self.differences()?.difference(&self.raw).cloned().collect()))
    }

    fn notes(&self) -> Vec<String> {
        Vec::new()
    }

    fn destroy(self: Box<Self>) -> Result<(), Failure> {
        let Self { keeper, name, way_out, .. } = *self;
        drop(way_out);
        drop(keeper);
        remove_groups(&name)
    }

    fn keep(self: Box<Self>) -> Option<String> {
        None
    }
}

/// The processes that this one has started (proc_pid_task_children(5)).
fn children(pid: u32) -> Result<Vec<u32>, Failure> {
    let path = format!("/proc/{pid}/task/{pid}/children");
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(Failure::io("read", path, error)),
    };
    Ok(text.split_whitespace().filter_map(|pid| pid.parse().ok()).collect())
}

/// The first process of a namespace below that of `first`, where there is one.
fn init_below(first: u32) -> Result<Option<u32>, Failure> {
    let mut left = children(first)?;
    while let Some(pid) = left.pop() {
        // proc_pid_status(5): the numbers of a process, from this machine's namespace to its own.
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_else(|_| String::new());
        let numbers = status.lines().find_map(|line| line.strip_prefix("NSpid:")).unwrap_or("");
        let numbers: Vec<&str> = numbers.split_whitespace().collect();
        if numbers.len() > 2 && numbers.last() == Some(&"1") {
            return Ok(Some(pid));
        }
        left.extend(children(pid)?);
    }
    Ok(None)
}

/// Removes the groups of boxes whose `keel` is gone. Nothing else of a box outlives it.
fn sweep() -> Result<(), Failure> {
    for top in GROUPS {
        let Ok(entries) = fs::read_dir(top) else { continue };
        for name in entries.filter_map(|entry| Some(entry.ok()?.file_name().to_str()?.to_owned())) {
            let pid = name.strip_prefix(PREFIX).and_then(|rest| rest.split('-').next());
            if pid.is_some_and(|pid| !Path::new("/proc").join(pid).exists()) {
                remove_groups(&name)?;
            }
        }
    }
    Ok(())
}

/// Removes the groups of a box, when the last of its processes has ended.
fn remove_groups(name: &str) -> Result<(), Failure> {
    let until = Instant::now() + Duration::from_secs(10);
    for group in GROUPS.map(|top| Path::new(top).join(name)).iter().filter(|group| group.exists()) {
        while let Err(error) = remove_below(group) {
            if Instant::now() >= until {
                return Err(Failure::io("remove", group.display(), error));
            }
            sleep(GLANCE);
        }
    }
    Ok(())
}

/// rmdir(2), the innermost first: the files in a group are the kernel's.
fn remove_below(group: &Path) -> std::io::Result<()> {
    for entry in fs::read_dir(group)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            remove_below(&entry.path())?;
        }
    }
    match fs::remove_dir(group) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        other => other,
    }
}
