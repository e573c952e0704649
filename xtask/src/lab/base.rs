//! The base that every host is an overlay of: a minimal system of this machine's own release, with systemd,
//! apt and sshd and no Python. Built once and kept under a key of its recipe. It must hold nothing of one lab:
//! keys and addresses go into a host's own layer. Next: `host`.

use std::fs::{self, Permissions};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::cmd;
use crate::lab::host::unmount_below;
use crate::lab::machine::Machine;
use crate::lab::state::{lock_file, private_dir};

/// Where built bases are kept.
pub const CACHE: &str = "/var/cache/keel-lab";

/// What a host has beyond `minbase`. libpam-systemd is left out: with it a login can stall for as long as the
/// last login's user manager takes to stop.
const PACKAGES: &[&str] = &[
    "systemd",
    "systemd-sysv",
    "dbus",
    "openssh-server",
    "sudo",
    "iproute2",
    "ca-certificates",
    "apt-utils",
    "cron",
    "procps",
];

/// Run inside the new base, in this order.
const SETUP: &[&[&str]] = &[
    &["useradd", "--create-home", "--shell", "/bin/bash", "admin"],
    &["systemctl", "enable", "systemd-networkd.service"],
    &["systemctl", "mask", "apt-daily.timer", "apt-daily-upgrade.timer"],
];

/// Written into the new base: path, mode, content. Hosts resolve no names: the proxy does.
const FILES: &[(&str, u32, &str)] = &[
    ("etc/sudoers.d/admin", 0o440, "admin ALL=(ALL) NOPASSWD: ALL\n"),
    ("etc/resolv.conf", 0o644, ""),
    ("etc/machine-id", 0o444, ""),
];

/// The base for this machine's release, built if it is not there yet (about half a minute).
pub fn ensure(machine: &Machine) -> Result<PathBuf> {
    let dir = Path::new(CACHE).join(key(machine));
    private_dir(Path::new(CACHE))?;
    let _held = lock_file(&Path::new(CACHE).join("lock"))?;
    if dir.is_dir() {
        return Ok(dir);
    }
    sweep()?;
    println!("building the hosts' base of {} (once) …", machine.codename);
    let fresh = dir.with_extension("new");
    build(machine, &fresh).with_context(|| format!("the base could not be built in {}", fresh.display()))?;
    fs::rename(&fresh, &dir)?;
    Ok(dir)
}

/// The recipe's hash; another recipe is another directory.
fn key(machine: &Machine) -> String {
    let mut hasher = DefaultHasher::new();
    (&machine.codename, &machine.sources, &machine.options).hash(&mut hasher);
    (PACKAGES, SETUP, FILES, std::env::consts::ARCH).hash(&mut hasher);
    format!("{}-{:016x}", machine.codename, hasher.finish())
}

/// Removes halves of bases that a killed run has left. The caller holds the cache's lock.
fn sweep() -> Result<()> {
    for entry in fs::read_dir(CACHE)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "new") {
            // A killed mmdebstrap leaves its /proc, /sys and /dev mounted in there.
            unmount_below(&path)?;
            fs::remove_dir_all(&path).with_context(|| format!("cannot remove {}", path.display()))?;
        }
    }
    Ok(())
}

fn build(machine: &Machine, dir: &Path) -> Result<()> {
    let mut bootstrap = cmd::command(&["mmdebstrap", "--quiet", "--mode=root", "--variant=minbase"]);
    bootstrap.arg(format!("--include={}", PACKAGES.join(",")));
    bootstrap.args(machine.options.iter().map(|option| format!("--aptopt={option}")));
    if let Some(proxy) = &machine.upstream {
        bootstrap.env("http_proxy", format!("http://{proxy}"));
    }
    bootstrap.arg(&machine.codename).arg(dir).args(&machine.sources);
    cmd::quiet(&mut bootstrap)?;
    for argv in SETUP {
        cmd::quiet(cmd::command(&["chroot"]).arg(dir).args(*argv))?;
    }
    for (path, mode, content) in FILES {
        put(&dir.join(path), *mode, content)?;
    }
    // A host gets keys of its own; those of the base would be everybody's.
    for entry in fs::read_dir(dir.join("etc/ssh"))? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with("ssh_host_") {
            fs::remove_file(entry.path())?;
        }
    }
    if dir.join("usr/bin/python3").exists() {
        bail!("the base has a Python; its hosts would not be raw");
    }
    Ok(())
}

/// Writes a file with a mode, and the directories above it.
pub fn put(path: &Path, mode: u32, content: &str) -> Result<()> {
    let parent = path.parent().context("a path without a directory")?;
    let write = || {
        fs::create_dir_all(parent)?;
        fs::write(path, content)?;
        fs::set_permissions(path, Permissions::from_mode(mode))
    };
    write().with_context(|| format!("cannot write {}", path.display()))
}
