//! The box that Vagrant boots in the tests, for its LXC provider: the hosts' base, with the user that every box has. Built once and kept
//! beside the base. It must hold nothing of one lab: its network is what the Vagrantfile gives it.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::cmd;
use crate::lab::base::{self, CACHE, put};
use crate::lab::machine::Machine;
use crate::lab::state::lock_file;

/// Run inside the box's system, in this order. The user's number is the first that the base has left.
const SETUP: &[&[&str]] = &[
    &["useradd", "--create-home", "--shell", "/bin/bash", "--uid", "1001", "vagrant"],
    &["systemctl", "enable", "host-keys.service"],
    // Where no DHCP answers, what wants to be online would wait for two minutes.
    &["systemctl", "mask", "systemd-networkd-wait-online.service"],
];
/// The number of the user `vagrant`.
const VAGRANT: u32 = 1001;

/// Written into the box's system before that: path, mode, content. An address that LXC has given stays.
const FILES: &[(&str, u32, &str)] = &[
    ("etc/sudoers.d/vagrant", 0o440, "vagrant ALL=(ALL) NOPASSWD: ALL\n"),
    ("etc/hostname", 0o644, "box\n"),
    ("etc/hosts", 0o644, "127.0.0.1\tlocalhost\n127.0.1.1\tbox\n::1\tlocalhost\n"),
    (
        "etc/systemd/network/10-eth0.network",
        0o644,
        "[Match]\nName=eth0\n[Network]\nDHCP=yes\nLinkLocalAddressing=no\nKeepConfiguration=static\n",
    ),
    (
        "etc/systemd/system/host-keys.service",
        0o644,
        "[Unit]\nBefore=ssh.service\nConditionPathExists=!/etc/ssh/ssh_host_ed25519_key\n\
         [Service]\nType=oneshot\nExecStart=/usr/bin/ssh-keygen -A\n[Install]\nWantedBy=ssh.service\n",
    ),
];

/// Below `usr/share`: what nobody reads in a box.
const UNREAD: [&str; 3] = ["doc", "man", "locale"];

/// What lies beside `rootfs.tar.gz` in a box of the provider.
const PARTS: &[(&str, &str)] = &[
    ("metadata.json", "{ \"provider\": \"lxc\", \"version\": \"1.0.0\" }\n"),
    (
        "lxc-config",
        "lxc.include = /usr/share/lxc/config/common.conf\nlxc.apparmor.profile = unconfined\n\
         lxc.signal.halt = SIGRTMIN+4\n",
    ),
];

/// The box for this machine's release, built if it is not there yet (half a minute).
///
/// # Errors
/// There is no Vagrant, or the box cannot be built.
pub fn ensure(machine: &Machine) -> Result<PathBuf> {
    let base = base::ensure(machine)?;
    let public = public_key()?;
    let path = Path::new(CACHE).join(format!("vagrant-{}.box", key(&base, &public)));
    let _held = lock_file(&Path::new(CACHE).join("lock"))?;
    if path.is_file() {
        return Ok(path);
    }
    println!("building the box for Vagrant (once) …");
    let fresh = Path::new(CACHE).join("vagrant.new");
    if fresh.exists() {
        fs::remove_dir_all(&fresh)?;
    }
    build(&base, &public, &fresh)
        .with_context(|| format!("the box could not be built in {}", fresh.display()))?;
    fs::rename(fresh.join("box"), &path)?;
    fs::remove_dir_all(&fresh)?;
    Ok(path)
}

/// What containers of the lab `name` begin with: Vagrant's machines are called so by the scenario that starts them.
pub fn prefix(name: &str) -> String {
    format!("keel-{name}.")
}

/// Ends the machines that a killed run of the lab `name` has left.
pub fn remove_machines(name: &str) -> Result<()> {
    if cmd::find("lxc-ls").is_none() {
        return Ok(());
    }
    let prefix = prefix(name);
    let listed = cmd::quiet(&mut cmd::command(&["lxc-ls", "-1"]))?;
    for machine in listed.lines().map(str::trim).filter(|machine| machine.starts_with(&prefix)) {
        cmd::quiet(&mut cmd::command(&["lxc-destroy", "--force", "--name", machine]))?;
    }
    Ok(())
}

fn key(base: &Path, public: &str) -> String {
    let mut hasher = DefaultHasher::new();
    (base, public, SETUP, FILES, PARTS, UNREAD).hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

/// The key that every box lets in until Vagrant has replaced it; Vagrant brings both halves.
fn public_key() -> Result<String> {
    let listed = cmd::quiet(&mut cmd::command(&["dpkg", "-L", "vagrant"]))
        .context("the box needs Debian's package vagrant")?;
    let path = listed.lines().find(|line| line.ends_with("/keys/vagrant.pub"));
    let path = path.context("the package vagrant has no keys/vagrant.pub")?;
    fs::read_to_string(path).with_context(|| format!("cannot read {path}"))
}

fn build(base: &Path, public: &str, dir: &Path) -> Result<()> {
    fs::create_dir_all(dir)?;
    let root = dir.join("rootfs");
    cmd::quiet(cmd::command(&["cp", "-a", "--reflink=auto"]).arg(base).arg(&root))?;
    for (path, mode, content) in FILES {
        put(&root.join(path), *mode, content)?;
    }
    for argv in SETUP {
        cmd::quiet(cmd::command(&["chroot"]).arg(&root).args(*argv))?;
    }
    let ssh = root.join("home/vagrant/.ssh");
    put(&ssh.join("authorized_keys"), 0o600, public)?;
    cmd::quiet(cmd::command(&["chmod", "0700"]).arg(&ssh))?;
    for path in [ssh.clone(), ssh.join("authorized_keys")] {
        chown(path, Some(VAGRANT), Some(VAGRANT))?;
    }
    // Unpacked for each machine: few files and little work count for more than few bytes. Directories stay, as packages want to put more there.
    let unread = UNREAD.map(|part| root.join("usr/share").join(part));
    cmd::quiet(
        cmd::command(&["find"]).args(unread).args(["(", "-type", "f", "-o", "-type", "l", ")", "-delete"]),
    )?;
    let mut pack = cmd::command(&["tar", "--numeric-owner", "--use-compress-program=gzip -1", "-cf"]);
    cmd::quiet(pack.arg(dir.join("rootfs.tar.gz")).arg("-C").arg(dir).arg("./rootfs"))?;
    for (path, content) in PARTS {
        put(&dir.join(path), 0o644, content)?;
    }
    let mut wrap = cmd::command(&["tar", "-cf"]);
    wrap.arg(dir.join("box")).arg("-C").arg(dir).arg("rootfs.tar.gz");
    cmd::quiet(wrap.args(PARTS.iter().map(|(path, _)| path)))?;
    Ok(())
}
