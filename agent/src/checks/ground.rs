//! What checks look with: the door to the host, where there is one, programs, addresses, and TLS where this program has it.

use super::channel::Tls;
use super::names::Names;
use crate::system::{Layer, System};
use model::{Failure, Principal};
use std::net::IpAddr;
use std::time::Duration;

/// What one try looks with.
pub struct Ground<'a> {
    /// The host itself; `None` where it is looked at from outside.
    pub inside: Option<Inside<'a>>,
    /// Where the host is to be found: its name or address. From inside it is this machine.
    pub address: &'a str,
    /// What speaks TLS; nothing does in `keel-agent`.
    pub tls: Option<&'a dyn Tls>,
    /// Who knows the addresses of names, where it is not the host's files and name servers.
    pub names: Option<&'a dyn Names>,
    /// How long the try may take.
    pub timeout: Duration,
}

/// The host, looked at from inside.
#[derive(Clone, Copy)]
pub struct Inside<'a> {
    /// The door, of which only reads are used.
    pub system: &'a dyn System,
    /// Who starts programs.
    pub programs: &'a dyn Programs,
}

/// Starts programs for checks.
pub trait Programs: Sync {
    /// Runs `argv` to its end as `user`, or as who runs the agent, for at most so long.
    ///
    /// # Errors
    /// It could not be started, or had to be killed.
    fn run(&self, argv: &[String], user: Option<&Principal>, timeout: Duration) -> Result<Ran, Failure>;
}

/// How a program ended, and what it wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ran {
    /// Its exit code; `None` where a signal ended it.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: Wrote,
    /// Standard error.
    pub stderr: Wrote,
}

/// What a program or a server wrote, as far as it was kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wrote {
    /// Its beginning.
    pub bytes: Vec<u8>,
    /// True where that is all of it.
    pub whole: bool,
}

impl<'a> Ground<'a> {
    /// The host from inside.
    ///
    /// # Errors
    /// It is looked at from outside.
    pub fn inside(&self) -> Result<Inside<'a>, Failure> {
        self.inside.ok_or_else(|| {
            Failure::refused("this can be looked at from the host alone", "leave out `from = \"keel\"`")
        })
    }

    /// The door to the host.
    ///
    /// # Errors
    /// It is looked at from outside.
    pub fn system(&self) -> Result<&'a dyn System, Failure> {
        self.inside().map(|inside| inside.system)
    }

    /// True where `name` is an address of the machine that says it.
    pub fn is_loopback(name: &str) -> bool {
        let name = name.trim_start_matches('[').trim_end_matches(']');
        name == "localhost" || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    }
}

/// A host in memory has files and no programs.
impl Programs for Layer<'_> {
    fn run(&self, argv: &[String], _: Option<&Principal>, _: Duration) -> Result<Ran, Failure> {
        Err(Failure::unknown(format!("`{}`", argv.join(" ")), "a host in memory runs no programs"))
    }
}
