//! Boxes that are booted by systemd-nspawn: a minimal system of this machine's own release, with everything that belongs to one in
//! memory. Services run in them. They end with this program, however that ends, unless they are kept: then their input has ended.

use super::base::{Base, CACHE, make_private};
use super::booting;
use super::driver::{Driver, Raw, TestBox, unmade};
use super::kept::Kept;
use super::lacking;
use super::name::{self, PREFIX};
use super::way_out::{self, WayOut};
use agent::os::child::{Child, Outlet, PATH};
use agent::os::tied::Tied;
use agent::rehearse::layer_differences;
use fleet::{Remote, Spawned};
use model::Failure;
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead as _, BufReader, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

const SCRIPT: &str = include_str!("nspawn.sh");
/// How long a box may take to come up.
const BOOTING: Duration = Duration::from_secs(90);
const GLANCE: Duration = Duration::from_millis(20);
/// It is there where systemd runs the machine (sd_booted(3)).
const MANAGED: &str = "/run/systemd/system";
/// What this process starts: it ends with it, while what that starts ends with its input (see `nspawn.sh`).
const BESIDE: &str = "exec 3<&0 </dev/null; \"$@\" <&3 3<&- 2>&1 & exec 3<&-; wait \"$!\"";
/// What goes on in a scope of the service manager's: of unified groups only the innermost may have processes (cgroups(7)).
const SCOPED: &str = r#"
if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
    own=/sys/fs/cgroup$(sed -n 's/^0:://p' /proc/self/cgroup)
    mkdir "$own/around" "$own/box"
    echo 0 >"$own/around/cgroup.procs"
fi
exec "$@"
"#;
/// Where boxes without a service manager outside have their groups.
const GROUPS: [&str; 3] = ["/sys/fs/cgroup", "/sys/fs/cgroup/systemd", "/sys/fs/cgroup/unified"];
/// Ends a box, and removes its groups. 1: the process around it  2: its name
const REMOVE: &str = r#"
if grep -q -- "$2" "/proc/$1/cmdline" 2>/dev/null; then kill "$1"; fi
for top in /sys/fs/cgroup /sys/fs/cgroup/systemd /sys/fs/cgroup/unified; do
    [ -d "$top/$2" ] || continue
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        find "$top/$2" -depth -type d -exec rmdir {} + 2>/dev/null && break
        sleep 0.2
    done
done
"#;

/// Makes them.
#[derive(Debug, Default)]
pub struct Nspawn {
    base: Base,
}

impl Nspawn {
    /// Over this system, or one that is made and kept.
    pub fn over(base: Option<PathBuf>) -> Self {
        Self { base: Base::of(base) }
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
        let mut needed = vec![("systemd-nspawn", "systemd-container"), ("ip", "iproute2")];
        // See `nspawn.sh`.
        needed.extend((!Path::new(MANAGED).exists()).then_some(("dbus-daemon", "dbus-daemon")));
        lacking::programs(&needed, OsStr::new(PATH))?;
        let base = self.base.path()?;
        sweep();
        make_private(Path::new(CACHE))?;
        let place = Path::new(CACHE).join("box");
        make_private(&place)?;
        let name = name::next();
        let (keeper, input) = lay_out(&base, &place, &name)?;
        let mut made = Booted {
            keeper,
            input,
            name,
            base,
            place,
            first: 0,
            init: 0,
            way_out: None,
            raw: BTreeSet::new(),
        };
        match made.boot() {
            Ok(()) => Ok(Box::new(made)),
            Err(failure) => Err(unmade(failure, Box::new(made).destroy())),
        }
    }
}

/// Starts what lies around a box, and waits until it is laid out. The box ends when the input that comes back does.
fn lay_out(base: &Path, place: &Path, name: &str) -> Result<(Tied, Box<dyn Write + Send>), Failure> {
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
    let [from, to] = [base, place].map(|path| path.display().to_string());
    let unit = format!("--unit={name}");
    let words = ["sh", "-c", BESIDE, "sh"].into_iter().chain(scope(&unit)).chain(words);
    let mut keeper = Child::new(words.chain([from.as_str(), &to, name])).start(Outlet::Piped)?;
    let Some(input) = keeper.input() else {
        return Err(Failure::unknown("the box", "it was started without pipes"));
    };
    let mut said = String::new();
    if let Some(output) = keeper.output() {
        let failed = |error| Failure::io("talk over", "the pipe of the box", error);
        for line in BufReader::new(output).lines() {
            let line = line.map_err(failed)?;
            if line == "made" {
                said.clear();
                break;
            }
            said.push_str(&line);
            said.push_str("; ");
        }
    }
    if !said.is_empty() {
        drop((keeper, input));
        let why = Failure::unknown("the box", format!("it could not be laid out: {said}"));
        return Err(unmade(why, remove_groups(name)));
    }
    Ok((keeper, Box::new(input)))
}

/// What is put in front of a command, so that it has groups of its own where a service manager runs this machine (systemd-run(1)): it is
/// the command itself that has them, and not a child. `unit` names them.
fn scope(unit: &str) -> Vec<&str> {
    if !Path::new(MANAGED).exists() {
        return Vec::new();
    }
    let run = ["systemd-run", "--scope", "--quiet", "--collect", unit, "--slice=machine.slice"];
    let told = ["--description=A box of keel test", "--property=Delegate=yes"];
    [&run[..], &told, &["sh", "-euc", SCOPED, "sh"]].concat()
}

/// A booted box.
struct Booted {
    keeper: Tied,
    /// When it ends, the box does.
    input: Box<dyn Write + Send>,
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
        let around = *children(self.keeper.id())?.first().ok_or_else(|| self.gone())?;
        self.first = *children(around)?.first().ok_or_else(|| self.gone())?;
        while self.init == 0 {
            if let Some(init) = init_below(self.first)? {
                self.init = init;
            } else if Instant::now() >= until || !Path::new("/proc").join(self.first.to_string()).exists() {
                return Err(self.gone());
            } else {
                sleep(GLANCE);
            }
        }
        let has_ended = || !Path::new("/proc").join(self.init.to_string()).exists();
        booting::wait(&|| self.remote(), until, (&has_ended, &|| self.log()))?;
        self.way_out = Some(WayOut::open(self.init, &mut *self.remote())?);
        self.raw = self.differences()?;
        Ok(())
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
        Box::new(Spawned::behind(entering(&self.init.to_string()).map(str::to_owned).to_vec()))
    }

    fn compare(&mut self) -> Result<Raw, Failure> {
        Ok(Raw::Differs(self.differences()?.difference(&self.raw).cloned().collect()))
    }

    fn notes(&self) -> Vec<String> {
        Vec::new()
    }

    fn destroy(self: Box<Self>) -> Result<(), Failure> {
        let Self { keeper, input, name, way_out, .. } = *self;
        drop((way_out, keeper, input));
        remove_groups(&name)
    }

    fn keep(mut self: Box<Self>) -> Result<Kept, Failure> {
        let around = self.first.to_string();
        let told = self.input.write_all(b"keep\n").and_then(|()| self.input.flush());
        told.map_err(|error| Failure::io("talk over", "the pipe of the box", error))?;
        let init = self.init.to_string();
        let enter = entering(&init).join(" ");
        let remove = ["sh", "-euc", REMOVE, "sh", &around, &self.name].map(str::to_owned).to_vec();
        let note = format!("{}; it is gone when this machine is started anew", way_out::note(self.way_out));
        Ok(Kept { name: self.name, enter: format!("{enter} bash"), remove, note })
    }
}

/// What enters the namespaces of a process.
fn entering(init: &str) -> [&str; 11] {
    ["nsenter", "--target", init, "--mount", "--pid", "--ipc", "--uts", "--net", "--root", "--wd", "--"]
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

/// Removes the groups of boxes whose `keel` is gone. Nothing else of a box outlives it, unless the box is kept: then it is in them.
fn sweep() {
    for top in GROUPS {
        let Ok(entries) = fs::read_dir(top) else { continue };
        for name in entries.filter_map(|entry| Some(entry.ok()?.file_name().to_str()?.to_owned())) {
            let pid = name.strip_prefix(PREFIX).and_then(|rest| rest.split('-').next());
            let group = Path::new(top).join(&name);
            if pid.is_some_and(|pid| !Path::new("/proc").join(pid).exists()) && is_empty(&group) {
                // No box needs it to be gone: what is left now is tried again.
                drop(remove_below(&group));
            }
        }
    }
}

/// Whether no process is in a group, nor in any below; false where that cannot be told.
fn is_empty(group: &Path) -> bool {
    let below =
        |entry: &fs::DirEntry| !entry.file_type().is_ok_and(|kind| kind.is_dir()) || is_empty(&entry.path());
    fs::read_to_string(group.join("cgroup.procs")).is_ok_and(|pids| pids.is_empty())
        && fs::read_dir(group)
            .is_ok_and(|entries| entries.into_iter().all(|entry| entry.is_ok_and(|one| below(&one))))
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

#[expect(clippy::disallowed_methods, reason = "files of a test's own")]
#[cfg(test)]
mod tests {
    use super::is_empty;
    use std::fs;

    #[test]
    fn a_group_with_a_process_somewhere_below_is_in_use() {
        let top = std::env::temp_dir().join(format!("keel-groups-{}", std::process::id()));
        let inner = top.join("system.slice/cron.service");
        fs::create_dir_all(&inner).unwrap();
        for group in [&top, &top.join("system.slice"), &inner] {
            fs::write(group.join("cgroup.procs"), "").unwrap();
        }
        assert!(is_empty(&top));
        fs::write(inner.join("cgroup.procs"), "4711\n").unwrap();
        assert!(!is_empty(&top));
        fs::remove_file(inner.join("cgroup.procs")).unwrap();
        assert!(!is_empty(&top), "it cannot be told");
        fs::remove_dir_all(top).unwrap();
    }
}
