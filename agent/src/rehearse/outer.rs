//! The front process: it starts the rest, hands the job over the pipe, passes events on, and puts the result together.
//! It must not touch the machine itself.

use super::job::{Found, Job, Ran, Setting, Up};
use super::stage::Stage;
use super::wire::send_job;
use crate::engine::{Graph, Sink};
use crate::os::child::Outlet;
use crate::os::tied::Tied;
use crate::session;
use crossbeam_channel::{Receiver, RecvTimeoutError, bounded};
use model::{Failure, Rehearsal, RehearsedPackage, Thing, UnitState};
use std::collections::BTreeMap;
use std::fmt::Display;
use std::io::{ErrorKind, Read, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use wire::{Broken, Heard, Inbox, Terms, Unsent, Work, send_content};

/// Runs `job` in a throwaway copy of this machine. Its events are emitted while it goes on, but for the report.
///
/// The running program must play [`Stage`]s when it is started as one.
///
/// # Errors
/// `Failure::Refused` without root, or where the kernel gives no namespaces or overlays; otherwise what went wrong in
/// the copy, short of resources that failed: those are in the report.
pub fn rehearse(job: &session::Job<'_>) -> Result<Rehearsal, Failure> {
    if !rustix::process::geteuid().is_root() {
        let why = "a rehearsal needs root: it mounts a throwaway copy of the machine";
        return Err(Failure::refused(why, "run it with sudo"));
    }
    let work = Work {
        catalog: job.catalog.clone(),
        scope: job.scope.to_owned(),
        only: job.choice.only.clone(),
        skip: job.choice.skip.clone(),
        command: job.command.clone(),
        terms: Terms::default(),
    };
    let inward =
        Job { setting: Setting { state: job.state.root().to_owned(), running: running(job)? }, work };
    let mut keeper = Stage::Keeper.start(Outlet::Piped)?;
    let (input, output) = (keeper.input(), keeper.output());
    let (Some(input), Some(output)) = (input, output) else {
        return Err(Failure::unknown("the rehearsal", "it was started without pipes"));
    };
    let talked = talk((input, output), inward, job, &keeper);
    let finished = keeper.finish();
    if job.stop.load(Ordering::Relaxed) {
        return Err(Failure::refused("the rehearsal was told to stop", "start it again to see its result"));
    }
    match (talked?, finished) {
        (Some(rehearsal), Ok(())) => Ok(rehearsal),
        (_, Err(failure)) => Err(failure),
        (None, Ok(())) => Err(Failure::unknown("the rehearsal", "it ended before it was done")),
    }
}

/// Sends the job and listens to the end, which comes early where the run is told to stop.
fn talk(
    (input, output): (impl Write, impl Read),
    inward: Job,
    job: &session::Job<'_>,
    keeper: &Tied,
) -> Result<Option<Rehearsal>, Failure> {
    let (talking, ended) = bounded::<()>(0);
    std::thread::scope(|scope| {
        let watcher = scope.spawn(move || watch(job.stop, &ended, keeper));
        let sent = send(input, inward, job);
        // Whoever broke the pipe has written why on the other one.
        let listened = listen(output, job.events);
        drop(talking);
        match watcher.join() {
            Ok(watched) => watched?,
            // A panic is a bug: it goes on to the top.
            Err(panic) => std::panic::resume_unwind(panic),
        }
        match sent {
            Err(Unsent::Lacking(failure)) => Err(failure),
            Err(Unsent::Pipe(error)) if matches!(listened, Ok(Some(_))) => Err(broken(error)),
            _ => listened,
        }
    })
}

/// Ends everything when `stop` is set; returns when the talk has ended.
fn watch(stop: &AtomicBool, ended: &Receiver<()>, keeper: &Tied) -> Result<(), Failure> {
    while ended.recv_timeout(Duration::from_millis(50)) == Err(RecvTimeoutError::Timeout) {
        if stop.load(Ordering::Relaxed) {
            return keeper.kill();
        }
    }
    Ok(())
}

/// The pipe is closed at the end, whatever the end is.
fn send(mut input: impl Write, inward: Job, job: &session::Job<'_>) -> Result<(), Unsent> {
    let named = inward.work.contents();
    send_job(&mut input, inward, job.secrets)?;
    named.into_iter().try_for_each(|content| send_content(&mut input, content, job.blobs))
}

/// The units of the catalog that the machine's service manager knows; none where there is no such manager.
fn running(job: &session::Job<'_>) -> Result<BTreeMap<String, UnitState>, Failure> {
    // sd_booted(3)
    if !Path::new("/run/systemd/system").exists() {
        return Ok(BTreeMap::new());
    }
    let things = Graph::load(job.catalog, job.secrets, job.kinds)?.things(&job.choice);
    job.system.prepare(&things)?;
    let mut units = BTreeMap::new();
    for thing in things {
        if let Thing::Unit(name) = thing
            && let Some(state) = job.system.unit(&name)?
        {
            units.insert(name, state);
        }
    }
    Ok(units)
}

/// Until nobody is left who could write; `None` where something is missing then.
fn listen(mut output: impl Read, sink: &dyn Sink) -> Result<Option<Rehearsal>, Failure> {
    let (mut ran, mut found, mut fault) = (None, None, None);
    let mut inbox = Inbox::default();
    loop {
        match inbox.hear(&mut output) {
            Ok(Some(Heard::Message(Up::Event(body)))) => sink.emit(body),
            Ok(Some(Heard::Message(Up::Ran(done)))) => ran = Some(*done),
            Ok(Some(Heard::Message(Up::Found(done)))) => found = Some(*done),
            Ok(Some(Heard::Message(Up::Fault(failure)))) => fault = fault.or(Some(failure)),
            Ok(Some(Heard::Bytes(_))) => return Err(broken("bytes that belong to no message")),
            Ok(None) => break,
            // A process that was killed while it wrote; how it ended says more.
            Err(Broken::Pipe(error)) if error.kind() == ErrorKind::UnexpectedEof => break,
            Err(error) => return Err(broken(error)),
        }
    }
    match fault {
        Some(failure) => Err(failure),
        None => Ok(ran.zip(found).map(|(ran, found)| put_together(ran, found))),
    }
}

fn broken(error: impl Display) -> Failure {
    Failure::io("talk over", "the pipe of the rehearsal", error)
}

fn put_together(ran: Ran, mut found: Found) -> Rehearsal {
    // dpkg names the list of a package that may be there for several architectures `name:arch`.
    let base = |name: &str| name.split_once(':').map_or(name.to_owned(), |(base, _)| base.to_owned());
    let files_of = |package: RehearsedPackage| {
        let exact = found.owned.get(&package.name).copied();
        let files = exact.unwrap_or_else(|| {
            found.owned.iter().filter(|(name, _)| base(name) == package.name).map(|(_, count)| count).sum()
        });
        RehearsedPackage { files, ..package }
    };
    let is_kernel = |line: &String| {
        ["set_sysctl ", "mount ", "remount ", "unmount "].iter().any(|verb| line.starts_with(verb))
    };
    let (kernel, recorded): (Vec<String>, Vec<String>) = ran.recorded.into_iter().partition(is_kernel);
    let units = super::units::changes(&recorded, &found.files);
    let starts = |act: &String| act.starts_with("start") || act.starts_with("restart");
    let started = units.iter().filter(|unit| unit.acts.iter().any(starts)).map(|unit| unit.name.as_str());
    let started = started.collect::<Vec<_>>().join(", ");
    let mut notes = std::mem::take(&mut found.notes);
    notes.extend(super::unmounted::mark(&ran.mounted, &mut found.files));
    notes.extend(kernel.into_iter().map(|line| {
        format!("the kernel is the machine's own and is left alone: whether it takes `{line}` is not told")
    }));
    if recorded.iter().any(|line| line == "reboot") {
        notes.push("the machine is not rebooted: what would be done after it is done without".to_owned());
    }
    if !started.is_empty() {
        notes.push(format!(
            "no service is started: whether it comes up, and what it writes then, is not told ({started})"
        ));
    }
    Rehearsal {
        report: ran.report,
        units,
        files: found.files,
        packages: ran.packages.into_iter().map(files_of).collect(),
        accounts: ran.accounts,
        folded: found.folded,
        unsettled: ran.unsettled,
        notes,
    }
}
