//! The folders of `tests/lab/`: each is one test, a shell script that looks at fresh hosts from outside.
//! It judges by the script's status alone and must never ask keel what is true. `tests/lab.rs` lists them.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use crate::lab::host::{Host, Init};
use crate::lab::machine::Machine;
use crate::lab::up::{self, Ready};
use crate::lab::{state, vagrant_box};
use crate::{cmd, docker, moto, packages};

/// One folder with a `scenario.sh`.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// The folder's name.
    pub name: String,
    /// The folder.
    pub dir: PathBuf,
    /// How many fresh hosts it wants.
    hosts: u8,
    /// What they boot.
    init: Init,
    /// It has a line `# needs: vagrant`.
    needs_vagrant: bool,
    /// It has a line `# needs: moto`.
    needs_moto: bool,
}

/// All scenarios of the project, sorted by name.
pub fn all() -> Result<Vec<Scenario>> {
    let mut found = Vec::new();
    for entry in root().read_dir().context("cannot list tests/lab")? {
        let dir = entry?.path();
        let script = dir.join("scenario.sh");
        if script.is_file() {
            let text = std::fs::read_to_string(&script)?;
            let name = dir.file_name().context("a folder has a name")?.to_string_lossy().into_owned();
            let (hosts, init) = wanted_hosts(&text).with_context(|| script.display().to_string())?;
            let needs = |what| text.lines().any(|line| line.trim_end() == what);
            let (needs_vagrant, needs_moto) = (needs("# needs: vagrant"), needs("# needs: moto"));
            found.push(Scenario { name, dir, hosts, init, needs_vagrant, needs_moto });
        }
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(found)
}

impl Scenario {
    /// Is there on this machine what it needs beyond the lab?
    pub fn can_run(&self) -> bool {
        (!self.needs_vagrant || packages::has_vagrant()) && (!self.needs_moto || moto::is_there())
    }

    /// Boots its hosts, runs its script, ends its hosts; `KEEL_LAB_KEEP=1` leaves them for a look.
    pub fn run(&self) -> Result<()> {
        self.run_with(&[])
    }

    /// The same, with variables for its script.
    pub fn run_with(&self, variables: &[(&str, String)]) -> Result<()> {
        let ready = up::ready(&state::default_name()?)?;
        let verdict = self.on_fresh_hosts(&ready, variables);
        if std::env::var_os("KEEL_LAB_KEEP").is_some() {
            println!("the hosts stay: cargo xtask lab ssh {}1", self.name);
            return verdict;
        }
        let hosts = self.started(&ready);
        let ended = hosts.and_then(|hosts| hosts.iter().try_for_each(Host::remove));
        verdict.and(ended)
    }

    fn on_fresh_hosts(&self, ready: &Ready, variables: &[(&str, String)]) -> Result<()> {
        for old in self.started(ready)? {
            old.remove()?;
        }
        let names: Vec<String> = (1..=self.hosts).map(|n| format!("{}{n}", self.name)).collect();
        let hosts = ready.hosts(&names, self.init)?;
        let listed = |of: &dyn Fn(&Host) -> Result<String>| -> Result<String> {
            Ok(hosts.iter().map(of).collect::<Result<Vec<_>>>()?.join(" "))
        };
        let mut script = cmd::command(&["bash"]);
        script.arg(self.dir.join("scenario.sh")).current_dir(&self.dir);
        script.env("LAB", root()).env("LAB_KEY", ready.lab.key()).env("LAB_WORKSPACE", cmd::workspace());
        script.env("LAB_ADDRESSES", listed(&|host| Ok(host.address.to_string()))?);
        script.env("LAB_FOLDERS", listed(&|host| Ok(host.dir.display().to_string()))?);
        script.env("LAB_INITS", listed(&|host| Ok(host.init()?.to_string()))?);
        script.env("LAB_NAME", &ready.lab.name).env("LAB_BRIDGE", ready.lab.bridge());
        script.env("LAB_GATEWAY", ready.lab.gateway().to_string());
        if docker::is_there() {
            script.env("LAB_DOCKER", docker::PLACE);
        }
        if self.needs_moto {
            script.env("LAB_MOTO", moto::PLACE);
        }
        if self.needs_vagrant {
            vagrant_box::remove_machines(&ready.lab.name)?;
            script.env("LAB_BOX", vagrant_box::ensure(&Machine::read()?)?);
            script.env("LAB_BOX_PREFIX", vagrant_box::prefix(&ready.lab.name));
        }
        script.envs(variables.iter().map(|(name, value)| (name, value)));
        let status = script.status().context("cannot start bash")?;
        if !status.success() {
            bail!("scenario {}: {status}", self.name);
        }
        Ok(())
    }

    fn started(&self, ready: &Ready) -> Result<Vec<Host>> {
        let _held = state::lock()?;
        let hosts =
            (1..=self.hosts).map(|n| crate::lab::host::read(&ready.lab, &format!("{}{n}", self.name)));
        Ok(hosts.collect::<Result<Vec<_>>>()?.into_iter().flatten().collect())
    }
}

fn root() -> PathBuf {
    cmd::workspace().join("tests/lab")
}

/// A line `# hosts: N` asks for N hosts, `# hosts: N small` for N hosts without systemd, `# hosts: none` for none; no such line for one host.
fn wanted_hosts(script: &str) -> Result<(u8, Init)> {
    let Some(line) = script.lines().find_map(|line| line.strip_prefix("# hosts:")) else {
        return Ok((1, Init::Systemd));
    };
    if line.trim() == "none" {
        return Ok((0, Init::Systemd));
    }
    let (number, init) = match line.trim().split_once(' ') {
        Some((number, "small")) => (number, Init::Sshd),
        Some(_) => ("", Init::Systemd),
        None => (line.trim(), Init::Systemd),
    };
    match (number.parse(), init) {
        (Ok(hosts @ 1..=9), Init::Systemd) | (Ok(hosts @ 1..=99), Init::Sshd) => Ok((hosts, init)),
        _ => bail!("`# hosts:{line}`: a scenario has 1 to 9 hosts, or 1 to 99 `small` ones"),
    }
}

#[cfg(test)]
mod tests {
    use super::wanted_hosts;
    use crate::lab::host::Init;

    #[test]
    fn a_script_may_ask_for_several_hosts() {
        for (script, hosts) in [
            ("echo\n", (1, Init::Systemd)),
            ("# what it shows\n# hosts: 3\n", (3, Init::Systemd)),
            ("# hosts: 40 small\n", (40, Init::Sshd)),
            ("# hosts: none\n", (0, Init::Systemd)),
        ] {
            assert_eq!(wanted_hosts(script).expect(script), hosts);
        }
        for script in ["# hosts: many\n", "# hosts: 0\n", "# hosts: 40\n", "# hosts: 4 large\n"] {
            assert!(wanted_hosts(script).is_err(), "{script}");
        }
    }
}
