//! Which machines are meant: this one, hosts of the inventory, or hosts that the user names as ssh does. Connects to nothing.

use super::connection::{Connection, Transport};
use super::sourced;
use super::way::Way;
use crate::library::Files;
use crate::site::{Refusal, Site};
use crate::view::ask;
use anyhow::anyhow;
use dsl::{Destination, Host};
use fleet::config::{Asked, Overrides};
use fleet::{Found, Password, Source};
use model::Secret;
use std::path::PathBuf;

/// The options of every verb that works on machines.
#[derive(Clone, Debug, clap::Args)]
pub struct Machines {
    /// This machine, without a connection.
    #[arg(long)]
    local: bool,
    /// Where this machine's runs are journalled and what they replaced is kept; /var/lib/evenkeel unless said.
    #[arg(long, value_name = "DIR", value_parser = absolute, requires = "local")]
    state_dir: Option<PathBuf>,
    /// Takes the hosts of another inventory than hosts.toml, all of them where no HOST is said: `vagrant` has the machines that run of the
    /// Vagrantfile of the site's directory, `vagrant:DIR` those of another one, `ssh:FILE` the hosts that a file in the form of
    /// ~/.ssh/config names. How they are reached is said there; of a host of the same name in hosts.toml the rest counts.
    #[arg(long, value_name = "SOURCE", conflicts_with_all = ["local", "ssh_config"])]
    inventory: Option<Source>,
    #[command(flatten)]
    pub connection: Connection,
}

/// Where the inventory is, for verbs that compile nothing.
#[derive(Clone, Debug, clap::Args)]
pub struct Inventory {
    /// The directory that holds `keel.toml` and `hosts.toml`.
    #[arg(long, value_name = "DIR", default_value = ".")]
    site: PathBuf,
}

#[cfg(all(target_os = "linux", not(feature = "elsewhere")))]
impl Inventory {
    /// In the current directory.
    pub fn here() -> Self {
        Self { site: PathBuf::from(".") }
    }
}

/// The machines of one call.
pub enum Crew {
    /// This one.
    Here {
        /// Its name in the inventory.
        host: Option<String>,
        /// Where its state is, where that was said.
        state: Option<PathBuf>,
    },
    /// Others.
    There(Box<Hosts>),
}

/// Hosts to push to, and the options for all of them.
pub struct Hosts {
    /// Each once.
    pub list: Vec<Machine>,
    /// The options.
    pub connection: Connection,
    /// What is read in place of `~/.ssh/config`, for as long as there is this value; the options may say it too.
    pub source: Option<Found>,
    /// The password of sudo: asked for once, however often a call goes to them.
    pub sudo: Password<'static>,
}

impl Hosts {
    fn new(list: Vec<Machine>, connection: Connection, source: Option<Found>) -> Self {
        let sudo = if connection.ask_sudo_password { Password::asked_with(&sudo) } else { Password::never() };
        Self { list, connection, source, sudo }
    }
}

fn sudo() -> Option<Secret<String>> {
    ask::secret("Password for sudo on the hosts")
}

/// A host to push to.
#[derive(Debug)]
pub struct Machine {
    /// What it is called in everything that is shown.
    pub name: String,
    /// Its name in the inventory.
    pub host: Option<String>,
    /// How it is to be reached.
    pub asked: Asked,
    /// Keys that hosts on the way must have one of, by their addresses.
    pub keys_on_the_way: Vec<(String, Vec<String>)>,
    /// What makes the connection.
    pub transport: Transport,
}

/// Journals hold absolute paths only.
fn absolute(path: &str) -> Result<PathBuf, String> {
    std::path::absolute(path).map_err(|error| error.to_string())
}

impl Machines {
    /// Hosts that are reached so.
    #[cfg(all(target_os = "linux", not(feature = "elsewhere")))]
    pub fn over(connection: Connection) -> Self {
        Self { local: false, state_dir: None, inventory: None, connection }
    }

    /// The machines that get a catalog.
    pub fn for_catalogs(&self, words: &[String], site: &Site, files: &Files) -> Result<Crew, Refusal> {
        if self.local {
            return self.here(local_host(words, site, files)?);
        }
        if let Some(source) = &self.inventory {
            let found = found(source, site)?;
            let list = sourced::chosen(&found, words, site, files)?;
            sourced::have_something_to_be(&list, site)?;
            return self.from(found, list);
        }
        if site.is_direct() {
            some(words, "say where, as ssh does: [user@]host[:port]")?;
            return self.there(words.iter().map(|word| self.direct(word)).collect());
        }
        some(words, "say which hosts of the inventory, such as web1, 'web*' or @group")?;
        if let Some(word) = words.iter().find(|word| is_destination(word)) {
            let help = "say what it is to be, with --role ROLE or -f FILE, or declare it in hosts.toml";
            return Err(anyhow!("{word} is in no inventory: {help}").into());
        }
        self.there(self.chosen(words, site, files)?)
    }

    /// The machines that are only asked, or brought back: in a site those of its inventory, and any that ssh reaches.
    pub fn for_asking(
        &self,
        words: &[String],
        inventory: &Inventory,
        files: &Files,
    ) -> Result<Crew, Refusal> {
        if self.local {
            return match words {
                [] => self.here(None),
                [word, ..] => Err(anyhow!("--local is this machine: leave out {word}").into()),
            };
        }
        if let Some(source) = &self.inventory {
            let site = Site { site: inventory.site.clone(), ..Site::default() };
            let found = found(source, &site)?;
            let list = sourced::chosen(&found, words, &site, files)?;
            return self.from(found, list);
        }
        some(words, "say which hosts: of the inventory, or as ssh does: [user@]host[:port]")?;
        let site = Site { site: inventory.site.clone(), ..Site::default() };
        let is_direct = |word: &&String| !site.is_there() || is_destination(word);
        let (direct, patterns): (Vec<&String>, Vec<&String>) = words.iter().partition(is_direct);
        let mut machines = Vec::new();
        if !patterns.is_empty() {
            let patterns: Vec<String> = patterns.into_iter().cloned().collect();
            let chosen = self.chosen(&patterns, &site, files).map_err(|refusal| match refusal {
                Refusal::Other(error) => {
                    anyhow!("{error}; a host that is in no inventory is written user@host").into()
                }
                wrong => wrong,
            })?;
            machines.extend(chosen);
        }
        for word in direct {
            machines.push(self.direct(word));
        }
        self.there(machines)
    }

    /// The one host that is called so: of the inventory where there is one of this name, and else as ssh has it.
    #[cfg(all(target_os = "linux", not(feature = "elsewhere")))]
    pub fn named(&self, name: &str, site: &Site, files: &Files) -> anyhow::Result<Hosts> {
        let told = |refusal| match refusal {
            Refusal::Other(error) => error,
            Refusal::Diagnostics(found) => anyhow!(crate::view::wrong::plain(&found)),
        };
        let all = if site.is_there() { site.inventory(files).map_err(told)? } else { Vec::new() };
        let machine = match all.iter().find(|host| host.name == name) {
            Some(host) => self.declared(host, &all),
            None => self.direct(name).map_err(told)?,
        };
        Ok(Hosts::new(vec![machine], self.connection.clone(), None))
    }

    fn here(&self, host: Option<String>) -> Result<Crew, Refusal> {
        Ok(Crew::Here { host, state: self.state_dir.clone() })
    }

    fn there(&self, machines: Vec<Result<Machine, Refusal>>) -> Result<Crew, Refusal> {
        let mut list: Vec<Machine> = Vec::new();
        for machine in machines {
            let machine = machine?;
            if list.iter().all(|one| one.name != machine.name) {
                list.push(machine);
            }
        }
        Ok(Crew::There(Box::new(Hosts::new(list, self.connection.clone(), None))))
    }

    /// Hosts of a source, and their names in hosts.toml.
    fn from(&self, found: Found, hosts: Vec<sourced::Named>) -> Result<Crew, Refusal> {
        let connection = &self.connection;
        let machine = |sourced::Named { name, host }| {
            let asked = Asked {
                name: name.clone(),
                inventory: Overrides::default(),
                command_line: connection.overrides(),
            };
            Machine { name, host, asked, keys_on_the_way: Vec::new(), transport: connection.transport }
        };
        let list = hosts.into_iter().map(machine).collect();
        Ok(Crew::There(Box::new(Hosts::new(list, connection.clone(), Some(found)))))
    }

    /// Hosts of the inventory.
    fn chosen(
        &self,
        patterns: &[String],
        site: &Site,
        files: &Files,
    ) -> Result<Vec<Result<Machine, Refusal>>, Refusal> {
        let (all, chosen) = (site.inventory(files)?, site.select(patterns, files)?);
        Ok(chosen.iter().map(|host| Ok(self.declared(host, &all))).collect())
    }

    /// A host of the inventory. Its address is what `ssh` would be given, so that `~/.ssh/config` may know it.
    fn declared(&self, host: &Host, all: &[Host]) -> Machine {
        let reach = &host.reach;
        let way = Way::of(reach.proxy_jump.as_deref(), all);
        let inventory = Overrides {
            user: reach.user.clone(),
            port: reach.port,
            host_keys: reach.host_keys.clone(),
            jump: way.jump,
            ..Overrides::default()
        };
        let transport = match (self.connection.transport, reach.transport) {
            (Transport::Auto, Some(dsl::Transport::Ssh2)) => Transport::Ssh2,
            (Transport::Auto, Some(dsl::Transport::Openssh)) => Transport::Openssh,
            (said, _) => said,
        };
        let asked =
            Asked { name: host.address.clone(), inventory, command_line: self.connection.overrides() };
        let (name, host, keys_on_the_way) = (host.name.clone(), Some(host.name.clone()), way.host_keys);
        Machine { name, host, asked, keys_on_the_way, transport }
    }

    /// A host as ssh names it.
    fn direct(&self, word: &str) -> Result<Machine, Refusal> {
        let Destination { user, host, port } = word
            .parse()
            .map_err(|why| anyhow!("`{word}` names no host, as [user@]host[:port] does: {why}"))?;
        let inventory = Overrides { user, port, ..Overrides::default() };
        let asked = Asked { name: host, inventory, command_line: self.connection.overrides() };
        let (name, keys_on_the_way) = (word.to_owned(), Vec::new());
        Ok(Machine { name, host: None, asked, keys_on_the_way, transport: self.connection.transport })
    }
}

fn found(source: &Source, site: &Site) -> Result<Found, Refusal> {
    source.hosts(&site.site).map_err(|trouble| anyhow!("{trouble}").into())
}

/// What no name of the inventory and no pattern can be.
fn is_destination(word: &str) -> bool {
    word.contains(':') || word.rfind('@').is_some_and(|at| at > 0)
}

fn some(words: &[String], how: &str) -> Result<(), Refusal> {
    if words.is_empty() {
        return Err(anyhow!("on which machines? {how}; or say --local for this one").into());
    }
    Ok(())
}

/// The host whose catalog this machine is to have; `None` where it is in no inventory.
fn local_host(words: &[String], site: &Site, files: &Files) -> Result<Option<String>, Refusal> {
    if let (Some(_), Some(word)) = (&site.file, words.first()) {
        return Err(anyhow!("--local is this machine, and a file is for any: leave out {word}").into());
    }
    if words.is_empty() && site.is_direct() {
        return Ok(None);
    }
    site.require()?;
    if words.is_empty() {
        let help = "say which host of the inventory is meant, or give it roles with --role";
        return Err(anyhow!(help).into());
    }
    let mut chosen = site.select(words, files)?.into_iter().map(|host| host.name);
    match (chosen.next(), chosen.len()) {
        (one, 0) => Ok(one),
        (one, _) => {
            let names: Vec<String> = one.into_iter().chain(chosen).collect();
            Err(anyhow!("--local is one machine: say which of {} it is", names.join(", ")).into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::is_destination;

    #[test]
    fn what_ssh_is_told_is_told_from_names_and_patterns() {
        for (word, expected) in [
            ("web1", false),
            ("@web", false),
            ("db*", false),
            ("web[12]", false),
            ("root@web1", true),
            ("web1:22", true),
            ("[::1]:22", true),
            ("2001:db8::1", true),
        ] {
            assert_eq!(is_destination(word), expected, "{word}");
        }
    }
}
