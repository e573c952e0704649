//! What a virtual machine is made of: QEMU, a kernel and busybox, from Debian's packages, unpacked into a cache and never installed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::cmd;
use crate::lab::state::{lock_file, private_dir};

/// Shared by all clones on this machine.
const CACHE: &str = "/var/cache/keel-power";
/// Debian's kernel for virtual machines; depends on the one of the day.
const KERNEL: &str = "linux-image-cloud-amd64";

/// Where the pieces are.
#[derive(Debug)]
pub struct Pieces {
    root: PathBuf,
    kernel: String,
}

impl Pieces {
    /// Brings them where they are not there yet: some 40 MB of packages.
    ///
    /// # Errors
    /// No apt, or no mirror of a Debian release for x86-64.
    pub fn ensure() -> Result<Self> {
        let cache = Path::new(CACHE);
        private_dir(cache)?;
        let _held = lock_file(&cache.join("lock"))?;
        let root = cache.join("root");
        if !root.is_dir() {
            let fresh = cache.join("new");
            remove(&fresh)?;
            bring(&fresh).context("the pieces of a virtual machine cannot be had")?;
            fs::rename(fresh.join("root"), &root)?;
            remove(&fresh)?;
        }
        let modules = root.join("lib/modules");
        let entry = fs::read_dir(&modules)?.next().context("the kernel has no modules")??;
        let kernel = entry.file_name().into_string().ok().context("a kernel's release is ASCII")?;
        Ok(Self { root, kernel })
    }

    /// The kernel's image.
    pub fn kernel(&self) -> PathBuf {
        self.root.join(format!("boot/vmlinuz-{}", self.kernel))
    }

    /// A driver of the virtual hardware.
    pub fn driver(&self, name: &str) -> PathBuf {
        let dir = if name == "virtio_blk" { "block" } else { "virtio" };
        self.root.join(format!("lib/modules/{}/kernel/drivers/{dir}/{name}.ko", self.kernel))
    }

    /// A shell with all that belongs to it, in one file.
    pub fn busybox(&self) -> PathBuf {
        self.root.join("bin/busybox")
    }

    /// QEMU, with the libraries that lie beside it.
    pub fn qemu(&self) -> Command {
        let mut qemu = Command::new(self.root.join("usr/bin/qemu-system-x86_64"));
        let library = |dir: &str| self.root.join(dir).join("x86_64-linux-gnu").display().to_string();
        qemu.env("LD_LIBRARY_PATH", format!("{}:{}", library("usr/lib"), library("lib")));
        qemu.arg("-L").arg(self.root.join("usr/share/qemu"));
        qemu.arg("-L").arg(self.root.join("usr/share/seabios"));
        qemu
    }
}

fn bring(fresh: &Path) -> Result<()> {
    let packages = fresh.join("packages");
    fs::create_dir_all(&packages)?;
    let mut names = needed(&["qemu-system-x86", "busybox-static"])?;
    let kernels = cmd::quiet(&mut cmd::command(&["apt-cache", "depends", KERNEL]))?;
    let kernel = kernels.lines().find_map(|line| line.trim().strip_prefix("Depends: "));
    names.push(kernel.context("apt knows no kernel for virtual machines")?.to_owned());
    println!("bringing a virtual machine of {} packages (once) …", names.len());
    let mut download = cmd::command(&["apt-get", "download", "-qq"]);
    cmd::quiet(download.args(&names).current_dir(&packages))?;
    let root = fresh.join("root");
    for package in fs::read_dir(&packages)? {
        cmd::quiet(cmd::command(&["dpkg-deb", "-x"]).arg(package?.path()).arg(&root))?;
    }
    Ok(())
}

/// The packages, and those that they need and this machine lacks.
fn needed(packages: &[&str]) -> Result<Vec<String>> {
    let mut simulate = cmd::command(&["apt-get", "install", "-s", "--no-install-recommends"]);
    let said = cmd::quiet(simulate.args(packages).env("LC_ALL", "C"))?;
    let installs = said.lines().filter_map(|line| line.strip_prefix("Inst "));
    let mut names: Vec<String> =
        installs.filter_map(|line| line.split(' ').next()).map(str::to_owned).collect();
    // What is installed here is not simulated to be: its files are wanted all the same.
    names.extend(packages.iter().map(|&name| name.to_owned()));
    names.sort();
    names.dedup();
    Ok(names)
}

fn remove(dir: &Path) -> Result<()> {
    if dir.exists() {
        fs::remove_dir_all(dir).with_context(|| format!("cannot remove {}", dir.display()))?;
    }
    Ok(())
}
