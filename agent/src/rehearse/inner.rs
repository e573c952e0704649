//! The first process in the copy: it applies the catalog there as on any host, state and journal included, then asks whether a second
//! run would do more, and says what became of packages and accounts.

use super::job::{Job, Ran, Up};
use super::wire::{Contents, receive_job};
use super::{accounts, enter, private, versions};
use crate::engine::{Choice, Faults, Locks};
use crate::os::clock;
use crate::os::host::Host;
use crate::session::{self, Answer, Ended, NoSentry};
use crate::state::{EventLog, StateDir};
use crate::system::{Accounts, Package, System};
use model::{Event, EventBody, Failure, Id, NodeStatus, Op, Plan, PlannedNode, Report, Secrets, Verdict};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{ErrorKind, stdin, stdout};
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};
use wire::{Broken, Terms, send};

/// Everything from entering the copy to the last message; the number is the exit code.
pub(super) fn play() -> u8 {
    let message = match enter::enter().and_then(|()| work()) {
        Ok(ran) => Up::Ran(Box::new(ran)),
        Err(failure) => Up::Fault(failure),
    };
    let failed = matches!(message, Up::Fault(_));
    match send(&mut stdout().lock(), &message) {
        Ok(()) => u8::from(failed),
        // Nobody listens any more.
        Err(_) => 2,
    }
}

fn work() -> Result<Ran, Failure> {
    let broken = |error: Broken| Failure::io("talk over", "the pipe of the rehearsal", error);
    let mut from = stdin().lock();
    let (job, secrets, side) = receive_job(&mut from).map_err(broken)?;
    let contents = Contents::receive(&mut from, side, &job.work.contents()).map_err(broken)?;
    run(&job, &secrets, &Arc::new(contents))
}

/// Packages and accounts at one moment.
struct Snapshot {
    packages: Arc<BTreeMap<String, Package>>,
    accounts: Arc<Accounts>,
}

impl Snapshot {
    fn take(system: &dyn System) -> Result<Self, Failure> {
        Ok(Self { packages: system.all_packages()?, accounts: system.accounts()? })
    }
}

fn run(Job { setting, work }: &Job, secrets: &Secrets, contents: &Arc<Contents>) -> Result<Ran, Failure> {
    let host = Host::offline(contents.clone(), setting.running.clone());
    host.mask(secrets);
    let before = Snapshot::take(&host)?;
    let (state, stop) = (StateDir::new(&setting.state), AtomicBool::new(false));
    let broken = Mutex::new(BTreeSet::new());
    let watch = |event: &Event| {
        note_broken(event, &broken);
        upwards(event);
    };
    let events = EventLog::new(&watch, &clock::now);
    let session = session::Job {
        catalog: &work.catalog,
        secrets,
        blobs: contents.as_ref(),
        kinds: crate::kinds::LIVE,
        scope: &work.scope,
        choice: Choice {
            only: work.only.clone(),
            skip: work.skip.clone(),
            locks: Locks::default(),
            ..Choice::default()
        },
        system: &host,
        state: &state,
        events: &events,
        clock: &clock::now,
        command: work.command.clone(),
        terms: &Terms::default(),
        sentry: &NoSentry,
        stop: &stop,
        faults: Faults::default(),
    };
    let report = session::apply(&session, &|_| Ok(Answer::Yes)).map_err(told)?.report;
    let again = session::plan(&session)?;
    // Read by a host without memory: what scripts did behind the engine's back counts too.
    let after = Snapshot::take(&Host::offline(contents.clone(), BTreeMap::new()))?;
    Ok(Ran {
        report: Report { run: None, ..report },
        packages: versions::changes(&before.packages, &after.packages),
        accounts: accounts::changes(&before.accounts, &after.accounts),
        recorded: host.recorded().into_iter().chain(asked_for()?).collect(),
        mounted: host.recorded_mounts(),
        unsettled: unsettled(&again, &broken.into_inner().unwrap_or_else(PoisonError::into_inner)),
    })
}

fn told(ended: Ended) -> Failure {
    match ended {
        Ended::Failed(failure) | Ended::Broken { failure, .. } => failure,
        Ended::Locked(_) | Ended::SoftLocked(_) | Ended::Declined(_) => {
            Failure::refused(ended.to_string(), "wait for it to end")
        }
    }
}

/// Sends an event to the front process. The report is sent once, with everything else.
fn upwards(event: &Event) {
    if matches!(event.body, EventBody::Report(_)) {
        return;
    }
    // Where nobody listens any more this process is about to be killed.
    drop(send(&mut stdout().lock(), &Up::Event(event.body.clone())));
}

/// Keeps the resources that did not come to what they should be.
fn note_broken(event: &Event, broken: &Mutex<BTreeSet<Id>>) {
    if let EventBody::Node {
        id,
        status: NodeStatus::Failed | NodeStatus::Skipped | NodeStatus::Unknown,
        ..
    } = &event.body
    {
        broken.lock().unwrap_or_else(PoisonError::into_inner).insert(id.clone());
    }
}

/// Resources that would change again, or that cannot tell. Those in `broken` have said so before.
fn unsettled(again: &Plan, broken: &BTreeSet<Id>) -> Vec<String> {
    let bad = |verdict: &Verdict| matches!(verdict, Verdict::Change | Verdict::Provisional { .. });
    // What a copy cannot do once it cannot do again.
    let only_reboots =
        |node: &PlannedNode| !node.steps.is_empty() && node.steps.iter().all(|step| step.op == Op::Reboot);
    let is_due =
        |node: &&PlannedNode| bad(&node.verdict) && !only_reboots(node) && !broken.contains(&node.id);
    let nodes = again.nodes.iter().filter(is_due);
    nodes.map(|node| node.id.to_string()).collect()
}

/// What package scripts wanted of services: lines of the service's name and the action, in parentheses or not.
fn asked_for() -> Result<Vec<String>, Failure> {
    let bytes = match std::fs::read(Path::new(private::ASKED)) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(Failure::io("read", private::ASKED, error)),
    };
    let text = crate::os::capture::printable(&bytes);
    let line = |line: &str| {
        let mut words = line.split_whitespace().filter(|word| !word.starts_with('-'));
        let (name, action) = (words.next()?, words.next()?.trim_matches(['(', ')']));
        let name = if name.contains('.') { name.to_owned() } else { format!("{name}.service") };
        let acts = ["start", "stop", "restart", "reload", "force-reload", "try-restart"];
        acts.contains(&action).then(|| format!("{action} (by its package) {name}"))
    };
    Ok(text.lines().filter_map(line).collect())
}
