//! The command line of `cargo xtask`. It must not do anything itself: each chore has a module.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use clap::{Parser, Subcommand};

use crate::dist::Purpose;
use crate::lab::host::Init;
use crate::lab::machine::Machine;
use crate::lab::{down, host, ssh, state, up, vagrant_box};
use crate::power::{Cuts, cut};
use crate::resident::list;
use crate::tidy::check;
use crate::{bench, cmd, corpus, dist, faults, packages, seeded, soak, suite};

/// The chores of the project.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
pub struct Cli {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Debug, Subcommand)]
enum Chore {
    /// Real hosts on this machine (needs root). KEEL_LAB=NAME picks another lab than this clone's own.
    Lab {
        #[command(subcommand)]
        verb: LabVerb,
    },
    /// Every test, with the lab's scenarios when root; needs nothing prepared. Extra words go to nextest.
    Test {
        /// For instance `-E 'binary_id(xtask::lab)'`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        extra: Vec<String>,
    },
    /// The programs as they are given to people, in target/dist: `keel`, and beside it the agent that it puts on hosts.
    Dist {
        /// Built faster, larger, and not for people.
        #[arg(long)]
        debug: bool,
    },
    /// What keel costs, against the floor and, with `--peers all`, against other tools; into docs/performance.md (needs root). `--quick` ends
    /// in five minutes; `--only W1,W3`; `--help` has the rest. KEEL_BIN=PATH takes a `keel` that is built already.
    #[command(disable_help_flag = true)]
    Bench {
        /// The benchmark's own.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        words: Vec<String>,
    },
    /// Cuts the power of a virtual machine in which `keel` runs, and looks what is left (needs root). KEEL_BIN=PATH takes another `keel`
    /// than the debug build.
    Power {
        /// How many times.
        #[arg(long, default_value_t = 100)]
        cuts: u32,
        /// Which moments.
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
    /// A host with an agent, altered at random for long: the scenario `soak` of the lab (needs root). KEEL_BIN=PATH takes another `keel` than the
    /// debug build.
    Soak(soak::Soak),
    /// The tests that inject faults, and how many faults that was.
    Faults(faults::Faults),
    /// Do the tests bite? Puts known bugs into a copy of the sources, and wants tests to fail.
    Seeded {
        /// Only this one of tests/seeded.toml.
        name: Option<String>,
    },
    /// Adds to cli/resident.txt what a process runs, from when it becomes `keel` to its end: docs/performance.md says how.
    Resident {
        /// A process that has stopped itself just before.
        process: i32,
        /// What the linker wrote of that `keel` (`-Map`).
        map: PathBuf,
    },
    /// The house rules; they are also a test.
    Tidy,
    /// Writes the malformed files of tests/cases/bad.
    Corpus,
}

#[derive(Debug, Subcommand)]
enum LabVerb {
    /// Start the hosts h1 to hN that are not running yet.
    Up {
        /// How many hosts.
        #[arg(value_parser = clap::value_parser!(u8).range(0..=100))]
        hosts: u8,
        /// Hosts whose only process is sshd: more than twenty with systemd are too many for most machines.
        #[arg(long)]
        small: bool,
    },
    /// End all hosts of the lab, and all that belongs to it. The cached base stays.
    Down {
        /// End every lab on this machine.
        #[arg(long)]
        all: bool,
    },
    /// A shell, or one command, on a host, as root or as USER@HOST (`admin` may use sudo).
    Ssh {
        /// HOST or USER@HOST.
        host: String,
        /// The command and its arguments.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        command: Vec<String>,
    },
    /// The hosts of the lab.
    List,
    /// Build the box that Vagrant's LXC provider boots in the tests, and print where it is. Installs Debian's Vagrant where it is missing.
    VagrantBox,
}

/// Does what the command line says; the number is the exit code.
pub fn run(cli: Cli) -> Result<u8> {
    match cli.chore {
        Chore::Lab { verb } => lab(verb),
        Chore::Test { extra } => suite::run(&extra),
        Chore::Dist { debug } => {
            dist::dist(if debug { Purpose::Test } else { Purpose::Release })?;
            Ok(0)
        }
        Chore::Bench { words } => {
            bench::bench(&words)?;
            Ok(0)
        }
        Chore::Power { cuts, seed } => power(Cuts { count: cuts, seed }),
        Chore::Faults(faults) => faults::run(&faults),
        Chore::Soak(soak) => {
            soak::run(&soak)?;
            Ok(0)
        }
        Chore::Seeded { name } => seeded::run(name.as_deref()),
        Chore::Resident { process, map } => {
            list::add(process, &map)?;
            Ok(0)
        }
        Chore::Tidy => tidy(),
        Chore::Corpus => {
            let files = corpus::write::write(&cmd::workspace().join("tests/cases/bad"))?;
            println!("{files} files");
            Ok(0)
        }
    }
}

fn power(cuts: Cuts) -> Result<u8> {
    let target = cmd::workspace().join("target");
    let keel = std::env::var_os("KEEL_BIN").map_or_else(|| target.join("debug/keel"), PathBuf::from);
    cut(&keel, &target.join("power"), cuts)?;
    Ok(0)
}

fn tidy() -> Result<u8> {
    let found = check::project(&cmd::workspace())?;
    found.iter().for_each(|finding| println!("{finding}"));
    Ok(u8::from(!found.is_empty()))
}

fn lab(verb: LabVerb) -> Result<u8> {
    let name = state::default_name()?;
    match verb {
        LabVerb::Up { hosts, small } => lab_up(&name, hosts, if small { Init::Sshd } else { Init::Systemd })?,
        LabVerb::Down { all: false } => down::down(&name)?,
        LabVerb::Down { all: true } => {
            state::all()?.iter().try_for_each(|lab| down::down(&lab.name))?;
        }
        LabVerb::Ssh { host, command } => return lab_ssh(&name, &host, &command),
        LabVerb::List => lab_list(&name)?,
        LabVerb::VagrantBox => {
            packages::ensure()?;
            packages::ensure_vagrant()?;
            println!("{}", vagrant_box::ensure(&Machine::read()?)?.display());
        }
    }
    Ok(0)
}

fn lab_up(name: &str, hosts: u8, init: Init) -> Result<()> {
    let ready = up::ready(name)?;
    let names: Vec<String> = (1..=hosts).map(|n| format!("h{n}")).collect();
    for host in ready.hosts(&names, init)? {
        println!("{}\t{}\troot, admin\tcargo xtask lab ssh {}", host.name, host.address, host.name);
    }
    println!("key: {}", ready.lab.key().display());
    Ok(())
}

fn lab_ssh(lab: &str, target: &str, remote: &[String]) -> Result<u8> {
    let (user, name) = target.split_once('@').unwrap_or(("root", target));
    let lab = state::read(lab)?.context("this clone has no lab: cargo xtask lab up 1")?;
    let Some(host) = host::read(&lab, name)? else {
        let known = lab.host_names()?.into_iter().collect::<Vec<_>>().join(", ");
        bail!("lab {} has no host {name:?}; it has: {known}", lab.name);
    };
    let mut command = ssh::command(&host, user);
    let status =
        command.args(remote).status().with_context(|| format!("cannot start: {}", cmd::shown(&command)))?;
    Ok(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(255))
}

fn lab_list(own: &str) -> Result<()> {
    for lab in state::all()? {
        let mark = if lab.name == own { "  (this clone's)" } else { "" };
        println!("lab {}\t{}/24{mark}", lab.name, lab.gateway());
        for name in lab.host_names()? {
            if let Some(host) = host::read(&lab, &name)? {
                let state = if host.is_running()? { "running" } else { "dead" };
                println!("  {name}\t{}\t{state}", host.address);
            }
        }
    }
    Ok(())
}
