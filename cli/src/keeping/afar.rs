//! Setting up the agents of other hosts, over SSH: a catalog like any other, with `keel` itself among its contents. It comes packed, is checked by
//! its digest, tried on the host, and put in place in one step.

use super::install::{Brought, Parts, Runs, SCOPE, There, installed, part, uninstalled};
use super::said::{On, settings_text};
use super::verbs::signers;
use crate::blobs::SiteBlobs;
use crate::commands::agent::Install;
use crate::library::Files;
use crate::site::{Refusal, Site};
use crate::work::{Fleet, Hosts, Live, Make, Ready, beside_this_program};
use anyhow::{Context, anyhow};
use daemon::settings;
use fleet::Prepared;
use model::{Catalog, Digest, Facts, Secrets};
use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Mutex, PoisonError};
use wire::{Order, Terms, Work};

/// Where `keel` is put on hosts.
pub const PROGRAM: &str = "/usr/local/bin/keel";

/// A run that has the host, such as one of the agent itself, is waited for so long, in seconds.
const WAIT: u64 = 900;

/// As long as a timer waits, in seconds, unless said.
const EVERY: u64 = 1800;

/// Sets it up on `hosts`; its settings stand at `path`, and what is not said stays there as it is.
pub fn install(install: Install, path: PathBuf, hosts: (&Hosts, &Files)) -> anyhow::Result<Box<Make>> {
    let programs = Programs::default();
    let is_asked = install.said.says_something() || install.timer;
    let there = if is_asked { settings_there(hosts, &path)? } else { BTreeMap::new() };
    Ok(Box::new(move |host, name, facts| {
        let said = &install.said;
        let old = match there.get(host) {
            Some(Ok(text)) => text.as_deref(),
            Some(Err(why)) => {
                return Err(anyhow!("cannot tell its settings, {}: {why}", path.display()).into());
            }
            None if is_asked => return Err(anyhow!("nobody asked {host} for its settings").into()),
            None => None,
        };
        let is_written = said.says_where() || old.is_some();
        let written = if is_written { Some(settings_text(said, On::There(name), old)?) } else { None };
        let (text, notes) = written.map_or((None, Vec::new()), |(text, notes)| (Some(text), notes));
        let read = text.as_ref().map(|text| settings::read(&path.display().to_string(), text)).transpose();
        let every = read.map_err(Refusal::Diagnostics)?.map(|settings| settings.every);
        let every = every.or(said.upkeep.every).unwrap_or(EVERY);
        let runs = if install.timer { Runs::ByTimer { every } } else { Runs::Always };
        let (file, brought) = programs.for_machine(facts)?;
        let signers = said.upkeep.allowed_signers.as_deref().map(signers).transpose()?;
        let parts = Parts {
            program: Path::new(PROGRAM),
            brought: Some(brought),
            settings: text.as_deref(),
            path: &path,
            signers: signers.as_deref(),
        };
        let catalog = installed(&parts, runs, There::Unknown).map_err(|error| anyhow!(error))?;
        let ready = ready(catalog, "agent install", BTreeMap::from([(brought.digest, file)]));
        Ok(Ready { warnings: notes, ..ready })
    }))
}

/// The settings of hosts, by what those are called; `None` where there are none.
type Settled = BTreeMap<String, Result<Option<String>, String>>;

/// Asks them, as many at a time as are worked on at a time.
fn settings_there((hosts, files): (&Hosts, &Files), path: &Path) -> anyhow::Result<Settled> {
    let path = path.to_str().context("the path of the settings is not UTF-8")?;
    let (site, stop, connection) = (Site::default(), AtomicBool::new(false), &hosts.connection);
    let fleet = Fleet::new(hosts, (&site, files), &stop)?;
    let all: Vec<Live<'_>> = fleet.each().collect();
    let mut settled = Settled::new();
    for some in all.chunks(connection.parallel.get()) {
        std::thread::scope(|scope| {
            let asked: Vec<_> = some.iter().map(|live| scope.spawn(|| live.settings(path))).collect();
            for (live, asked) in some.iter().zip(asked) {
                let told = asked.join().unwrap_or_else(|_| Err("nobody asked it".to_owned()));
                settled.insert(live.name().to_owned(), told);
            }
        });
    }
    Ok(settled)
}

/// Takes it away, and the program with it.
pub fn uninstall(path: PathBuf) -> Box<Make> {
    Box::new(move |_, _, _| {
        let catalog = uninstalled(&path, Some(Path::new(PROGRAM)), There::Unknown);
        Ok(ready(catalog.map_err(|error| anyhow!(error))?, "agent uninstall", BTreeMap::new()))
    })
}

fn ready(catalog: Catalog, command: &str, files: BTreeMap<Digest, PathBuf>) -> Ready {
    let nodes = catalog.nodes().len() as u64;
    let terms = Terms { wait: Some(WAIT), ..part() };
    let work =
        Work { catalog, scope: SCOPE.to_owned(), command: command.to_owned(), terms, ..Work::default() };
    let blobs = Box::new(SiteBlobs::new(files, Vec::new()));
    let prepared = Prepared { order: Order::Apply(work), secrets: Secrets::default(), blobs };
    Ready { prepared, nodes, warnings: Vec::new() }
}

/// `keel` for each machine: this very program, or the file `keel-<machine>` beside it.
#[derive(Default)]
struct Programs(Mutex<BTreeMap<String, (PathBuf, Brought)>>);

impl Programs {
    fn for_machine(&self, facts: &Facts) -> anyhow::Result<(PathBuf, Brought)> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((file, brought)) = known.get(&facts.arch) {
            return Ok((file.clone(), *brought));
        }
        let arch = &facts.arch;
        let is_ours = arch == std::env::consts::ARCH;
        let file = match is_ours {
            true => std::env::current_exe().context("cannot tell where this program is")?,
            false => beside_this_program()?.join(format!("keel-{arch}")),
        };
        let opened = File::open(&file).with_context(|| {
            format!("there is no keel for {arch}: put one beside this program, as {}", file.display())
        });
        let digests = bundle::Digests::of(opened?, u64::MAX)
            .with_context(|| format!("cannot read {}", file.display()))?;
        let brought = Brought { digest: digests.sha256, size: digests.size };
        known.insert(arch.clone(), (file.clone(), brought));
        Ok((file, brought))
    }
}
