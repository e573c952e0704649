//! Control groups of a host's own, on machines that systemd does not run: there systemd-nspawn would put all hosts into one, where a host
//! that ends a unit removes the group that another is about to start the same unit in. Next: `host`.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// Where the hierarchies that systemd uses are mounted, if they are: cgroups(7), "systemd" and "unified" beside version 1.
const HIERARCHIES: &[&str] = &["/sys/fs/cgroup", "/sys/fs/cgroup/systemd", "/sys/fs/cgroup/unified"];

/// Makes the groups of the host `machine`; who starts it has to enter each of them.
pub fn make(machine: &str) -> Result<Vec<PathBuf>> {
    let groups = groups(machine);
    for group in &groups {
        fs::create_dir_all(group).with_context(|| format!("cannot create {}", group.display()))?;
    }
    Ok(groups)
}

/// Removes them and all below. Its processes have ended.
pub fn remove(machine: &str) -> Result<()> {
    for group in groups(machine).iter().filter(|group| group.exists()) {
        remove_below(group).with_context(|| format!("cannot remove {}", group.display()))?;
    }
    Ok(())
}

fn groups(machine: &str) -> Vec<PathBuf> {
    let hierarchies = HIERARCHIES.iter().map(Path::new).filter(|top| top.join("cgroup.procs").exists());
    hierarchies.map(|top| top.join(format!("keel-lab-{machine}"))).collect()
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
