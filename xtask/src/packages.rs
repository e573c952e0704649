//! The Debian packages that the lab needs on the machine it runs on. Installs what is missing when root, says
//! what is missing when not. It must not touch anything else of the machine.

use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::cmd;

/// A program that must be there, and the Debian package that brings it.
const NEEDED: &[(&str, &str)] = &[
    ("mmdebstrap", "mmdebstrap"),
    ("systemd-nspawn", "systemd-container"),
    ("dbus-daemon", "dbus"),
    ("tinyproxy", "tinyproxy-bin"),
    ("ssh", "openssh-client"),
    ("ssh-keygen", "openssh-client"),
    ("sshd", "openssh-server"),
    ("ip", "iproute2"),
    ("iptables", "iptables"),
    ("setsid", "util-linux"),
    ("findmnt", "util-linux"),
    ("curl", "curl"),
    ("jq", "jq"),
    ("git", "git"),
    ("strace", "strace"),
    ("taskset", "util-linux"),
    ("valgrind", "valgrind"),
    ("script", "bsdutils"),
    ("nsenter", "util-linux"),
    ("time", "time"),
];

/// What the scenarios with Vagrant and with boxes need besides. Not every release of Debian's family has it, so the lab does without.
const VAGRANT: &[(&str, &str)] = &[
    ("vagrant", "vagrant"),
    ("lxc-create", "lxc"),
    // Brings no program.
    ("/usr/share/vagrant-plugins/plugins.d/vagrant-lxc.json", "vagrant-lxc"),
    ("podman", "podman"),
    // The runtime that also runs where there are groups of both versions.
    ("runc", "runc"),
];

/// The packages whose program is missing, each once, in a stable order.
pub fn missing() -> Vec<&'static str> {
    missing_of(NEEDED)
}

/// Is there what the scenario with Vagrant needs?
pub fn has_vagrant() -> bool {
    missing_of(VAGRANT).is_empty()
}

/// Makes sure of Vagrant and its LXC provider.
///
/// # Errors
/// Not root, or this release's packages have no Vagrant.
pub fn ensure_vagrant() -> Result<()> {
    let missing = missing_of(VAGRANT);
    if missing.is_empty() { Ok(()) } else { install(&missing) }
}

fn missing_of(needed: &[(&str, &'static str)]) -> Vec<&'static str> {
    let mut packages: Vec<_> = needed
        .iter()
        .filter(|(program, _)| cmd::find(program).is_none())
        .map(|(_, package)| *package)
        .collect();
    packages.dedup();
    packages
}

/// Makes sure that all needed programs are there. Needs root for what is missing, and for the lab anyway.
///
/// # Errors
/// Not root, no apt, or apt failed.
pub fn ensure() -> Result<()> {
    let missing = missing();
    if !cmd::is_root() {
        let advice = if missing.is_empty() {
            String::new()
        } else {
            format!(" (it will also need: apt-get install {})", missing.join(" "))
        };
        bail!("the lab needs root, to mount overlays and to boot hosts; run it as root{advice}");
    }
    if missing.is_empty() && has_lists()? {
        return Ok(());
    }
    // Old lists name packages that mirrors no longer have. One broken source of a third party is no reason to
    // stop here: what follows fails by itself if it misses anything.
    if let Err(error) = cmd::quiet(&mut cmd::command(&["apt-get", "update", "-qq"])) {
        eprintln!("warning: {error:#}");
    }
    if missing.is_empty() {
        return Ok(());
    }
    install(&missing)
}

fn install(missing: &[&str]) -> Result<()> {
    println!("installing on this machine: {}", missing.join(" "));
    let argv = [&["apt-get", "install", "-y", "-qq", "--no-install-recommends"], missing].concat();
    // What these bring is called by tests; none of it has to run as a service of this machine from now on.
    let mut install = cmd::command(&argv);
    cmd::quiet(install.env("DEBIAN_FRONTEND", "noninteractive").env("SYSTEMD_OFFLINE", "1"))
        .context("the lab's Debian packages could not be installed")?;
    Ok(())
}

/// Has apt any lists here? They name the mirror that the lab's hosts are built from.
fn has_lists() -> Result<bool> {
    let lists = Path::new("/var/lib/apt/lists");
    let entries = lists.read_dir().context("no /var/lib/apt/lists: the lab needs Debian or Ubuntu")?;
    Ok(entries.filter_map(Result::ok).any(|entry| entry.file_name().to_string_lossy().contains("_Packages")))
}
