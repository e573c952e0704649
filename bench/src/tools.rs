//! The tools: keel and its peers, a file each and a word in `peers`. A tool says where it comes from, writes a `State` as somebody who knows it well
//! would, and how it is then called. It knows no workload, and measures nothing. Next: `run`.

mod ansible;
mod cfengine;
pub mod install;
mod itamae;
mod keel;
mod puppet;
mod pyinfra;
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
    vec![
        &puppet::Puppet,
        &cfengine::CfEngine,
        &salt::SaltCall,
        &salt::SaltSsh,
        &itamae::Itamae,
        &pyinfra::Pyinfra,
        &ansible::Mitogen,
        &ansible::Ansible,
    ]
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

#[cfg(test)]
mod tests {
    use super::{Keel, Tool, peers};
    use crate::state::{Directory, File, State};
    use crate::workloads::{Scale, all};

    fn tools() -> Vec<&'static dyn Tool> {
        static KEEL: std::sync::OnceLock<Keel> = std::sync::OnceLock::new();
        let keel = KEEL.get_or_init(|| Keel { program: "keel".into() });
        std::iter::once::<&dyn Tool>(keel).chain(peers()).collect()
    }

    /// Every name that a state has.
    fn names(state: &State) -> Vec<&str> {
        let paths =
            state.directories.iter().map(|it| &it.path).chain(state.templated.iter().map(|it| &it.path));
        let links = state.symlinks.iter().flat_map(|it| [&it.path, &it.target]);
        let lines = state.lines.iter().flat_map(|it| [&it.path, &it.line]);
        let accounts = state.groups.iter().map(|it| &it.name).chain(state.users.iter().map(|it| &it.name));
        let all = paths.chain(links).chain(lines).chain(accounts).chain(&state.packages);
        let units = state.units.iter().map(|it| it.name.trim_end_matches(".service"));
        all.map(String::as_str).chain(units).collect()
    }

    #[test]
    fn every_tool_asks_for_all_of_a_state() {
        let workloads = all(Scale::Quick);
        let mixed = workloads.iter().find(|workload| workload.id == "W2").expect("W2");
        for tool in tools() {
            let text: String = tool.write(&mixed.state).into_iter().map(|(_, text)| text).collect();
            for name in names(&mixed.state) {
                assert!(text.contains(name), "{}: {name}", tool.name());
            }
        }
    }

    #[test]
    fn a_tree_is_copied_as_a_whole() {
        let files =
            (0..30).map(|n| File::of_root(format!("/srv/tree/name{n}"), format!("text {n}"))).collect();
        let directory = Directory { path: "/srv/tree".into(), owner: "root".into(), mode: "0755".into() };
        let state = State { files, directories: vec![directory], ..State::default() };
        for tool in tools().into_iter().filter(|tool| tool.name() != "itamae") {
            let written = tool.write(&state);
            let text: String = written.iter().map(|(_, text)| text.as_str()).collect();
            assert!(text.contains("/srv/tree") && !text.contains("/srv/tree/name7"), "{}", tool.name());
            assert_eq!(
                written.iter().filter(|(path, _)| path.contains("/name")).count(),
                30,
                "{}",
                tool.name()
            );
        }
    }

    #[test]
    fn every_tool_brings_the_contents_of_files() {
        let files = vec![
            File::of_root("/srv/one".into(), "first".into()),
            File::of_root("/srv/two".into(), "second".into()),
        ];
        let state = State { files, ..State::default() };
        for tool in tools() {
            let text: String = tool.write(&state).into_iter().map(|(_, text)| text).collect();
            assert!(
                ["/srv/one", "first", "/srv/two", "second"].iter().all(|part| text.contains(part)),
                "{}",
                tool.name()
            );
        }
    }
}
