//! One host: an overlay over the base, booted by systemd-nspawn on the lab's bridge. Its folder is all of its
//! state; ending it means its init, its veth, its mount, then the folder. Next: `ssh`.

use std::fs;
use std::net::Ipv4Addr;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::cmd;
use crate::lab::base::put;
use crate::lab::daemons::{PROXY_PORT, detach, has_systemd, start_bus};
use crate::lab::state::{Lab, Lock, read_octet};
use crate::lab::{cgroups, network, process};

/// What a host's first process is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Init {
    /// systemd: a whole system.
    Systemd,
    /// A shell that waits for sshd, and nothing else. It costs next to nothing, and there may be many: each systemd takes several of the 128
    /// inotify instances that a machine commonly has for root.
    Sshd,
}

/// What the first process of a host without systemd does; `$1` is the address. It stays a shell: sshd writes its title over the mark
/// by which the host is found.
const SSHD: &str = r#"
mkdir -p /run/sshd && ip address add "$1/24" dev host0 && ip link set host0 up && /usr/sbin/sshd -D -e
exit 1"#;

/// What stands around systemd-nspawn: enters the groups, and starts a host again that was rebooted (for which systemd-nspawn has a status
/// of its own where it is to keep its unit), or whose power was cut by somebody who says in a file that it is to come back.
const ENTER: &str = r#"again=$1; shift
until [ "$1" = -- ]; do echo $$ >"$1/cgroup.procs"; shift; done; shift
while :; do
    status=0; "$@" || status=$?
    [ "$status" = 133 ] || [ -e "$again" ] || exit "$status"
    rm -f "$again"; ip link delete "$0" 2>/dev/null || :
done"#;

/// A host of a lab.
#[derive(Debug)]
pub struct Host {
    /// Its name and host name.
    pub name: String,
    /// Its folder: `upper`, `work`, `root` (the mount), `octet`, `known_hosts`, `log`.
    pub dir: PathBuf,
    /// Its static address.
    pub address: Ipv4Addr,
    /// The private key that opens root and admin.
    pub key: PathBuf,
    /// The name systemd-nspawn knows it by; short, for the kernel's limit on its veth's name.
    machine: String,
}

/// The host `name` of this lab, if it has a folder.
pub fn read(lab: &Lab, name: &str) -> Result<Option<Host>> {
    let dir = lab.hosts_dir().join(name);
    if !dir.join("octet").exists() {
        return Ok(None);
    }
    let octet = read_octet(&dir.join("octet"))?;
    Ok(Some(host_at(lab, name, octet)))
}

/// A new folder and a free address. The caller holds the lock.
pub fn create(lab: &Lab, name: &str, _held: &Lock) -> Result<Host> {
    let mut taken = Vec::new();
    for other in lab.host_names()? {
        taken.extend(read(lab, &other)?.map(|host| host.address.octets()[3]));
    }
    let octet = (10..=250).find(|octet| !taken.contains(octet)).context("this lab has no free address")?;
    let host = host_at(lab, name, octet);
    for part in ["upper", "work", "root"] {
        fs::create_dir_all(host.dir.join(part))?;
    }
    fs::write(host.dir.join("octet"), octet.to_string())?;
    Ok(host)
}

fn host_at(lab: &Lab, name: &str, octet: u8) -> Host {
    let [a, b, c, _] = lab.gateway().octets();
    Host {
        name: name.to_owned(),
        dir: lab.hosts_dir().join(name),
        address: Ipv4Addr::new(a, b, c, octet),
        key: lab.key(),
        machine: format!("k{c}-{octet}"),
    }
}

impl Host {
    /// Is its init alive?
    pub fn is_running(&self) -> Result<bool> {
        Ok(!process::inits(&self.dir)?.is_empty())
    }

    /// Mounts the overlay, writes what is this host's own, and boots it. Does not wait for it.
    pub fn start(&self, lab: &Lab, base: &Path, init: Init) -> Result<()> {
        let part = |name: &str| self.dir.join(name).display().to_string();
        let layers =
            format!("lowerdir={},upperdir={},workdir={}", base.display(), part("upper"), part("work"));
        cmd::quiet(&mut cmd::command(&["mount", "-t", "overlay", "keel-lab", "-o", &layers, &part("root")]))?;
        self.personalise(lab)?;
        self.make_host_keys(init)?;
        self.boot(lab, init)
    }

    fn personalise(&self, lab: &Lab) -> Result<()> {
        let root = self.dir.join("root");
        let public = fs::read_to_string(lab.key().with_extension("pub"))?;
        put(&root.join("etc/hostname"), 0o644, &format!("{}\n", self.name))?;
        let hosts = format!("127.0.0.1\tlocalhost\n127.0.1.1\t{}\n::1\tlocalhost\n", self.name);
        put(&root.join("etc/hosts"), 0o644, &hosts)?;
        let network =
            format!("[Match]\nName=host0\n[Network]\nAddress={}/24\nLinkLocalAddressing=no\n", self.address);
        put(&root.join("etc/systemd/network/10-lab.network"), 0o644, &network)?;
        let proxy = format!("http://{}:{PROXY_PORT}", lab.gateway());
        let apt = format!("Acquire::http::Proxy \"{proxy}\";\nAcquire::https::Proxy \"{proxy}\";\n");
        put(&root.join("etc/apt/apt.conf.d/99lab-proxy"), 0o644, &apt)?;
        for (home, id) in [("root", 0), ("home/admin", 1000)] {
            let ssh = root.join(home).join(".ssh");
            put(&ssh.join("authorized_keys"), 0o600, &public)?;
            cmd::quiet(cmd::command(&["chmod", "0700"]).arg(&ssh))?;
            chown(&ssh, Some(id), Some(id))?;
            chown(ssh.join("authorized_keys"), Some(id), Some(id))?;
        }
        Ok(())
    }

    /// Gives it keys of its own: of each kind, as installed systems have, or only the one that takes no time to make.
    fn make_host_keys(&self, init: Init) -> Result<()> {
        let root = self.dir.join("root");
        match init {
            Init::Systemd => cmd::quiet(cmd::command(&["ssh-keygen", "-q", "-A", "-f"]).arg(&root))?,
            Init::Sshd => cmd::quiet(
                cmd::command(&["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f"])
                    .arg(root.join("etc/ssh/ssh_host_ed25519_key")),
            )?,
        };
        let key = fs::read_to_string(root.join("etc/ssh/ssh_host_ed25519_key.pub"))?;
        put(&self.dir.join("known_hosts"), 0o644, &format!("{} {key}", self.address))
    }

    fn boot(&self, lab: &Lab, init: Init) -> Result<()> {
        let mut nspawn = self.in_groups_of_its_own()?;
        nspawn.args(["systemd-nspawn", "--quiet", "-D"]);
        nspawn.arg(self.dir.join("root")).args(["-M", &self.machine, "--hostname", &self.name]);
        nspawn.arg(format!("--network-bridge={}", lab.bridge()));
        nspawn.arg(format!("--setenv={}={}", process::MARK, self.dir.display()));
        nspawn.args(["--register=no", "--console=read-only", "--resolv-conf=off", "--timezone=off"]);
        nspawn.args(["--link-journal=no", "--capability=all"]);
        // A machine has it: the agent asks the kernel who writes to a file.
        nspawn.arg("--system-call-filter=fanotify_init fanotify_mark");
        if let Some(bus) = start_bus(lab)? {
            // No systemd outside: nobody could make a scope for the host, and nspawn still wants a bus.
            nspawn.arg("--keep-unit").env("DBUS_SYSTEM_BUS_ADDRESS", bus);
        }
        if !Path::new("/sys/fs/cgroup/cgroup.controllers").exists() {
            nspawn.env("SYSTEMD_NSPAWN_UNIFIED_HIERARCHY", "0");
        }
        match init {
            Init::Systemd => nspawn.arg("--boot"),
            Init::Sshd => nspawn.args(["/bin/sh", "-c", SSHD, "sshd"]).arg(self.address.to_string()),
        };
        detach(&nspawn, &self.dir.join("log"))
    }

    /// What the command of systemd-nspawn is added to.
    fn in_groups_of_its_own(&self) -> Result<Command> {
        if has_systemd() {
            return Ok(cmd::command(&["env"]));
        }
        let mut command = cmd::command(&["sh", "-ec", ENTER, &format!("vb-{}", self.machine)]);
        command.arg(self.dir.join("boots-again")).args(cgroups::make(&self.machine)?).arg("--");
        Ok(command)
    }

    /// The pid of its first process, as this machine sees it.
    ///
    /// # Errors
    /// It does not run.
    pub fn init(&self) -> Result<i32> {
        process::inits(&self.dir)?.first().copied().with_context(|| format!("{} does not run", self.name))
    }

    /// Ends it as a power cut would, and removes its veth, mount and folder. Nothing there is no error.
    pub fn remove(&self) -> Result<()> {
        // Both: nspawn alone would leave its init, and with it the veth, to the next start.
        let mut pids = process::running("systemd-nspawn", &self.dir)?;
        pids.extend(process::inits(&self.dir)?);
        process::end(&pids)?;
        network::remove_link(&format!("vb-{}", self.machine))?;
        unmount_below(&self.dir)?;
        if !has_systemd() {
            cgroups::remove(&self.machine)?;
        }
        fs::remove_dir_all(&self.dir).with_context(|| format!("cannot remove {}", self.dir.display()))
    }

    /// The end of what its console said.
    pub fn log_tail(&self) -> String {
        let log = fs::read_to_string(self.dir.join("log")).unwrap_or_else(|error| error.to_string());
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(15)..].join("\n")
    }
}

/// Unmounts all that is mounted at or under `dir`, the last mount first.
pub fn unmount_below(dir: &Path) -> Result<()> {
    let table = fs::read_to_string("/proc/self/mountinfo").context("cannot read the mount table")?;
    // proc(5): the fifth field is the mount point. The lab's own paths hold nothing that would be escaped.
    let points = table.lines().filter_map(|line| line.split(' ').nth(4));
    let ours: Vec<&str> = points.filter(|point| Path::new(point).starts_with(dir)).collect();
    for point in ours.iter().rev() {
        cmd::quiet(&mut cmd::command(&["umount", point]))
            .or_else(|_| cmd::quiet(&mut cmd::command(&["umount", "--lazy", point])))?;
    }
    Ok(())
}
