//! Going on with a run after the machine was rebooted: the same run, its journal and its events. The boot id proves that the reboot
//! happened. What does not come back by itself is closed here, or left to the next run as any that was cut off.

use super::apply::settle_failure;
use super::before::Before;
use super::comeback::{Kept, forget, kept};
use super::going::{Begun, go_on};
use super::guard::Sentry;
use super::job::{Clock, Ended, Job, boot_id};
use super::plan::plan_graph;
use crate::engine::{Choice, Faults, Graph, Locks, Log, Sink};
use crate::os::host::Host;
use crate::os::lock::{Holder, Lock};
use crate::state::{EventLog, FileLog, Ledger, Past, Read, StateDir, Taken};
use model::{EventBody, Failure, Gather, Op, Outcome, Owed, Record, Report, Resumed, Status};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How long somebody else may have the host before the run that waits is left to the next one.
const PATIENCE: Duration = Duration::from_secs(120);

/// Goes on with the run that waits for that, if one does, to its end.
///
/// # Errors
/// The host's state could not be read or written, or is somebody else's for too long.
pub fn resume(
    (state, sentry): (&StateDir, &dyn Sentry),
    clock: Clock<'_>,
    stop: &AtomicBool,
) -> Result<(), Ended> {
    let Some(run) = state.goes_on()? else { return Ok(()) };
    let _lock = take_in_time(state, clock, run)?;
    // Whoever had it may have taken it up.
    if state.goes_on()? != Some(run) {
        return Ok(());
    }
    let boot = boot_id();
    if !came_back(&state.status(run)?, &boot) {
        return Ok(forget((state, run), sentry)?);
    }
    let (log, status) = FileLog::resume(state, run)?;
    let events = EventLog::new(&|_| (), clock);
    events.resume(state, run)?;
    let back = Back { run, log, status, events: &events };
    let report = back.go_on((state, sentry), Resumed { at: clock(), boot }, (clock, stop))?;
    events.emit(EventBody::Report(report));
    Ok(())
}

fn take_in_time(state: &StateDir, clock: Clock<'_>, run: u64) -> Result<Lock, Ended> {
    let (start, run) = (Instant::now(), run.to_string());
    let holder = Holder {
        pid: std::process::id(),
        run,
        since: clock(),
        command: "going on after a reboot".to_owned(),
    };
    loop {
        match state.lock(&holder)? {
            Taken::Ours(lock) => return Ok(lock),
            Taken::Theirs(who) if start.elapsed() >= PATIENCE => return Err(Ended::Locked(who)),
            Taken::Theirs(_) => sleep(Duration::from_millis(200)),
        }
    }
}

/// True for a run that went down with the machine because it wanted to. One that was killed before that is cut off, and does not make
/// the machine go down again.
fn came_back(read: &Read, boot: &str) -> bool {
    let Read::Whole(status) = read else { return false };
    status.end.is_none() && status.boot() != boot && reboot(status).is_some()
}

/// The number of the reboot that was announced last and not settled.
fn reboot(status: &Status) -> Option<u64> {
    let open = |seq: &&u64| {
        let act = &status.acts[*seq];
        act.op == Op::Reboot && act.outcome == Outcome::Open
    };
    status.acts.keys().rev().find(open).copied()
}

/// A run that is back.
struct Back<'a> {
    run: u64,
    log: FileLog,
    status: Status,
    events: &'a EventLog<'a>,
}

impl Back<'_> {
    fn go_on(
        mut self,
        (state, sentry): (&StateDir, &dyn Sentry),
        resumed: Resumed,
        (clock, stop): (Clock<'_>, &AtomicBool),
    ) -> Result<Report, Failure> {
        let kept = kept(state, self.run);
        self.settle(resumed)?;
        // From here on the end of this process, or of the machine, cuts the run off like any other: it does not come back again and again.
        forget((state, self.run), sentry)?;
        let kept = match kept {
            Ok(Some(kept)) => kept,
            Ok(None) => {
                return self.fail(&Failure::Missing { what: "what the run needs to go on".to_owned() });
            }
            Err(failure) => return self.fail(&failure),
        };
        let Kept { work, secrets, .. } = kept;
        let store = Arc::new(state.store());
        let host = Host::new(store.clone());
        host.mask(&secrets);
        let job = Job {
            catalog: &work.catalog,
            secrets: &secrets,
            blobs: &*store,
            kinds: crate::kinds::LIVE,
            scope: &work.scope,
            choice: Choice {
                only: work.only.clone(),
                skip: work.skip.clone(),
                locks: Locks::honoured(),
                ..Choice::default()
            },
            system: &host,
            state,
            events: self.events,
            clock,
            command: work.command.clone(),
            terms: &work.terms,
            sentry,
            stop,
            faults: Faults::default(),
        };
        self.carry_out(&job)
    }

    /// Writes down that the machine was rebooted, which answers who asked for it.
    fn settle(&mut self, resumed: Resumed) -> Result<(), Failure> {
        let boot = resumed.boot.clone();
        self.append(Record::Resumed(resumed))?;
        if let Some(seq) = reboot(&self.status) {
            self.append(Record::Done { seq, after: Vec::new(), touched: Vec::new() })?;
            let nodes = self.status.acts[&seq].nodes.clone();
            let answered = self.status.owed.iter().filter(|owed| nodes.contains(&owed.to));
            for owed in answered.cloned().gather::<BTreeSet<Owed>>() {
                self.append(Record::Settled(owed))?;
            }
        }
        self.events.emit(EventBody::Resumed { boot });
        Ok(())
    }

    fn append(&mut self, record: Record) -> Result<(), Failure> {
        self.log.append(record.clone())?;
        self.status.next(record).map_err(|misplaced| Failure::unknown("the run", misplaced.to_string()))
    }

    /// What is left is planned as for any run: what was done is as wanted now.
    fn carry_out(self, job: &Job<'_>) -> Result<Report, Failure> {
        let past = Past { next: self.run, owed: self.status.owed.clone(), ..Past::default() };
        let planned = Graph::load(job.catalog, job.secrets, job.kinds).and_then(|graph| {
            let (ledger, _) = Ledger::read(job.state)?;
            let plan = plan_graph(job, &graph, (&past, &ledger))?;
            Ok((graph, ledger, plan))
        });
        let (graph, mut ledger, plan) = match planned {
            Ok(planned) => planned,
            Err(failure) => return self.fail(&failure),
        };
        let before = Before::of(&self.status, (job.state, self.run));
        let (events, begun) = (self.events, Begun { run: self.run, log: self.log, owed: past.owed, before });
        match go_on((job, &mut ledger), &graph, &plan, begun) {
            Ok(report) => {
                if !report.is_converged() {
                    settle_failure(job, &report)?;
                }
                Ok(report)
            }
            Err(Ended::Broken { report, failure }) => {
                events.emit(EventBody::Error { text: failure.to_string() });
                Ok(*report)
            }
            Err(Ended::Failed(failure)) => Err(failure),
            Err(Ended::Locked(_) | Ended::SoftLocked(_) | Ended::Declined(_)) => {
                unreachable!("nobody is asked any more")
            }
        }
    }

    /// Ends the run where it cannot go on. What it owes is kept for the next one.
    fn fail(mut self, failure: &Failure) -> Result<Report, Failure> {
        let text = format!("the run could not go on after the reboot: {failure}");
        self.events.emit(EventBody::Error { text });
        let done = self.status.acts.values().filter(|act| matches!(act.outcome, Outcome::Done(..)));
        let changed = done.flat_map(|act| &act.nodes).gather::<BTreeSet<_>>().len() as u64;
        let report = Report { run: Some(self.run.to_string()), changed, failed: 1, ..Report::default() };
        self.log.end(report.clone(), &self.status.owed)?;
        Ok(report)
    }
}

#[expect(clippy::disallowed_methods, reason = "prepares and damages scratch files")]
#[cfg(test)]
mod tests {
    use super::resume;
    use crate::engine::{Log, Sink};
    use crate::session::NoSentry;
    use crate::session::comeback::{awaited, needs};
    use crate::session::job::boot_id;
    use crate::state::{EventLines, EventLog, FileLog, Read, StateDir};
    use model::{
        Begin, Catalog, Common, Event, EventBody, HostPath, Id, JOURNAL_VERSION, Node, NodeStatus, Op,
        Record, Report, Secrets, Status,
    };
    use serde_json::{Value, json};
    use std::collections::BTreeSet;
    use std::path::PathBuf;
    use std::sync::atomic::AtomicBool;
    use wire::Work;

    fn clock() -> String {
        "2026-01-01T00:00:00.000Z".to_owned()
    }

    /// A run that wrote one file and went down, under the boot id `boot`, before it wrote the other.
    struct Down {
        dir: tempfile::TempDir,
        state: StateDir,
    }

    impl Down {
        fn under(boot: &str) -> Self {
            let dir = tempfile::tempdir().unwrap();
            let state = StateDir::new(dir.path().join("state"));
            state.make().unwrap();
            let down = Self { dir, state };
            std::fs::write(down.path("first"), "done").unwrap();
            let begin = Begin { version: JOURNAL_VERSION, run: 1, boot: boot.to_owned(), ..Begin::default() };
            let mut log = FileLog::begin(&down.state, begin, &BTreeSet::new()).unwrap();
            let path = HostPath::new(down.path("first")).unwrap();
            let intent = |seq, id: Id, op| Record::Intent {
                seq,
                nodes: vec![id],
                op: Box::new(op),
                before: Vec::new(),
                packages: None,
            };
            log.append(intent(1, down.id("first"), Op::Remove { path })).unwrap();
            log.append(Record::Done { seq: 1, after: Vec::new(), touched: Vec::new() }).unwrap();
            log.append(intent(2, Id::new("reboot", "x"), Op::Reboot)).unwrap();
            let events = EventLog::new(&|_| (), &clock);
            events.begin(&down.state, 1).unwrap();
            events.emit(EventBody::Started { run: "1".to_owned() });
            let (id, status) = (down.id("first"), NodeStatus::Changed);
            let (changes, because) = (Vec::new(), String::new());
            events.emit(EventBody::Node { id, origin: None, status, changes, because, millis: 1 });
            down.seal();
            down
        }

        fn path(&self, name: &str) -> PathBuf {
            self.dir.path().join(name)
        }

        fn id(&self, name: &str) -> Id {
            Id::new("file", self.path(name).display().to_string())
        }

        fn seal(&self) {
            let mut secrets = Secrets::default();
            let secret = secrets.keep("word".to_owned(), b"hunter2".to_vec());
            let ours = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
            let node = |name: &str, content: Value| {
                let params = json!({ "content": content, "owner": ours.0, "group": ours.1, "mode": "0644" });
                Node { id: self.id(name), origins: Vec::new(), params, common: Common::default() }
            };
            let nodes = vec![node("first", json!("done")), node("second", secret)];
            let catalog = Catalog::new(nodes, Vec::new()).unwrap();
            let plain = needs(Work { catalog, ..Work::default() }, &secrets).unwrap();
            self.state.seal(1, &plain).unwrap();
        }

        fn resume(&self) {
            resume((&self.state, &NoSentry), &clock, &AtomicBool::new(false)).unwrap();
            assert_eq!(self.state.goes_on().unwrap(), None, "it comes back once");
        }

        fn status(&self) -> Status {
            let Read::Whole(status) = self.state.status(1).unwrap() else { panic!("a whole journal") };
            *status
        }

        fn events(&self) -> Vec<Event> {
            let mut lines = EventLines::new(&self.state, 1);
            std::iter::from_fn(|| lines.following().unwrap()).collect()
        }
    }

    #[test]
    fn what_was_left_is_done_under_the_same_number() {
        let down = Down::under("another");
        down.resume();
        assert_eq!(std::fs::read(down.path("second")).unwrap(), b"hunter2");
        let status = down.status();
        let report = Report { run: Some("1".to_owned()), changed: 2, ..Report::default() };
        assert_eq!(status.end, Some(report.clone()));
        assert_eq!((status.resumed.len(), status.resumed[0].boot.clone()), (1, boot_id()));
        assert_eq!(status.acts.keys().copied().collect::<Vec<_>>(), [1, 2, 3]);
        let events = down.events();
        assert!(events.iter().enumerate().all(|(at, event)| event.seq == at as u64));
        let told = |name: &str| {
            let is_it =
                |event: &&Event| matches!(&event.body, EventBody::Node { id, .. } if *id == down.id(name));
            events.iter().filter(is_it).count()
        };
        assert_eq!((told("first"), told("second")), (1, 1), "none is told twice");
        assert_eq!(events.last().unwrap().body, EventBody::Report(report));
    }

    #[test]
    fn a_run_that_was_killed_before_the_machine_went_down_is_left_to_the_next() {
        let down = Down::under(&boot_id());
        down.resume();
        assert!(!down.path("second").exists());
        let status = down.status();
        assert!(status.end.is_none() && status.resumed.is_empty());
    }

    #[test]
    fn a_host_that_goes_down_for_a_run_is_left_to_it() {
        let down = Down::under(&boot_id());
        let who = awaited(&down.state).unwrap().unwrap();
        assert!(who.starts_with("run 1,") && who.contains("going down"), "{who}");
        std::fs::write(down.state.run_dir(1).join("goes-on"), "damaged").unwrap();
        assert_eq!(awaited(&down.state).unwrap(), None);
    }

    #[test]
    fn one_that_was_settled_does_not_come_back_again() {
        let down = Down::under("another");
        down.resume();
        std::fs::remove_file(down.path("second")).unwrap();
        down.seal();
        down.resume();
        assert!(!down.path("second").exists());
    }

    #[test]
    fn what_cannot_be_read_ends_the_run_as_failed() {
        let down = Down::under("another");
        std::fs::write(down.state.run_dir(1).join("goes-on"), "damaged").unwrap();
        down.resume();
        let end = down.status().end.unwrap();
        assert_eq!((end.changed, end.failed), (2, 1));
        let is_error =
            |event: &Event| matches!(&event.body, EventBody::Error { text } if text.contains("damaged"));
        assert!(down.events().iter().any(is_error));
    }
}
