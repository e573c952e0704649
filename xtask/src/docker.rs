//! An engine of Docker, for tests: Debian's, unpacked into a directory of its own. Nothing is installed, or this machine would run one from
//! then on, with rules of its own for the network.

use crate::cmd;
use anyhow::{Context, Result};
use std::path::Path;

/// Where it is; its programs are in `usr/sbin` and `usr/bin` below.
pub const PLACE: &str = "/var/cache/keel-lab-docker";

/// The packages that the engine and its client are in.
const PACKAGES: [&str; 2] = ["docker.io", "containerd"];

/// Is it there?
pub fn is_there() -> bool {
    Path::new(PLACE).join("usr/sbin/dockerd").is_file()
}

/// Makes sure of it.
///
/// # Errors
/// This release's packages have none, or something that it needs is not on this machine.
pub fn ensure() -> Result<()> {
    if is_there() {
        return Ok(());
    }
    println!("unpacking {} into {PLACE}", PACKAGES.join(" and "));
    let fresh = format!("{PLACE}.new");
    cmd::quiet(&mut cmd::command(&["rm", "-rf", "--", &fresh]))?;
    std::fs::create_dir(&fresh).with_context(|| format!("cannot make {fresh}"))?;
    let download = [&["apt-get", "download", "-qq"], &PACKAGES[..]].concat();
    cmd::quiet(cmd::command(&download).current_dir(&fresh))?;
    for entry in std::fs::read_dir(&fresh)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "deb") {
            cmd::quiet(cmd::command(&["dpkg", "-x"]).arg(&path).arg(&fresh))?;
            std::fs::remove_file(&path)?;
        }
    }
    // Its libraries are not brought along: nearly every system has them.
    cmd::quiet(&mut cmd::command(&[format!("{fresh}/usr/sbin/dockerd"), "--version".to_owned()]))?;
    std::fs::rename(&fresh, PLACE).with_context(|| format!("cannot move {fresh}"))
}
