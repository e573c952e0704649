//! The user's editor on a value that never lies on a disk: in a file that only the user can read, in memory. Starts the one program that
//! the user has named; what it keeps elsewhere of what it has seen is its own affair.
#![expect(
    clippy::disallowed_methods,
    reason = "the editor needs the terminal as it is, which no child of the agent is given"
)]

use anyhow::{Context, bail};
use model::Secret;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use std::fs::Permissions;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// No file system on a disk, by its number: tmpfs and ramfs, as statfs(2) has them.
#[cfg(target_os = "linux")]
const IN_MEMORY: [u64; 2] = [0x0102_1994, 0x8584_58f6];

/// What the user makes of a value. Errors where the editor does: nothing is to be changed then.
pub fn edited(value: &Secret<Vec<u8>>) -> anyhow::Result<Vec<u8>> {
    let place = private_place()?;
    // The editor has the terminal; who presses Ctrl-C there means it. The file goes away in any case.
    let ignored = Arc::new(AtomicBool::new(false));
    let mut registered = Vec::new();
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        registered
            .push(signal_hook::flag::register(signal, ignored.clone()).context("cannot handle signals")?);
    }
    let done = within(place.path(), value);
    drop(place);
    registered.into_iter().for_each(|id| {
        signal_hook::low_level::unregister(id);
    });
    done
}

fn within(place: &Path, value: &Secret<Vec<u8>>) -> anyhow::Result<Vec<u8>> {
    let mut file = tempfile::Builder::new()
        .prefix("secret-")
        .tempfile_in(place)
        .context("cannot make a file to edit")?;
    file.write_all(value.expose()).and_then(|()| file.flush()).context("cannot write the file to edit")?;
    let named = ["VISUAL", "EDITOR"].into_iter().filter_map(std::env::var_os).find(|name| !name.is_empty());
    let editor = named.unwrap_or_else(|| "vi".into());
    // As others do: it may have arguments of its own, which a shell knows to tell apart.
    let mut command = Command::new("/bin/sh");
    command
        .args(["-c", "set -f; exec $KEEL_EDITOR \"$1\"", "sh"])
        .arg(file.path())
        .env("KEEL_EDITOR", &editor);
    let ended = command.status().context("cannot start a shell for the editor")?;
    if !ended.success() {
        bail!("the editor {} ended with {ended}: nothing is changed", editor.display());
    }
    // By name: an editor may have put another file in its place.
    std::fs::read(file.path()).context("cannot read what the editor left")
}

/// A directory of our own, in memory.
fn private_place() -> anyhow::Result<tempfile::TempDir> {
    let own = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    for place in own.into_iter().chain([PathBuf::from("/dev/shm")]).filter(|place| is_in_memory(place)) {
        let own = Permissions::from_mode(0o700);
        if let Ok(dir) = tempfile::Builder::new().prefix("keel-").permissions(own).tempdir_in(place) {
            return Ok(dir);
        }
    }
    bail!(
        "there is no file system in memory to edit a secret in: neither XDG_RUNTIME_DIR nor /dev/shm is a tmpfs that you can write to; \
         `keel secret rotate --new NAME` takes a new value from standard input"
    )
}

#[cfg(target_os = "linux")]
fn is_in_memory(place: &Path) -> bool {
    // What cannot be told is no place for a secret.
    rustix::fs::statfs(place).is_ok_and(|found| IN_MEMORY.contains(&(found.f_type as u64)))
}

#[cfg(not(target_os = "linux"))]
fn is_in_memory(_: &Path) -> bool {
    false
}
