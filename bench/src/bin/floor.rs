//! The floor: what a run cannot avoid, done once, one thing after the other. It decides nothing, compares nothing and knows no resource.
//!
//!     floor read DIRECTORY                  stats, reads and hashes all below
//!     floor mixed DIRECTORY UNIT…           the same, and reads dpkg's status, the users and groups, and asks systemd once
//!     floor write RIGHT DIRECTORY           writes the files of RIGHT into DIRECTORY so that a crash leaves each as it was or as it is to be
//!     floor repair RIGHT DIRECTORY TREE UNIT…   `mixed` for the last two, then `write`
#![expect(clippy::disallowed_methods, reason = "it does by hand what others are measured by")]
#![expect(clippy::print_stdout, reason = "so that nothing is optimized away")]

use anyhow::Context;
use sha2::{Digest, Sha256};
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

fn main() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let did = match &args[..] {
        ["read", tree] => read(Path::new(tree))?,
        ["mixed", tree, units @ ..] => mixed(tree, units)?,
        ["write", right, directory] => write(right, directory)?,
        ["repair", right, directory, tree, units @ ..] => mixed(tree, units)? + write(right, directory)?,
        _ => anyhow::bail!("floor read|mixed|write|repair …: see its source"),
    };
    println!("{did}");
    Ok(())
}

/// How many things there were.
fn read(tree: &Path) -> anyhow::Result<usize> {
    let mut all = Sha256::new();
    let mut count = 0;
    let mut waiting: Vec<PathBuf> = vec![tree.to_owned()];
    while let Some(path) = waiting.pop() {
        let meta = fs::symlink_metadata(&path)?;
        count += 1;
        if meta.is_dir() {
            for entry in fs::read_dir(&path)? {
                waiting.push(entry?.path());
            }
        } else if meta.is_symlink() {
            all.update(fs::read_link(&path)?.as_os_str().as_encoded_bytes());
        } else {
            let bytes = fs::read(&path)?;
            anyhow::ensure!(meta.len() == bytes.len() as u64, "{} changed", path.display());
            all.update(Sha256::digest(&bytes));
        }
    }
    std::hint::black_box(all.finalize());
    Ok(count)
}

fn mixed(tree: &str, units: &[&str]) -> anyhow::Result<usize> {
    let mut count = read(Path::new(tree))?;
    let settings = fs::read_to_string(format!("{tree}.conf"))?;
    count += settings.lines().count();
    let status = fs::read_to_string("/var/lib/dpkg/status")?;
    let wanted = |line: &&str| {
        line.starts_with("Package: ") || line.starts_with("Status: ") || line.starts_with("Version: ")
    };
    count += status.lines().filter(wanted).count();
    for (path, fields) in [("/etc/passwd", 7), ("/etc/group", 4)] {
        let text = fs::read_to_string(path)?;
        count += text.lines().filter(|line| line.split(':').count() == fields).count();
    }
    let mut show = Command::new("/usr/bin/systemctl");
    show.args(["show", "--property=Id,LoadState,ActiveState,UnitFileState,NeedDaemonReload", "--"]);
    let output = show.args(units).output()?;
    anyhow::ensure!(output.status.success(), "systemctl show: {}", output.status);
    Ok(count + output.stdout.split(|byte| *byte == b'\n').count())
}

/// Another name in the same directory, fsync(2), rename(2); the directory's fsync is one for all.
fn write(right: &str, directory: &str) -> anyhow::Result<usize> {
    let mut count = 0;
    for entry in fs::read_dir(right)? {
        let entry = entry?;
        let to = Path::new(directory).join(entry.file_name());
        let other = to.with_extension("new");
        let bytes = fs::read(entry.path())?;
        let mut file = File::create(&other).with_context(|| other.display().to_string())?;
        file.write_all(&bytes)?;
        file.sync_all()?;
        fs::rename(&other, &to)?;
        count += 1;
    }
    File::open(directory)?.sync_all()?;
    Ok(count)
}
