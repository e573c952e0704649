//! Work on hosts over SSH: endpoints, keys and passwords, agents, and one push to all of them. What can be checked is checked
//! before anybody is connected to.

use super::crew::{Hosts, Machine};
use super::desk::{Desk, Host};
use super::errand::{Errand, Wanted};
use super::login::Login;
use super::lost;
use crate::book::Book;
use crate::exit::Exit;
use crate::site::Refusal;
use crate::stop::Wishes;
use crate::view::ask::Consent;
use crate::view::{self, Stopped};
use anyhow::Context;
use fleet::config::{SshFiles, Surroundings, resolve};
use fleet::{Agents, Controller, Lost, Patience, Places, Push, Resume, Target};
use model::Diagnostic;
use std::path::PathBuf;
use std::time::Duration;

/// Does it on all of `hosts`.
pub fn work(errand: &Errand, hosts: &Hosts) -> anyhow::Result<Exit> {
    if let Err(refusal) = check(errand, &hosts.list) {
        return Ok(view::refused(&refusal, errand.format));
    }
    let agents = Agents::beside(&beside_this_program()?);
    agents.look()?;
    let targets = targets(hosts)?;
    let names: Vec<String> = targets.iter().map(|target| target.name.clone()).collect();
    let show = errand.show(Some(&names));
    let runs = lost::runs();
    let lost = runs.as_ref().map(|runs| lost::lost_on(runs, &targets)).unwrap_or_default();
    let resume = if errand.wanted.may_change() { Resume::First } else { Resume::No };
    if let Some(runs) = &runs {
        let is_seen_to = resume == Resume::First || matches!(errand.wanted, Wanted::Attach { .. });
        let seen_to: Vec<&Lost> = if is_seen_to { lost.values().collect() } else { Vec::new() };
        lost::remark(runs, &seen_to);
    }
    let wishes = Wishes::heard(Stopped::There)?;
    errand.book().iter().for_each(|book| prepare(book, &targets, &wishes));
    let desk = Desk::new(errand, &*show, hosts.list.iter().map(meant).collect()).knowing(lost, &wishes.begun);
    let login = Login::new(hosts, &targets, errand.files.vault.keyring());
    let login = match errand.wanted {
        // Over a connection that was kept a host that goes down would answer to its last.
        Wanted::Attach { .. } => login.afresh(),
        _ => login,
    };
    let connection = &hosts.connection;
    fleet::push(&Push {
        targets: &targets,
        // Who waits for an answer keeps its place: all hosts are to have told their plans before the question.
        parallel: match errand.consent {
            Consent::Given => connection.parallel.get(),
            Consent::Asked => targets.len(),
        },
        connect: &|endpoint| login.connect(endpoint, &|host, text| desk.note(host, text)),
        password: &hosts.sudo,
        agents: &agents,
        places: Places::default(),
        patience: Patience::default(),
        controller: &desk,
        stop: &wishes.stop,
        detach: &wishes.detach,
        runs: runs.as_ref(),
        resume,
        wait: Duration::from_secs(connection.wait_ssh.unwrap_or_default()),
    });
    Ok(desk.finish())
}

/// Checks that are looked at from here look at where the host is.
fn prepare(book: &Book, targets: &[Target], wishes: &Wishes) {
    book.stops_with(&wishes.stop);
    for target in targets {
        if let Ok(endpoint) = &target.endpoint {
            book.found_at(&target.name, &endpoint.host);
        }
    }
}

/// Finds what is wrong with the input of any host without asking one.
fn check(errand: &Errand, hosts: &[Machine]) -> Result<(), Refusal> {
    let mut found: Vec<Diagnostic> = Vec::new();
    for host in hosts {
        match errand.check(host.host.as_deref()) {
            Ok(()) => {}
            Err(Refusal::Diagnostics(more)) => {
                found.extend(more.into_iter().filter(|one| !found.contains(one)).collect::<Vec<_>>());
            }
            Err(other) => return Err(other),
        }
    }
    if found.is_empty() { Ok(()) } else { Err(Refusal::Diagnostics(found)) }
}

pub fn targets(hosts: &Hosts) -> anyhow::Result<Vec<Target>> {
    let surroundings = Surroundings::here()?;
    let usual = SshFiles::usual(&surroundings.home);
    let source = hosts.source.as_ref().map(|source| source.config().to_owned());
    let files = SshFiles { instead: source.or_else(|| hosts.connection.ssh_config.clone()), ..usual };
    let target = |host: &Machine| {
        let mut endpoint = resolve(&host.asked, &files, &surroundings);
        for hop in endpoint.iter_mut().flat_map(|endpoint| &mut endpoint.jumps) {
            let known = host.keys_on_the_way.iter().find(|(address, _)| *address == hop.alias);
            hop.host_keys.extend(known.into_iter().flat_map(|(_, keys)| keys.iter().cloned()));
        }
        Target { name: host.name.clone(), endpoint }
    };
    Ok(hosts.list.iter().map(target).collect())
}

fn meant(host: &Machine) -> Host {
    Host { name: host.name.clone(), inventory: host.host.clone(), words: vec![host.name.clone()] }
}

/// Where the agents are.
pub fn beside_this_program() -> anyhow::Result<PathBuf> {
    let program = std::env::current_exe().context("cannot tell where this program is")?;
    let directory = program.parent().context("this program is in no directory")?;
    Ok(directory.to_owned())
}
