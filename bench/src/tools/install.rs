//! Puts peers onto hosts of the lab, and those that push into a cache on the laptop; nothing is installed on the laptop itself. A peer that cannot be had is
//! named with the reason.

use super::{CACHE, Source, Tool, peers as all};
use crate::lab::{Connections, Fleet};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What could be had.
#[derive(Default)]
pub struct Had {
    /// These.
    pub tools: Vec<&'static dyn Tool>,
    /// What they say of their version.
    pub versions: BTreeMap<String, String>,
    /// Those that could not, and why.
    pub left_out: BTreeMap<String, String>,
}

/// Installs the peers of these names, or all.
pub fn peers(fleet: &Fleet, names: &[String]) -> anyhow::Result<Had> {
    let wanted = |name: &str| names.iter().any(|wanted| wanted == name || wanted == "all");
    let unknown = names.iter().find(|name| *name != "all" && !all().iter().any(|peer| peer.name() == *name));
    if let Some(unknown) = unknown {
        let known: Vec<_> = all().iter().map(|peer| peer.name()).collect();
        anyhow::bail!("no peer {unknown}; there are {}", known.join(", "));
    }
    let mut had = Had::default();
    for peer in all().into_iter().filter(|peer| wanted(peer.name())) {
        eprintln!("installing {}", peer.name());
        match one(fleet, peer) {
            Ok(version) => {
                had.versions.insert(peer.name().to_owned(), version);
                had.tools.push(peer);
            }
            Err(error) => {
                eprintln!("{}: {error:#}", peer.name());
                let why = error.to_string();
                had.left_out
                    .insert(peer.name().to_owned(), why.lines().next().unwrap_or_default().to_owned());
            }
        }
    }
    Ok(had)
}

/// Its version.
fn one(fleet: &Fleet, peer: &dyn Tool) -> anyhow::Result<String> {
    match peer.source() {
        Source::Ours => {}
        // These run on the first host alone.
        Source::Debian(packages) => {
            debian(&fleet.first(1, &fleet.home().join("one"), Connections::Fresh)?, packages)?;
        }
        Source::PyPi(wants, packages) => {
            debian(fleet, packages)?;
            let place = PathBuf::from(CACHE).join(peer.name());
            pypi(wants, &place)?;
            fleet.copy(&place, &place.display().to_string())?;
        }
    }
    let said = fleet.said(&peer.version())?;
    Ok(said.lines().next().unwrap_or_default().trim().to_owned())
}

/// On every host of these, and without starting what comes with them.
fn debian(fleet: &Fleet, packages: &[&str]) -> anyhow::Result<()> {
    if packages.is_empty() {
        return Ok(());
    }
    let script = format!(
        "printf '#!/bin/sh\\nexit 101\\n' >/usr/sbin/policy-rc.d; chmod 755 /usr/sbin/policy-rc.d; trap 'rm /usr/sbin/policy-rc.d' EXIT
        export DEBIAN_FRONTEND=noninteractive
        dpkg -s {0} >/dev/null 2>&1 || {{ apt-get -qq update && apt-get -qq -y --no-install-recommends install {0} >/dev/null; }}",
        packages.join(" ")
    );
    let argv = fleet.ssh("root-", &["sh".into(), "-ec".into(), script]);
    let output = Command::new(&argv[0]).args(&argv[1..]).stdin(Stdio::null()).output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    anyhow::ensure!(output.status.success(), "apt-get install {}: {}", packages.join(" "), said.trim());
    Ok(())
}

fn pypi(wants: &[&str], place: &Path) -> anyhow::Result<()> {
    if place.exists() {
        return Ok(());
    }
    let fresh = place.with_extension("new");
    let mut pip = Command::new("python3");
    pip.args(["-m", "pip", "install", "--quiet", "--root-user-action=ignore", "--upgrade", "--target"]);
    let output = pip.arg(&fresh).args(wants).stdin(Stdio::null()).output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    anyhow::ensure!(output.status.success(), "pip install {}: {}", wants.join(" "), said.trim());
    Ok(std::fs::rename(fresh, place)?)
}
