//! The host that this program runs on, as faults see it. Programs are started by `os::child` alone, and paths are opened as `os` opens them.

use super::tools::{Cut, Process, Room, Said, Signal, Tools};
use crate::os::child::Child;
use crate::os::error::Doing;
use crate::os::parent::Parent;
use crate::os::remove::remove;
use crate::os::safe_path::{Follow, look};
use crate::os::{Expect, FileKind, Meta};
use crate::state::StateDir;
use model::{Failure, Secret};
use rustix::fs::{
    FallocateFlags, Mode, OFlags, fallocate, fstat, fstatfs, fstatvfs, fsync, ftruncate, openat,
};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, geteuid, pidfd_open, pidfd_send_signal};
use std::collections::BTreeSet;
use std::fs::{File, read_dir, read_link, read_to_string};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long a program may take: starting or stopping a service does.
const PATIENCE: Duration = Duration::from_secs(60);

/// Types of file systems that are in memory (statfs(2)): tmpfs and ramfs.
const IN_MEMORY: [i64; 2] = [0x0102_1994, 0x8584_58f6_u32 as i64];

/// This machine.
pub struct Here<'a> {
    /// Its state.
    pub state: &'a StateDir,
}

impl Tools for Here<'_> {
    fn run(&self, argv: &[&str], input: &str) -> Result<Said, Failure> {
        let mut child = Child::new(argv.iter().copied());
        child.timeout = PATIENCE;
        child.stdin = (!input.is_empty()).then(|| Secret::new(input.as_bytes().to_vec()));
        let output = child.run()?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Ok(Said {
            fine: output.status.success(),
            out: text(output.stdout.beginning()),
            err: text(output.stderr.beginning()),
        })
    }

    fn has_services(&self) -> bool {
        has_services()
    }

    fn mtu(&self, interface: &str) -> Result<Option<u64>, Failure> {
        let path = Path::new("/sys/class/net").join(interface).join("mtu");
        match read_to_string(&path) {
            Ok(text) => Ok(text.trim().parse().ok()),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Failure::io("read", path.display(), error)),
        }
    }

    fn processes(&self) -> Result<Vec<Process>, Failure> {
        let mut ours = BTreeSet::new();
        let mut pid = std::process::id();
        while pid > 0 && ours.insert(pid) {
            pid = stat(pid)?.and_then(|stat| stat.parent).unwrap_or(0);
        }
        let mut found = Vec::new();
        let groups = |pid: u32| -> Result<String, Failure> {
            Ok(gone(read_to_string(format!("/proc/{pid}/cgroup")), pid)?.unwrap_or_else(String::new))
        };
        let first = groups(1)?;
        for pid in pids()?.into_iter().filter(|pid| !ours.contains(pid)) {
            let Some(Stat { name, start, .. }) = stat(pid)? else { continue };
            let unit = service_of(&groups(pid)?, &first).to_owned();
            found.push(Process { pid, start, name, unit });
        }
        Ok(found)
    }

    fn signal(&self, process: &Process, signal: Signal) -> Result<bool, Failure> {
        use rustix::process::Signal as Sent;
        let failed = |error: Errno| Failure::io("signal", format!("process {}", process.pid), error);
        let Some(pid) = i32::try_from(process.pid).ok().and_then(Pid::from_raw) else { return Ok(false) };
        let held = match pidfd_open(pid, PidfdFlags::empty()) {
            Ok(held) => held,
            Err(Errno::SRCH) => return Ok(false),
            Err(error) => return Err(failed(error)),
        };
        // Whatever is held now does not change any more: it is the one that was meant, or it is not.
        if stat(process.pid)?.is_none_or(|stat| stat.start != process.start) {
            return Ok(false);
        }
        let sent = match signal {
            Signal::Kill => Sent::KILL,
            Signal::Term => Sent::TERM,
            Signal::Segv => Sent::SEGV,
            Signal::Stop => Sent::STOP,
            Signal::Cont => Sent::CONT,
        };
        match pidfd_send_signal(held, sent) {
            Ok(()) => Ok(true),
            Err(Errno::SRCH) => Ok(false),
            Err(error) => Err(failed(error)),
        }
    }

    fn ssh_ports(&self) -> Result<BTreeSet<u16>, Failure> {
        let mut sockets = BTreeSet::new();
        for pid in pids()? {
            let is_sshd = |stat: Stat| stat.name.starts_with("sshd") || stat.name == "dropbear";
            if !stat(pid)?.is_some_and(is_sshd) {
                continue;
            }
            let Some(entries) = gone(read_dir(format!("/proc/{pid}/fd")), pid)? else { continue };
            for entry in entries {
                let Some(entry) = gone(entry, pid)? else { continue };
                let link = gone(read_link(entry.path()), pid)?;
                let link = link.map(|link| link.to_string_lossy().into_owned()).unwrap_or_else(String::new);
                sockets
                    .extend(link.strip_prefix("socket:[").map(|rest| rest.trim_end_matches(']').to_owned()));
            }
        }
        let mut ports = BTreeSet::from([22]);
        for table in ["/proc/self/net/tcp", "/proc/self/net/tcp6"] {
            match read_to_string(table) {
                Ok(text) => ports.extend(text.lines().filter_map(|line| local_port(line, &sockets))),
                // A kernel without IPv6.
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(Failure::io("read", table, error)),
            }
        }
        Ok(ports)
    }

    fn room(&self, dir: &Path) -> Result<Room, Failure> {
        let held = open_dir(dir)?;
        let found = fstatvfs(&held).doing("look at the file system of", dir)?;
        let kind = fstatfs(&held).doing("look at the file system of", dir)?.f_type;
        // The type of the number differs between architectures.
        #[allow(clippy::unnecessary_cast, reason = "it is an i64 on this one")]
        let memory = if IN_MEMORY.contains(&(kind as i64)) { Some(memory()?) } else { None };
        let device = |meta: &Meta| meta.identity.dev;
        let own = Meta::from(&fstat(&held).doing("look at", dir)?);
        let state = look(self.state.root(), Follow::Yes)?;
        let has_state = state.is_some_and(|state| device(&state) == device(&own));
        Ok(Room { free: found.f_bavail.saturating_mul(found.f_frsize), memory, has_state })
    }

    fn mounted_at(&self, path: &Path) -> Result<Option<PathBuf>, Failure> {
        let device = |path: &Path| look(path, Follow::No).map(|meta| Some(meta?.identity.dev));
        let own = device(path)?;
        for (top, above) in path.ancestors().zip(path.ancestors().skip(1)) {
            if own.is_some() && device(above)? != own {
                return Ok(Some(top.to_owned()));
            }
        }
        Ok(None)
    }

    fn fill(&self, path: &Path, bytes: u64) -> Result<(), Failure> {
        let parent = Parent::open(path)?;
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = openat(&parent.dir, &parent.name, flags, Mode::RUSR | Mode::WUSR).doing("make", path)?;
        if let Err(error) = fallocate(&file, FallocateFlags::empty(), 0, bytes) {
            remove(path, Expect::Anything)?;
            return Err(Failure::io("fill", path.display(), error));
        }
        parent.sync()?;
        Ok(())
    }

    fn remove(&self, path: &Path) -> Result<bool, Failure> {
        match look(path, Follow::No)? {
            // Somebody else's file of that name is none of ours.
            Some(meta) if meta.kind() == FileKind::File && meta.uid == geteuid().as_raw() => {
                remove(path, Expect::Same(meta.identity))?;
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    fn size(&self, path: &Path) -> Result<(u64, u64), Failure> {
        match look(path, Follow::No)? {
            Some(meta) if meta.kind() == FileKind::File => Ok((meta.size, meta.identity.ino)),
            Some(meta) => {
                let why = format!("{} is a {}", path.display(), meta.kind());
                Err(Failure::refused(why, "name a regular file"))
            }
            None => Err(Failure::Missing { what: path.display().to_string() }),
        }
    }

    fn append(&self, path: &Path, inode: u64, text: &str) -> Result<(), Failure> {
        let Some((mut file, meta)) = open(path, OFlags::WRONLY | OFlags::APPEND)? else {
            return Err(Failure::Missing { what: path.display().to_string() });
        };
        if meta.identity.ino != inode {
            return Err(Failure::refused(format!("{} is another file now", path.display()), "try again"));
        }
        let failed = |error| Failure::io("write", path.display(), error);
        file.write_all(text.as_bytes()).map_err(failed)?;
        file.sync_all().map_err(failed)
    }

    fn cut(&self, path: &Path, inode: u64, size: u64, text: &str) -> Result<Cut, Failure> {
        let Some((file, meta)) = open(path, OFlags::RDWR)? else { return Ok(Cut::Nothing) };
        let longer = meta.size.checked_sub(size).and_then(|more| usize::try_from(more).ok()).unwrap_or(0);
        if meta.identity.ino != inode || longer == 0 {
            return Ok(Cut::Nothing);
        }
        let mut end = vec![0; longer.min(text.len())];
        file.read_exact_at(&mut end, size).map_err(|error| Failure::io("read", path.display(), error))?;
        if !text.as_bytes().starts_with(&end) {
            return Ok(Cut::Nothing);
        }
        if longer > text.len() {
            return Ok(Cut::Buried);
        }
        ftruncate(&file, size).doing("cut", path)?;
        fsync(&file).doing("sync", path)?;
        Ok(Cut::Done)
    }
}

/// True where systemd runs this host (sd_booted(3)), and hears: a copy of a host has the directory, and nobody who would start anything.
pub fn has_services() -> bool {
    Path::new("/run/systemd/system").is_dir() && Path::new("/run/systemd/private").exists()
}

/// Opens a regular file; `None` where there is none, or something else by now.
fn open(path: &Path, how: OFlags) -> Result<Option<(File, Meta)>, Failure> {
    let parent = Parent::open(path)?;
    let flags = how | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = match openat(&parent.dir, &parent.name, flags, Mode::empty()) {
        Ok(file) => File::from(file),
        Err(Errno::NOENT | Errno::LOOP | Errno::ISDIR | Errno::NXIO) => return Ok(None),
        Err(error) => return Err(Failure::io("open", path.display(), error)),
    };
    let meta = Meta::from(&fstat(&file).doing("look at", path)?);
    Ok((meta.kind() == FileKind::File).then_some((file, meta)))
}

fn open_dir(dir: &Path) -> Result<File, Failure> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let parent = Parent::open(dir)?;
    Ok(openat(&parent.dir, &parent.name, flags, Mode::empty()).map(File::from).doing("open", dir)?)
}

/// What can still be had of the memory, in bytes (proc_meminfo(5)).
fn memory() -> Result<u64, Failure> {
    const PATH: &str = "/proc/meminfo";
    let text = read_to_string(PATH).map_err(|error| Failure::io("read", PATH, error))?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok());
    kib.map(|kib| kib << 10).ok_or_else(|| Failure::unknown("the memory", format!("{PATH} does not say it")))
}

/// What proc_pid_stat(5) says of a process.
struct Stat {
    name: String,
    parent: Option<u32>,
    start: u64,
}

/// `None` where it has ended.
fn stat(pid: u32) -> Result<Option<Stat>, Failure> {
    Ok(gone(read_to_string(format!("/proc/{pid}/stat")), pid)?.as_deref().and_then(parsed))
}

fn parsed(text: &str) -> Option<Stat> {
    let (name, rest) = text.split_once('(')?.1.rsplit_once(')')?;
    let words: Vec<&str> = rest.split_whitespace().collect();
    let (parent, start) = (words.get(1)?.parse().ok(), words.get(19)?.parse().ok()?);
    // Who has ended and was not asked how is no process any more.
    (words.first() != Some(&"Z")).then(|| Stat { name: name.to_owned(), parent, start })
}

fn pids() -> Result<Vec<u32>, Failure> {
    let failed = |error| Failure::io("list", "/proc", error);
    let names = read_dir("/proc").map_err(failed)?.map(|entry| Ok(entry.map_err(failed)?.file_name()));
    let names: Vec<_> = names.collect::<Result<_, Failure>>()?;
    Ok(names.iter().filter_map(|name| name.to_str()?.parse().ok()).collect())
}

/// A process that ends while it is looked at is none. The kernel says so with ENOENT or ESRCH.
fn gone<T>(read: std::io::Result<T>, pid: u32) -> Result<Option<T>, Failure> {
    match read {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) if error.raw_os_error() == Some(Errno::SRCH.raw_os_error()) => Ok(None),
        Err(error) => Err(Failure::io("look at", format!("process {pid}"), error)),
    }
}

/// The service of a process, by its proc_pid_cgroup(5) and that of the first process; empty where it is of none. What a container or a user's
/// own manager calls a service is none of this system's.
fn service_of<'a>(groups: &'a str, first: &str) -> &'a str {
    let root = group_of(first).trim_end_matches("/init.scope").trim_end_matches('/');
    let below = group_of(groups).strip_prefix(root).unwrap_or("");
    let unit = below.split('/').find(|part| !part.is_empty() && !part.ends_with(".slice"));
    unit.filter(|unit| unit.ends_with(".service")).unwrap_or("")
}

/// Where systemd has put a process.
fn group_of(groups: &str) -> &str {
    let named = |is_meant: fn(&&str) -> bool| groups.lines().find(is_meant)?.splitn(3, ':').nth(2);
    named(|line| line.contains(":name=systemd:"))
        .or_else(|| named(|line| line.starts_with("0::")))
        .unwrap_or("")
}

/// The local port of a line of proc_pid_net(5), where its socket is one of these.
fn local_port(line: &str, sockets: &BTreeSet<String>) -> Option<u16> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let port = u16::from_str_radix(words.get(1)?.rsplit_once(':')?.1, 16).ok()?;
    sockets.contains(*words.get(9)?).then_some(port)
}

#[cfg(test)]
mod tests {
    use super::{Here, local_port, parsed, service_of};
    use crate::drills::tools::{Cut, Process, Signal, Tools};
    use crate::state::StateDir;
    use std::path::Path;

    #[test]
    fn the_kernels_tables_are_read() {
        let line = "   0: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 0 100";
        assert_eq!(local_port(line, &["4711".to_owned()].into()), Some(22));
        assert_eq!(local_port(line, &["4712".to_owned()].into()), None);
        let stat = parsed("7 (a) (b) S 1 7 7 0 -1 4 1 2 3 4 5 6 7 8 20 0 1 0 4242 1 1").unwrap();
        assert_eq!((stat.name.as_str(), stat.parent, stat.start), ("a) (b", Some(1), 4242));
    }

    #[test]
    fn a_service_of_somebody_elses_manager_is_none() {
        let host = "0::/init.scope\n";
        for (groups, first, unit) in [
            ("0::/system.slice/nginx.service\n", host, "nginx.service"),
            ("0::/system.slice/system-getty.slice/getty@tty1.service\n", host, "getty@tty1.service"),
            ("0::/system.slice/containerd.service/shim\n", host, "containerd.service"),
            (
                "3:cpu:/\n1:name=systemd:/system.slice/cron.service\n0::/\n",
                "1:name=systemd:/init.scope\n",
                "cron.service",
            ),
            ("0::/user.slice/user-0.slice/session-3.scope\n", host, ""),
            ("0::/user.slice/user-7.slice/user@7.service/app.slice/web.service\n", host, "user@7.service"),
            ("0::/machine.slice/machine-a.scope/payload/system.slice/nginx.service\n", host, ""),
            ("0::/docker/4711/system.slice/nginx.service\n", host, ""),
            // The same, from inside.
            ("0::/docker/4711/system.slice/nginx.service\n", "0::/docker/4711/init.scope\n", "nginx.service"),
            ("0::/system.slice/nginx.service\n", "0::/\n", "nginx.service"),
        ] {
            assert_eq!(service_of(groups, first), unit, "{groups}");
        }
    }

    #[test]
    fn a_file_that_was_replaced_is_not_cut() {
        let dir = tempfile::tempdir().unwrap();
        let (state, path) = (StateDir::new(dir.path()), dir.path().join("f"));
        let here = Here { state: &state };
        let put = |text: &str| {
            std::fs::File::create_new(&path)
                .and_then(|mut file| std::io::Write::write_all(&mut file, text.as_bytes()))
        };
        put("one\n").unwrap();
        let (size, inode) = here.size(&path).unwrap();
        here.append(&path, inode, "fault\n").unwrap();
        let cut = || here.cut(&path, inode, size, "fault\n").unwrap();
        assert_eq!((cut(), cut()), (Cut::Done, Cut::Nothing), "it is cut once");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "one\n");
        // What was cut off half-way, by a power failure, and what somebody else has written.
        here.append(&path, inode, "fau").unwrap();
        assert_eq!(cut(), Cut::Done);
        here.append(&path, inode, "fault\n").unwrap();
        here.append(&path, inode, "two\n").unwrap();
        assert_eq!(cut(), Cut::Buried, "what somebody wrote after it stays");
        assert_eq!(here.cut(&path, inode, size, "other").unwrap(), Cut::Nothing);
    }

    #[test]
    fn a_process_that_is_another_one_gets_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let state = StateDir::new(dir.path());
        let ourselves = Process { pid: std::process::id(), start: 1, ..Process::default() };
        assert!(!Here { state: &state }.signal(&ourselves, Signal::Kill).unwrap());
    }

    #[test]
    fn a_file_system_is_where_it_is_mounted() {
        let dir = tempfile::tempdir().unwrap();
        let (state, at) = (StateDir::new(dir.path()), |path: &str| Path::new(path).to_owned());
        let here = Here { state: &state };
        assert_eq!(here.mounted_at(&at("/proc/self")), Ok(Some(at("/proc"))));
        assert_eq!((here.mounted_at(&at("/")), here.mounted_at(&at("/proc/none"))), (Ok(None), Ok(None)));
        assert!(here.mtu("lo").unwrap() > Some(0) && here.mtu("no-such0").unwrap().is_none());
    }
}
