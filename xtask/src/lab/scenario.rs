//! The folders of `tests/lab/`: each is one test, a shell script that looks at fresh hosts from outside.
//! It judges by the script's status alone and must never ask keel what is true. `tests/lab.rs` lists them.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use crate::cmd;
use crate::lab::host::Host;
use crate::lab::state;
use crate::lab::up::{self, Ready};

/// One folder with a `scenario.sh`.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// The folder's name.
    pub name: String,
    /// The folder.
    pub dir: PathBuf,
    /// How many fresh hosts it wants: a line `# hosts: N` in the script, else one.
    hosts: u8,
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
            let hosts = wanted_hosts(&text).with_context(|| script.display().to_string())?;
            found.push(Scenario { name, dir, hosts });
        }
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(found)
}

impl Scenario {
    /// Boots its hosts, runs its script, ends its hosts; `KEEL_LAB_KEEP=1` leaves them for a look.
    pub fn run(&self) -> Result<()> {
        let ready = up::ready(&state::default_name()?)?;
        let verdict = self.on_fresh_hosts(&ready);
        if std::env::var_os("KEEL_LAB_KEEP").is_some() {
            println!("the hosts stay: cargo xtask lab ssh {}1", self.name);
            return verdict;
        }
        let hosts = self.started(&ready);
        let ended = hosts.and_then(|hosts| hosts.iter().try_for_each(Host::remove));
        verdict.and(ended)
    }

    fn on_fresh_hosts(&self, ready: &Ready) -> Result<()> {
        for old in self.started(ready)? {
            old.remove()?;
        }
        let names = (1..=self.hosts).map(|n| format!("{}{n}", self.name));
        let hosts: Vec<Host> = names.map(|name| ready.host(&name)).collect::<Result<_>>()?;
        let addresses: Vec<String> = hosts.iter().map(|host| host.address.to_string()).collect();
        let folders: Vec<String> = hosts.iter().map(|host| host.dir.display().to_string()).collect();
        let mut script = cmd::command(&["bash"]);
        script.arg(self.dir.join("scenario.sh")).current_dir(&self.dir);
        script.env("LAB", root()).env("LAB_KEY", &hosts[0].key).env("LAB_WORKSPACE", cmd::workspace());
        script.env("LAB_ADDRESSES", addresses.join(" ")).env("LAB_FOLDERS", folders.join(" "));
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

fn wanted_hosts(script: &str) -> Result<u8> {
    let Some(line) = script.lines().find_map(|line| line.strip_prefix("# hosts:")) else { return Ok(1) };
    match line.trim().parse() {
        Ok(hosts @ 1..=9) => Ok(hosts),
        _ => bail!("`# hosts:{line}`: a scenario has 1 to 9 hosts"),
    }
}

#[cfg(test)]
mod tests {
    use super::wanted_hosts;

    #[test]
    fn a_script_may_ask_for_several_hosts() {
        assert_eq!(wanted_hosts("echo\n").expect("the default"), 1);
        assert_eq!(wanted_hosts("# what it shows\n# hosts: 3\n").expect("a number"), 3);
        assert!(wanted_hosts("# hosts: many\n").is_err());
        assert!(wanted_hosts("# hosts: 0\n").is_err());
    }
}
