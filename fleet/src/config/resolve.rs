//! From what is asked for and what ssh_config(5) says to an `Endpoint`, and the same for each host on the way to it. It reads files, and
//! connects to nothing. Next: a transport.

use super::asked::{Asked, Overrides};
use super::beyond::{self, Proxy};
use super::expand::{IN_JUMPS, Tokens, host_name};
use super::hop::{Hop, hops, host_problem, user_problem};
use super::lines::Lines;
use super::options::options;
use super::read::{Reading, read};
use super::said::{Said, Sayings};
use super::surroundings::{SshFiles, Surroundings};
use crate::endpoint::{Endpoint, RecordedNames, UnknownKeys};
use crate::known_hosts;
use crate::trouble::Trouble;
use std::time::Duration;

/// How long a connection is kept after its last use, where nothing is said of that, and at most.
const KEPT: Duration = Duration::from_secs(60);
const LONGEST_KEPT: Duration = Duration::from_secs(3600);

/// ssh waits as long as the system does, minutes; a host that takes longer than this is one that does not answer.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// ssh never asks; a run that is waited for is worth asking for.
const ALIVE_INTERVAL: Duration = Duration::from_secs(15);

/// Puts together where a host is and how it is reached. Command line before inventory before `~/.ssh/config` before
/// `/etc/ssh/ssh_config`; in each file the first line counts.
///
/// `StrictHostKeyChecking` is `Refuse` for `yes` and `ask`, `Record` for `accept-new`, `no` and `off`: a changed key is never taken.
/// Hosts on the way are resolved by the same files; of what was asked for only the command line's keys, time limit and what
/// becomes of unknown keys go for them too.
///
/// # Errors
/// `Trouble::Here` with file, line and what to write; or what cannot be read.
pub fn resolve(asked: &Asked, files: &SshFiles, surroundings: &Surroundings) -> Result<Endpoint, Trouble> {
    let said = asked.command_line.over(&asked.inventory);
    let resolver = Resolver { files, surroundings, on_the_way: on_the_way(&asked.command_line) };
    resolver.endpoint(&asked.name, &said, &mut Vec::new())
}

fn on_the_way(command_line: &Overrides) -> Overrides {
    Overrides {
        identities: command_line.identities.clone(),
        unknown_keys: command_line.unknown_keys,
        connect_timeout: command_line.connect_timeout,
        ..Overrides::default()
    }
}

struct Resolver<'a> {
    files: &'a SshFiles,
    surroundings: &'a Surroundings,
    on_the_way: Overrides,
}

impl Resolver<'_> {
    /// `chain` holds the hosts that are reached through this one.
    fn endpoint(&self, alias: &str, said: &Overrides, chain: &mut Vec<String>) -> Result<Endpoint, Trouble> {
        usable("host name", alias, host_problem)?;
        let Reading { sayings, beyond } = read(alias, said, self.files, self.surroundings)?;
        let host = host_name(said, sayings.first("hostname"), alias)?;
        usable("host name", &host, host_problem)?;
        let user = said.user.clone().map(Ok).or_else(|| sayings.first("user").map(Said::word)).transpose()?;
        let user = user.unwrap_or_else(|| self.surroundings.user.clone());
        usable("user name", &user, user_problem)?;
        let port = said.port.map(Ok).or_else(|| sayings.first("port").map(port)).transpose()?.unwrap_or(22);
        let key_alias = sayings.first("hostkeyalias").map(Said::word).transpose()?;
        let key_alias = key_alias.map(|alias| alias.to_ascii_lowercase());
        key_alias.iter().try_for_each(|name| usable("host key alias", name, host_problem))?;
        let surroundings = self.surroundings;
        let tokens =
            Tokens { alias, host: &host, port, user: &user, key_alias: key_alias.as_deref(), surroundings };
        let mut lines = Lines { said, sayings: &sayings, tokens: &tokens, beyond };
        let jumps = self.jumps(&mut lines, chain)?;
        lines.beyond.extend(beyond::reason(&sayings)?);
        let (identities, agent) = (lines.identities()?, lines.agent()?);
        let known_hosts = lines.known_hosts()?;
        let limit = |keyword: &str| sayings.first(keyword).map(Said::time).transpose();
        let limited = said.connect_timeout.or(limit("connecttimeout")?.flatten());
        let mut endpoint = Endpoint {
            alias: alias.to_owned(),
            identities,
            identities_only: is_yes(&sayings, "identitiesonly")?,
            agent,
            known_hosts,
            recorded_names: match is_yes(&sayings, "hashknownhosts")? {
                true => RecordedNames::Hashed,
                false => RecordedNames::Plain,
            },
            host_keys: said.host_keys.clone(),
            unknown_keys: unknown_keys(said, &sayings)?,
            connect_timeout: limited.filter(|limit| !limit.is_zero()).unwrap_or(CONNECT_TIMEOUT),
            alive_interval: limit("serveraliveinterval")?
                .map_or(ALIVE_INTERVAL, |some| some.unwrap_or(Duration::ZERO)),
            alive_count: sayings.first("serveralivecountmax").map(Said::number).transpose()?.unwrap_or(3),
            keep: kept(&sayings)?,
            needs_openssh: None,
            openssh_options: options(said, surroundings),
            openssh_config: self.files.instead.clone(),
            host_key_alias: key_alias.clone(),
            host: host.clone(),
            user: user.clone(),
            port,
            jumps,
        };
        endpoint.needs_openssh =
            lines.beyond.into_iter().next().or(known_hosts::only_authorities(&endpoint)?);
        Ok(endpoint)
    }

    /// The way to a host. Of several hops, only the first may have a way of its own; ssh takes the list for the others.
    fn jumps(&self, lines: &mut Lines<'_>, chain: &mut Vec<String>) -> Result<Vec<Endpoint>, Trouble> {
        let Lines { said, tokens, .. } = *lines;
        let hops = match (&said.jump, beyond::proxy(lines.sayings)) {
            (Some(jump), _) => hops(jump).map_err(|why| Trouble::Here(format!("{}: {why}", tokens.alias)))?,
            (None, Proxy::Jump(line)) => {
                let list = tokens.expand(&line.words()?.join(" "), IN_JUMPS).map_err(|stop| stop.of(line))?;
                hops(&list).map_err(|why| line.place.wrong(why))?
            }
            (None, Proxy::Command(line)) => {
                lines.beyond.push(format!("ProxyCommand ({})", line.place));
                Vec::new()
            }
            (None, Proxy::None) => Vec::new(),
        };
        chain.push(tokens.alias.to_owned());
        let mut way: Vec<Endpoint> = Vec::new();
        for hop in hops {
            let mut endpoint = self.hop(&hop, way.is_empty(), chain)?;
            lines
                .beyond
                .extend(endpoint.needs_openssh.take().map(|why| format!("jump host {}: {why}", hop.name)));
            way.append(&mut endpoint.jumps);
            way.push(endpoint);
        }
        chain.pop();
        Ok(way)
    }

    fn hop(&self, hop: &Hop, first: bool, chain: &mut Vec<String>) -> Result<Endpoint, Trouble> {
        if chain.contains(&hop.name) {
            let way =
                chain.iter().chain([&hop.name]).map(String::as_str).collect::<Vec<_>>().join(" through ");
            return Err(Trouble::Here(format!(
                "ProxyJump goes in a circle: {way}; give {} a `ProxyJump none` of its own, before the block for all",
                hop.name
            )));
        }
        let said = Overrides {
            user: hop.user.clone(),
            port: hop.port,
            jump: if first { None } else { Some("none".to_owned()) },
            ..self.on_the_way.clone()
        };
        self.endpoint(&hop.name, &said, chain)
    }
}

fn usable(what: &str, name: &str, problem: fn(&str) -> Option<&'static str>) -> Result<(), Trouble> {
    match problem(name) {
        Some(why) => Err(Trouble::Here(format!("{name:?} cannot be a {what}: it {why}"))),
        None => Ok(()),
    }
}

fn port(line: &Said) -> Result<u16, Trouble> {
    line.number().ok().filter(|port| *port != 0).ok_or_else(|| line.wrong("a number from 1 to 65535"))
}

/// How long a connection is kept: a minute, unless the user's configuration has another time; where that has no end, an hour.
fn kept(sayings: &Sayings) -> Result<Duration, Trouble> {
    let Some(line) = sayings.first("controlpersist") else { return Ok(KEPT) };
    match line.word()?.to_ascii_lowercase().as_str() {
        "no" | "false" => Ok(Duration::ZERO),
        "yes" | "true" | "0" => Ok(LONGEST_KEPT),
        _ => Ok(line.time()?.map_or(Duration::ZERO, |time| time.min(LONGEST_KEPT))),
    }
}

fn is_yes(sayings: &Sayings, keyword: &str) -> Result<bool, Trouble> {
    Ok(sayings.first(keyword).map(Said::is_yes).transpose()?.unwrap_or(false))
}

fn unknown_keys(said: &Overrides, sayings: &Sayings) -> Result<UnknownKeys, Trouble> {
    let line = match (said.unknown_keys, sayings.first("stricthostkeychecking")) {
        (Some(unknown_keys), _) => return Ok(unknown_keys),
        (None, None) => return Ok(UnknownKeys::Refuse),
        (None, Some(line)) => line,
    };
    match line.word()?.to_ascii_lowercase().as_str() {
        "yes" | "true" | "ask" => Ok(UnknownKeys::Refuse),
        "accept-new" | "no" | "false" | "off" => Ok(UnknownKeys::Record),
        _ => Err(line.wrong("`yes`, `ask` or `accept-new`")),
    }
}
