//! Bringing a lab up: packages, base, network, daemons, hosts, in this order. Each step does nothing for what
//! is there already, so it can be run again after anything. Next: `scenario`.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use crate::lab::base;
use crate::lab::daemons;
use crate::lab::host::{self, Host, Init};
use crate::lab::machine::Machine;
use crate::lab::state::{self, Lab};
use crate::lab::{network, ssh};
use crate::{cmd, packages};

/// A lab that is ready to start hosts.
#[derive(Debug)]
pub struct Ready {
    /// The lab.
    pub lab: Lab,
    /// The directory all its hosts are overlays of.
    base: PathBuf,
}

/// Makes the lab `name` ready: all but its hosts.
pub fn ready(name: &str) -> Result<Ready> {
    packages::ensure()?;
    let machine = Machine::read()?;
    let base = base::ensure(&machine)?;
    let held = state::lock()?;
    let lab = state::create(name, &held)?;
    if !lab.key().exists() {
        let comment = format!("keel-lab-{name}");
        let mut keygen = cmd::command(&["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", &comment, "-f"]);
        cmd::quiet(keygen.arg(lab.key()))?;
    }
    room_for_overlays(&lab)?;
    network::up(&lab)?;
    daemons::start_proxy(&lab, &machine)?;
    Ok(Ready { lab, base })
}

impl Ready {
    /// Starts those of the hosts that do not run, all at once, and waits until they have booted.
    pub fn hosts(&self, names: &[String], init: Init) -> Result<Vec<Host>> {
        let hosts: Vec<Host> = names.iter().map(|name| self.start(name, init)).collect::<Result<_>>()?;
        for host in &hosts {
            ssh::wait_until_running(host, init)
                .with_context(|| format!("{} at {}", host.name, host.address))?;
        }
        Ok(hosts)
    }

    /// Starts the host `name` if it does not run; does not wait.
    fn start(&self, name: &str, init: Init) -> Result<Host> {
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if name.is_empty() || name.len() > 40 || !name.chars().all(fits) {
            bail!("{name:?}: a host's name is 1 to 40 of a-z, 0-9 and '-'");
        }
        let held = state::lock()?;
        if let Some(host) = host::read(&self.lab, name)? {
            if host.is_running()? {
                return Ok(host);
            }
            host.remove()?;
        }
        let host = host::create(&self.lab, name, &held)?;
        host.start(&self.lab, &self.base, init)?;
        Ok(host)
    }
}

/// An overlay's upper layer cannot be on an overlay, as the root of most containers is; a tmpfs serves there.
fn room_for_overlays(lab: &Lab) -> Result<()> {
    let dir = lab.hosts_dir();
    std::fs::create_dir_all(&dir)?;
    let kind = cmd::quiet(cmd::command(&["findmnt", "-n", "-o", "FSTYPE", "-T"]).arg(&dir))?;
    if kind.trim() == "overlay" {
        cmd::quiet(cmd::command(&["mount", "-t", "tmpfs", "-o", "mode=0700", "keel-lab"]).arg(&dir))?;
    }
    Ok(())
}
