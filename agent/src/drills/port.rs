//! The fault `port`: what goes to a port is dropped, by a table of nftables that holds nothing else.

use super::fault::{Cannot, Fault};
use super::tools::{Said, Tools, well, words};
use crate::kind::Listed;
use model::{Failure, Problem, Repair};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What goes to a port is dropped, on the host itself as well as from outside, also where the host passes it on to a container (DNAT).
/// `port = 5432` is short for `port = { number = 5432 }`. The rules are in a table of nftables of their own: `nft delete table inet keel_drill`
/// takes them back by hand. The port of ssh is refused.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Port {
    /// Its number, from 1.
    number: u16,
    /// `tcp` or `udp`.
    #[serde(default)]
    protocol: Protocol,
    /// `in`: this port of the host. `out`: this port of everybody else, as of a database that the host needs; what the host only passes on, as
    /// from a container, is let through.
    #[serde(default)]
    way: Way,
}

/// How a port is spoken to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Protocol {
    #[default]
    Tcp,
    Udp,
}

/// Whose port it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Way {
    #[default]
    In,
    Out,
}

/// A table is known by its name alone.
#[derive(Debug, Serialize, Deserialize)]
pub struct Note {}

/// Where all rules of drills are.
pub(super) const TABLE: &str = "keel_drill";

impl Listed for Port {
    const NAME: &'static str = "port";
    const SHORT: &'static str = "number";
    const EXAMPLE: &'static str = "[drill.web-unreachable]\nport   = 80\nsees   = \"web-answers\"   # this check fails meanwhile\nseen   = \"10s\"\nrepair = \"undo\"\nwithin = \"10s\"\n\n[check.web-answers]\nhttp    = \"http://127.0.0.1/\"\ntimeout = \"2s\"\n";

    fn problems(&self) -> Vec<Problem> {
        match self.number {
            0 => vec![Problem::at("number", "there is no port 0").help("ports go from 1 to 65535")],
            22 => vec![
                Problem::at("number", "22 is the port of ssh: nobody could end the drill")
                    .help("drop another one"),
            ],
            _ => Vec::new(),
        }
    }
}

impl Fault for Port {
    const REPAIR: Repair = Repair::Undo;
    type Note = Note;

    fn prepare(&self, tools: &dyn Tools) -> Result<Note, Cannot> {
        if tools.ssh_ports()?.contains(&self.number) {
            let why = format!("sshd has port {}: nobody could end the drill", self.number);
            return Err(Failure::refused(why, "drop another one").into());
        }
        fit(tools)?;
        Ok(Note {})
    }

    fn inject(&self, _: &Note, tools: &dyn Tools) -> Result<String, Cannot> {
        let protocol = if self.protocol == Protocol::Tcp { "tcp" } else { "udp" };
        let rule = format!("{protocol} dport {} drop", self.number);
        // By the address and port that a client knows, before NAT gives it others. Of what goes to somebody else through this host it is none.
        let own = format!("fib daddr type local {rule}");
        let (rules, words) = match self.way {
            Way::In => (vec![("prerouting", own.clone()), ("input", rule), ("output", own)], "to port"),
            Way::Out => (vec![("output", rule)], "from here to port"),
        };
        put(&rules, tools)?;
        Ok(format!("{protocol} {words} {} is dropped (nftables)", self.number))
    }

    fn undo(_: &Note, tools: &dyn Tools) -> Result<String, Failure> {
        Ok(if clear(tools)? { "the rules of nftables are gone".to_owned() } else { String::new() })
    }
}

/// Whether nftables can be had here, and nobody has our table.
pub(super) fn fit(tools: &dyn Tools) -> Result<(), Cannot> {
    match tools.run(&["nft", "list", "tables"], "") {
        Ok(Said { fine: true, out, .. }) if out.contains(&format!("inet {TABLE}")) => {
            let why = format!("there is a table inet {TABLE} of nftables already");
            Err(Failure::refused(why, format!("`nft delete table inet {TABLE}` removes it")).into())
        }
        Ok(Said { fine: true, .. }) => Ok(()),
        Ok(said) => Err(Cannot::Here(format!("nftables cannot be had here: {}", words(&said)))),
        Err(Failure::Command { .. }) => {
            Err(Cannot::Here("nft is not on this host: the package nftables has it".to_owned()))
        }
        Err(failure) => Err(failure.into()),
    }
}

/// Makes the table: all of it, or nothing.
pub(super) fn put(rules: &[(&str, String)], tools: &dyn Tools) -> Result<(), Failure> {
    // Before what a firewall says: it may have let connections in that are there already.
    let chain = |(hook, rule): &(&str, String)| {
        format!("chain {hook} {{\ntype filter hook {hook} priority -300; policy accept;\n{rule}\n}}\n")
    };
    let chains: String = rules.iter().map(chain).collect();
    well(tools, &["nft", "-f", "-"], &format!("table inet {TABLE} {{\n{chains}}}\n")).map(|_| ())
}

/// Removes the table; false where there is none.
pub(super) fn clear(tools: &dyn Tools) -> Result<bool, Failure> {
    let found = tools.run(&["nft", "list", "table", "inet", TABLE], "")?;
    if !found.fine {
        return match words(&found) {
            text if text.contains("No such file") => Ok(false),
            text => Err(Failure::unknown(format!("the table {TABLE} of nftables"), text)),
        };
    }
    well(tools, &["nft", "delete", "table", "inet", TABLE], "").map(|_| true)
}
