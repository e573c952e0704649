//! What runs in the virtual machine: busybox, `keel` with its libraries, and the resources it converges to, in an archive for the kernel.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result, ensure};

use super::pieces::Pieces;
use crate::cmd;

/// In the order in which they have to be loaded.
const DRIVERS: [&str; 6] =
    ["virtio_ring", "virtio", "virtio_pci_legacy_dev", "virtio_pci_modern_dev", "virtio_pci", "virtio_blk"];

/// Small files that programs look for.
const FILES: [(&str, &str); 4] = [
    ("init", include_str!("init.sh")),
    ("etc/passwd", "root:x:0:0:root:/root:/bin/sh\n"),
    ("etc/group", "root:x:0:\n"),
    ("etc/os-release", "ID=debian\nVERSION_ID=12\n"),
];

/// Puts the archive together in `dir`; `keel` is the program, `site` its resources.
pub fn archive(pieces: &Pieces, dir: &Path, keel: &Path, site: &str) -> Result<PathBuf> {
    let root = dir.join("guest");
    for name in ["bin", "etc", "proc", "sys", "dev", "mnt", "modules", "root", "tmp", "var/lib", "run"] {
        fs::create_dir_all(root.join(name))?;
    }
    for (path, content) in FILES.into_iter().chain([("site.toml", site)]) {
        crate::lab::base::put(&root.join(path), 0o755, content)?;
    }
    fs::copy(pieces.busybox(), root.join("bin/busybox"))?;
    for name in DRIVERS {
        let driver = pieces.driver(name);
        let to = root.join("modules").join(format!("{name}.ko"));
        fs::copy(&driver, to).with_context(|| format!("there is no {}", driver.display()))?;
    }
    // Symbols would make it ten times as large, and the machine has little memory.
    cmd::quiet(cmd::command(&["strip", "-o"]).arg(root.join("keel")).arg(keel))?;
    for library in libraries(keel)? {
        let to = root.join(library.strip_prefix("/")?);
        fs::create_dir_all(to.parent().context("a library is in a directory")?)?;
        fs::copy(&library, to)?;
    }
    pack(pieces, &root, &dir.join("guest.cpio"))
}

/// The files that the dynamic linker of `program` loads, itself among them.
fn libraries(program: &Path) -> Result<Vec<PathBuf>> {
    let said = cmd::quiet(cmd::command(&["ldd"]).arg(program))?;
    let path = |line: &str| line.split_whitespace().find(|word| word.starts_with('/')).map(PathBuf::from);
    Ok(said.lines().filter_map(path).collect())
}

/// An archive in the form that the kernel unpacks (its Documentation/driver-api/early-userspace/buffer-format.rst).
fn pack(pieces: &Pieces, root: &Path, to: &Path) -> Result<PathBuf> {
    let list = cmd::quiet(cmd::command(&["find", "."]).current_dir(root))?;
    let names = to.with_extension("names");
    fs::write(&names, list)?;
    let mut cpio = cmd::command(&[&*pieces.busybox().to_string_lossy(), "cpio", "-o", "-H", "newc"]);
    cpio.current_dir(root).stdin(File::open(&names)?).stdout(File::create(to)?).stderr(Stdio::null());
    let status = cpio.status().context("cannot start busybox")?;
    ensure!(status.success(), "busybox packs no archive: {status}");
    Ok(to.to_owned())
}
