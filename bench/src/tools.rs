//! The tools: keel and its peers, a file each and a word in `peers`. A tool says where it comes from, writes a `State` as somebody who knows it well
//! would, and how it is then called. It knows no workload, and measures nothing. Next: `run`.

pub mod install;
mod keel;
mod puppet;
mod salt;

use crate::lab::Fleet;
use crate::state::State;
use std::path::Path;

pub use keel::Keel;

/// Keel or a peer.
pub trait Tool: Sync {
    /// Its name, for the table and for `--peers`.
    fn name(&self) -> &'static str;
    /// Where it comes from.
    fn source(&self) -> Source;
    /// A program that prints its version, on a host that has it.
    fn version(&self) -> Vec<String>;
    /// The files of a site that asks for the state.
    fn write(&self, state: &State) -> Files;
    /// How it is called on a host where the site lies `at`; nothing if it cannot be.
    fn on_host(&self, at: &Path) -> Option<Vec<String>>;
    /// How it is called on the laptop where the site lies `at`; nothing if it does not push. Files about the fleet are added to the site.
    fn push(&self, at: &Path, fleet: &Fleet) -> anyhow::Result<Option<Vec<String>>>;
}

/// Paths, relative to the site's directory, and texts.
pub type Files = Vec<(String, String)>;

/// Where a tool comes from. Debian's packages go into a host of the lab; those of PyPI into `CACHE`, and from there to the host.
#[derive(Clone, Copy, Debug)]
pub enum Source {
    /// This workspace.
    Ours,
    /// Packages of Debian.
    Debian(&'static [&'static str]),
    /// Packages of PyPI, and the packages of Debian that it needs on a host.
    PyPi(&'static [&'static str], &'static [&'static str]),
}

/// Where peers of PyPI are kept, on the laptop and on hosts: a directory each.
pub const CACHE: &str = "/var/cache/keel-bench";

/// All peers, in the order of the table.
pub fn peers() -> Vec<&'static dyn Tool> {
    vec![&puppet::Puppet, &salt::SaltCall]
}

/// A program of a peer of PyPI, on the laptop and on hosts alike.
fn python(peer: &str, program: &str) -> Vec<String> {
    let place = format!("{CACHE}/{peer}");
    words(["env", &format!("PYTHONPATH={place}"), "python3", &format!("{place}/bin/{program}")])
}

/// The last part of a path.
fn name_of(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// The contents of the state's files, below a directory.
fn contents(state: &State, below: &str) -> Files {
    state.files.iter().map(|it| (format!("{below}/{}", name_of(&it.path)), it.content.clone())).collect()
}

/// Words as an argv.
fn words<const N: usize>(words: [&str; N]) -> Vec<String> {
    words.map(str::to_owned).into()
}
