//! Taking a lab down: hosts, daemons, bridge, mounts, directory. It finds what is there instead of trusting a
//! record, so it may be run at any time, twice, and after a kill -9 of anything. It keeps the cached base.

use std::fs;

use anyhow::{Context, Result};

use crate::lab::host::{self, unmount_below};
use crate::lab::state::{self, Lab};
use crate::lab::{daemons, network, process, vagrant_box};

/// Ends the lab `name` and everything it started. No such lab is no error.
pub fn down(name: &str) -> Result<()> {
    let _held = state::lock()?;
    if let Some(lab) = state::read(name)? {
        remove(&lab).with_context(|| format!("lab {name} is not wholly down; run `lab down` again"))?;
    }
    let grave = state::grave(name);
    if grave.exists() {
        fs::remove_dir_all(&grave).with_context(|| format!("cannot remove {}", grave.display()))?;
    }
    if state::all()?.is_empty() {
        network::remove_blackhole()?;
    }
    Ok(())
}

/// Ends the labs of test runs that were killed: `test-PID` whose process is gone.
pub fn sweep() -> Result<()> {
    for lab in state::all()? {
        let pid = lab.name.strip_prefix("test-").and_then(|pid| pid.parse().ok());
        if pid.is_some_and(|pid| !process::lives(pid)) {
            down(&lab.name)?;
        }
    }
    Ok(())
}

fn remove(lab: &Lab) -> Result<()> {
    for name in lab.host_names()? {
        if let Some(host) = host::read(lab, &name)? {
            host.remove()?;
        }
    }
    vagrant_box::remove_machines(&lab.name)?;
    daemons::stop(lab)?;
    network::down(lab)?;
    unmount_below(&lab.dir)?;
    // Renamed first: a directory that carries a lab's name is always whole.
    fs::rename(&lab.dir, state::grave(&lab.name))
        .with_context(|| format!("cannot move {}", lab.dir.display()))
}
