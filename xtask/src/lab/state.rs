//! A lab's directory: its name, its /24, its ssh key and a folder a host. All that `down` must know is either
//! in here or found in /proc and the mount table by this directory's path, so a killed xtask loses nothing.
//! It starts nothing. Next: `up`.

use std::collections::BTreeSet;
use std::fs::{self, File, Permissions};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::Ipv4Addr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use rustix::fs::{FlockOperation, flock};

use crate::cmd;

/// Where all labs of this machine live.
const ROOT: &str = "/var/lib/keel-lab";

/// One lab: some hosts on one bridge.
#[derive(Debug)]
pub struct Lab {
    /// Its name, from `KEEL_LAB` or made from the workspace's path.
    pub name: String,
    /// Its directory.
    pub dir: PathBuf,
    /// The third octet of its /24, which is also the number of its bridge.
    pub octet: u8,
}

/// Held while the shared parts (directories, addresses, bridges) are changed; released when dropped.
#[derive(Debug)]
pub struct Lock(#[expect(dead_code, reason = "held, not read")] File);

/// Takes the one lock of all labs on this machine.
pub fn lock() -> Result<Lock> {
    private_dir(Path::new(ROOT))?;
    lock_file(&Path::new(ROOT).join("lock"))
}

/// A directory for root alone: the hosts' file systems hold programs that are setuid there.
pub fn private_dir(path: &Path) -> Result<()> {
    let make = || {
        fs::create_dir_all(path)?;
        fs::set_permissions(path, Permissions::from_mode(0o700))
    };
    make().with_context(|| format!("cannot create {}", path.display()))
}

/// Waits for an exclusive lock on `path`, creating it.
pub fn lock_file(path: &Path) -> Result<Lock> {
    let file = File::create(path).with_context(|| format!("cannot create {}", path.display()))?;
    flock(&file, FlockOperation::LockExclusive).with_context(|| format!("cannot lock {}", path.display()))?;
    Ok(Lock(file))
}

/// `KEEL_LAB`, or a name made from the workspace's path, so that every clone has a lab of its own.
pub fn default_name() -> Result<String> {
    let name = std::env::var("KEEL_LAB").unwrap_or_else(|_| {
        let mut hasher = DefaultHasher::new();
        cmd::workspace().hash(&mut hasher);
        format!("w{:08x}", hasher.finish() >> 32)
    });
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if name.is_empty() || name.len() > 40 || !name.chars().all(fits) {
        bail!("KEEL_LAB={name:?}: a lab's name is 1 to 40 of a-z, 0-9 and '-'");
    }
    Ok(name)
}

/// The labs that have a directory, also those left by a killed run.
pub fn all() -> Result<Vec<Lab>> {
    let mut labs = Vec::new();
    if !Path::new(ROOT).exists() {
        return Ok(labs);
    }
    for entry in fs::read_dir(ROOT).with_context(|| format!("cannot list {ROOT}: run it as root"))? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.file_type()?.is_dir() && !name.starts_with('.') {
            labs.push(read(&name)?.with_context(|| format!("{} vanished", entry.path().display()))?);
        }
    }
    labs.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(labs)
}

/// The lab called `name`, if it has a directory.
pub fn read(name: &str) -> Result<Option<Lab>> {
    let dir = Path::new(ROOT).join(name);
    if !dir.is_dir() {
        return Ok(None);
    }
    let octet = read_octet(&dir.join("octet"))?;
    Ok(Some(Lab { name: name.to_owned(), dir, octet }))
}

/// The lab called `name`, with a directory and a free /24 of its own. The caller holds the lock.
pub fn create(name: &str, _held: &Lock) -> Result<Lab> {
    if let Some(lab) = read(name)? {
        return Ok(lab);
    }
    let taken: BTreeSet<u8> = all()?.iter().map(|lab| lab.octet).collect();
    let octet = (1..=254).find(|o| !taken.contains(o)).context("254 labs are up: end one with `lab down`")?;
    // Under another name first: a directory that carries a lab's name always has its octet.
    let fresh = grave(name);
    let dir = Path::new(ROOT).join(name);
    fs::create_dir_all(&fresh)?;
    fs::write(fresh.join("octet"), octet.to_string())?;
    fs::rename(&fresh, &dir).with_context(|| format!("cannot create {}", dir.display()))?;
    Ok(Lab { name: name.to_owned(), dir, octet })
}

/// Where a lab's directory is while it is not whole: being made, or being removed.
pub fn grave(name: &str) -> PathBuf {
    Path::new(ROOT).join(format!(".{name}"))
}

/// Reads a number that `create` or `host` has written.
pub fn read_octet(path: &Path) -> Result<u8> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    text.trim().parse().with_context(|| format!("{} holds {text:?}, not an octet", path.display()))
}

impl Lab {
    /// The bridge's name; at most 15 bytes, the kernel's limit.
    pub fn bridge(&self) -> String {
        format!("keel{}", self.octet)
    }

    /// The bridge's own address, where apt's proxy listens.
    pub fn gateway(&self) -> Ipv4Addr {
        Ipv4Addr::new(10, 213, self.octet, 1)
    }

    /// The private half of the key that opens every host of this lab.
    pub fn key(&self) -> PathBuf {
        self.dir.join("key")
    }

    /// Where the hosts' folders are.
    pub fn hosts_dir(&self) -> PathBuf {
        self.dir.join("hosts")
    }

    /// The names of the hosts that have a folder, sorted.
    pub fn host_names(&self) -> Result<BTreeSet<String>> {
        let dir = self.hosts_dir();
        if !dir.is_dir() {
            return Ok(BTreeSet::new());
        }
        let names = fs::read_dir(dir)?.map(|e| Ok(e?.file_name().to_string_lossy().into_owned()));
        names.collect()
    }
}
