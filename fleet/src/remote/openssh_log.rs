//! What the system's `ssh` has to say about its end, turned into the same troubles as those of the transport in process. It keeps its own words in
//! a log (`-E`), apart from what the command writes; those of a jump host's `ssh` are on standard error.

use crate::endpoint::Endpoint;
use crate::inert;
use crate::known_hosts::message::{Shown, changed, not_given, revoked, unknown};
use crate::known_hosts::{given, name_of, short_kind};
use crate::trouble::{Stage, Trouble};
use std::path::Path;

/// How an `ssh` with exit status 255 has ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// It is the command's own status.
    Command,
    /// A signal ended the command.
    Signal,
    /// It is ssh's.
    Trouble(Trouble),
}

/// What it was, by its log and what came over standard error.
pub(super) fn ending(endpoint: &Endpoint, log: &str, errors: &[u8]) -> Ending {
    let log = Log { endpoint, lines: log.lines().map(str::trim_end).collect() };
    if log.has("debug1: client_input_channel_req: channel 0 rtype exit-status") {
        return Ending::Command;
    }
    if log.has("debug1: client_input_channel_req: channel 0 rtype exit-signal") {
        return Ending::Signal;
    }
    // Over a connection that was there, ssh knows no more than the status.
    if log.is_shared() && log.own().next().is_none() {
        return Ending::Command;
    }
    Ending::Trouble(log.trouble(errors))
}

/// How far it had come.
pub(super) fn stage(log: &str) -> Stage {
    let lines = log.lines();
    let reached = lines.map(|line| match line {
        _ if line.starts_with(LOGGED_IN) || line.starts_with(SHARED) => Stage::Elevate,
        _ if line.starts_with(HOST_KEY) => Stage::Login,
        _ if line.starts_with(GREETED) => Stage::HostKey,
        _ => Stage::Connect,
    });
    reached.max().unwrap_or(Stage::Connect)
}

const LOGGED_IN: &str = "Authenticated to ";
const SHARED: &str = "debug1: mux_client_request_session: master session id";
const GREETED: &str = "debug1: Remote protocol version ";
const HOST_KEY: &str = "debug1: Server host key: ";

struct Log<'a> {
    endpoint: &'a Endpoint,
    lines: Vec<&'a str>,
}

impl Log<'_> {
    fn has(&self, start: &str) -> bool {
        self.lines.iter().any(|line| line.starts_with(start))
    }

    fn is_shared(&self) -> bool {
        self.has(SHARED)
    }

    /// What it says of troubles.
    fn own(&self) -> impl Iterator<Item = &str> {
        let idle = ["debug", LOGGED_IN, "Transferred: ", "Bytes per second: ", "Warning: Permanently added "];
        let says = move |line: &&str| !line.is_empty() && !idle.iter().any(|start| line.starts_with(start));
        self.lines.iter().copied().filter(says)
    }

    fn value(&self, start: &str) -> Option<&str> {
        self.lines.iter().find_map(|line| line.strip_prefix(start))
    }

    fn trouble(&self, errors: &[u8]) -> Trouble {
        let stage = stage(&self.lines.join("\n"));
        let Some(last) = self.own().last() else {
            // Before it has a log, it says what is wrong with its configuration.
            return match stage {
                Stage::Connect => {
                    let said = inert::tail(errors);
                    Trouble::Here(format!("{}: the system's ssh says: {said}", self.endpoint.alias))
                }
                stage => Trouble::Lost { stage, because: parting(errors) },
            };
        };
        if last.ends_with("UNKNOWN port 65535") && stage == Stage::Connect {
            return self.on_the_way(errors);
        }
        let found = self.own().find_map(|line| connecting(line, self.endpoint));
        found
            .or_else(|| self.host_key())
            .or_else(|| self.login())
            .or_else(|| self.not_ssh())
            .unwrap_or_else(|| Trouble::Lost { stage, because: inert::tail(last.as_bytes()) })
    }

    fn host_key(&self) -> Option<Trouble> {
        if let Some(line) = self.own().find(|line| line.starts_with("Unable to negotiate with ")) {
            return Some(Trouble::HostKey(inert::tail(line.as_bytes())));
        }
        self.own().find(|line| line.starts_with("Host key verification failed"))?;
        let (kind, fingerprint) = self.value(HOST_KEY)?.split_once(' ')?;
        let (kind, fingerprint) = (inert::tail(kind.as_bytes()), inert::tail(fingerprint.as_bytes()));
        let key = Shown { short_kind: short_kind(&kind).to_owned(), kind, fingerprint };
        let name = name_of(self.endpoint);
        if let Some(given) = given(self.endpoint).ok().filter(|given| !given.is_empty()) {
            return Some(not_given(&name, &key, &given));
        }
        if self.own().any(|line| line.contains("REVOKED HOST KEY DETECTED")) {
            return Some(revoked(&name, &key, &"known_hosts"));
        }
        match self.value("Offending ").and_then(|line| line.split_once(" key in ")) {
            Some((kind, place)) => Some(changed(&name, &key, kind, place)),
            None => Some(unknown(&name, &key, &[])),
        }
    }

    fn login(&self) -> Option<Trouble> {
        let denied =
            self.own().find_map(|line| line.split_once(": Permission denied (")?.1.strip_suffix(")."));
        let cut_off = self.own().find(|line| line.contains("Too many authentication failures"));
        let methods = match (denied, cut_off) {
            (Some(methods), _) => inert::tail(methods.as_bytes()),
            (None, Some(_)) => "no more: it has ended the connection (see its MaxAuthTries)".to_owned(),
            (None, None) => return None,
        };
        let accepted: Vec<_> =
            self.lines.iter().filter_map(|line| line.strip_prefix("debug1: Server accepts key: ")).collect();
        let tried = self.lines.iter().filter_map(|line| {
            if let Some(path) = line.strip_prefix("debug1: Trying private key: ") {
                return Path::new(path).exists().then(|| format!("key {path}"));
            }
            let offered = line.strip_prefix("debug1: Offering public key: ")?;
            let (name, rest) = offered.rsplit_once(" SHA256:")?;
            let name = name.rsplit_once(' ').map_or(name, |(name, _)| name);
            let of = if rest.contains(" agent") { " of the agent" } else { "" };
            let why = if accepted.contains(&offered) {
                " (the host takes it, but it cannot be used: a key with a passphrase has to be in an agent, as ssh asks for nothing here)"
            } else {
                ""
            };
            Some(inert::tail(format!("key {name}{of}{why}").as_bytes()))
        });
        Some(Trouble::LoginRefused { user: self.endpoint.user.clone(), tried: tried.collect(), methods })
    }

    /// It ended, or spoke, before there was a version.
    fn not_ssh(&self) -> Option<Trouble> {
        let exchange = |line: &&str| {
            line.starts_with("kex_exchange_identification: ") || line.starts_with("banner exchange: ")
        };
        let line = self.own().find(exchange)?;
        if line.contains("reset by peer") {
            return None;
        }
        let said = self.value("debug1: kex_exchange_identification: banner line 0: ").unwrap_or("");
        Some(Trouble::NotSsh { address: address(self.endpoint), said: inert::tail(said.as_bytes()) })
    }

    /// The way to the host has ended: what the `ssh` of the jump host says, or the `ProxyCommand`.
    fn on_the_way(&self, errors: &[u8]) -> Trouble {
        let text = String::from_utf8_lossy(errors);
        let jumps: Vec<&str> = self.endpoint.jumps.iter().map(|hop| hop.alias.as_str()).collect();
        let hop = if jumps.is_empty() { "the ProxyCommand".to_owned() } else { jumps.join(" or ") };
        let named = text.lines().find_map(|line| connecting(line.trim_end(), self.endpoint));
        let trouble = named.unwrap_or_else(|| {
            let open = text.lines().find_map(|line| line.trim_end().split_once(": open failed: "));
            let denied = text.lines().any(|line| {
                line.contains("Permission denied (") || line.starts_with("Host key verification failed")
            });
            match open {
                Some((_, why)) => {
                    Trouble::NoRoute { address: address(self.endpoint), because: inert::tail(why.as_bytes()) }
                }
                None if denied => Trouble::HostKey(inert::tail(errors)),
                None if text.trim().is_empty() => {
                    Trouble::Lost { stage: Stage::Connect, because: "it ended without a word".to_owned() }
                }
                None => Trouble::Lost { stage: Stage::Connect, because: inert::tail(errors) },
            }
        });
        Trouble::Through { hop, trouble: Box::new(trouble) }
    }
}

/// What ssh says on standard error when a connection ends; the rest there is the command's.
fn parting(errors: &[u8]) -> String {
    let text = String::from_utf8_lossy(errors);
    let starts = ["Connection to ", "client_loop: ", "Timeout, server ", "Read from remote host "];
    let line = text.lines().rev().find(|line| starts.iter().any(|start| line.starts_with(start)));
    inert::tail(line.unwrap_or("ssh has ended without a word").as_bytes())
}

/// What a line says of a name or an address that cannot be reached.
fn connecting(line: &str, endpoint: &Endpoint) -> Option<Trouble> {
    let line = line.strip_prefix("ssh: ").unwrap_or(line);
    let late = || Trouble::Timeout {
        stage: Stage::Connect,
        limit: endpoint.connect_timeout,
        setting: " (ConnectTimeout)",
    };
    if line.starts_with("Connection timed out during banner exchange") {
        return Some(late());
    }
    if let Some((host, because)) =
        line.strip_prefix("Could not resolve hostname ").and_then(|rest| rest.split_once(": "))
    {
        let (host, because) = (inert::tail(host.as_bytes()), inert::tail(because.as_bytes()));
        return Some(Trouble::NameUnknown { host, because });
    }
    let (host, rest) = line.strip_prefix("connect to host ")?.split_once(" port ")?;
    let (port, because) = rest.split_once(": ")?;
    let address = inert::tail(format!("{host}:{port}").as_bytes());
    Some(match because {
        "Connection refused" => Trouble::ConnectionRefused { address },
        "Connection timed out" | "Operation timed out" => late(),
        _ => Trouble::NoRoute { address, because: inert::tail(because.as_bytes()) },
    })
}

fn address(endpoint: &Endpoint) -> String {
    format!("{}:{}", endpoint.host, endpoint.port)
}

#[cfg(test)]
mod tests {
    use super::{Ending, ending, stage};
    use crate::config::{Asked, SshFiles, Surroundings, resolve};
    use crate::trouble::Stage;
    use std::path::Path;

    fn ended(log: &str, errors: &str) -> Ending {
        let files = SshFiles { instead: Some("/dev/null".into()), ..SshFiles::usual(Path::new("/")) };
        let asked = Asked { name: "web".into(), ..Asked::default() };
        let surroundings = Surroundings {
            home: "/home/ada".into(),
            user: "ada".into(),
            uid: 1000,
            machine: "desk".into(),
            variables: Default::default(),
        };
        ending(&resolve(&asked, &files, &surroundings).unwrap(), log, errors.as_bytes())
    }

    #[test]
    fn status_255_has_many_reasons() {
        let log_in = "debug1: Server host key: ssh-rsa SHA256:x\r\nAuthenticated to web ([::1]:22) using \"publickey\".\r\n";
        let shared = "debug1: mux_client_request_session: master session id: 2\r\n";
        let status = "debug1: client_input_channel_req: channel 0 rtype exit-status reply 0\r\n";
        assert_eq!(ended(&format!("{log_in}{status}"), "Host key verification failed."), Ending::Command);
        assert_eq!(ended(&format!("{log_in}{}", status.replace("status", "signal")), ""), Ending::Signal);
        assert_eq!(ended(shared, "oops"), Ending::Command);
        assert_eq!(stage(log_in), Stage::Elevate);
        assert_eq!(stage(log_in.lines().next().unwrap()), Stage::Login);
        assert_eq!(stage(shared), Stage::Elevate);
        assert_eq!(stage("debug1: Connecting to web"), Stage::Connect);
        assert_eq!(stage("debug1: Remote protocol version 2.0, remote software version x"), Stage::HostKey);
    }

    /// Log, standard error, what is made of them.
    const TROUBLES: &[(&str, &str, &str)] = &[
        (
            "ssh: connect to host web port 22: No route to host\r\n",
            "",
            "there is no route to web:22: No route to host",
        ),
        (
            "ssh: connect to host web port 22: Connection timed out\r\n",
            "",
            "no answer within 10 s while connecting (ConnectTimeout)",
        ),
        (
            "debug1: Offering public key: a b ED25519 SHA256:x agent\r\n\
             Received disconnect from ::1 port 22:2: Too many authentication failures\r\nDisconnected from ::1 port 22\r\n",
            "",
            "ada was not let in; tried key a b of the agent; the host takes no more: it has ended the connection (see its MaxAuthTries)",
        ),
        (
            "Authenticated to web\r\nTimeout, server web not responding.\r\n",
            "noise",
            "the connection was lost while becoming root: Timeout, server web not responding.",
        ),
        (
            "Authenticated to web\r\n",
            "noise",
            "the connection was lost while becoming root: ssh has ended without a word",
        ),
        ("", "\x1b[31mbad\r\n", "web: the system's ssh says: \\u{1b}[31mbad"),
        (
            "Unable to negotiate with ::1 port 22: no matching cipher\r\n",
            "",
            "Unable to negotiate with ::1 port 22: no matching cipher",
        ),
    ];

    #[test]
    fn troubles_that_loopback_cannot_show() {
        for (log, errors, expected) in TROUBLES {
            let Ending::Trouble(trouble) = ended(log, errors) else { panic!("{log}") };
            assert_eq!(trouble.to_string(), *expected);
        }
    }
}
