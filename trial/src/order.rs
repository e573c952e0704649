//! One order to a box, given as a push gives it to any host, and what came of it. Nobody is asked: a box is there to be changed.

use crate::course::Course;
use crate::drill::changes;
use crate::outcome::Fault;
use crate::suite::BoxCase;
use agent::os::host::Mask;
use dsl::{Entry, Request, TestsWanted};
use fleet::{
    Controller, End, Endpoint, Password, Patience, Places, Prepared, Push, RecordedNames, Remote, Resume,
    Stage, Target, UnknownKeys,
};
use model::{
    CheckResult, CheckSide, CheckSpec, Diagnostic, DrillSpec, Drilled, Event, EventBody, Facts, Id,
    NodeStatus, Origin, Report, RunSummary, Secrets, Severity,
};
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use wire::{Ending, NoBlobs, Order, Reply, Rollback, Terms, Which, Work};

/// What is wanted of a box.
#[derive(Clone, Debug)]
pub enum Wanted {
    /// It is to be as its test's subject says.
    Converged,
    /// It is to be looked at.
    Checked(Vec<CheckSpec>),
    /// It is to be told what an apply would change.
    Planned,
    /// It is to have a fault.
    Faulty(model::Fault),
    /// It is to be without this one.
    Mended(model::Fault),
    /// It is to list its runs.
    Runs,
    /// It is to be as it was before this run.
    RolledBack(u64),
}

/// What came of an order.
#[derive(Debug)]
pub struct Asked {
    end: End,
    told: Told,
}

/// What was told meanwhile.
#[derive(Clone, Debug, Default)]
struct Told {
    nodes: Vec<Node>,
    started: Option<String>,
    mask: Mask,
    report: Report,
    errors: Vec<String>,
    refusals: Vec<Fault>,
    checks: Vec<CheckSpec>,
    drills: Vec<DrillSpec>,
    results: Vec<CheckResult>,
    changes: Vec<String>,
    drilled: Option<Drilled>,
    runs: Option<Vec<RunSummary>>,
}

/// A node that was settled.
#[derive(Clone, Debug)]
pub struct Node {
    /// Which.
    pub id: Id,
    /// Where it was declared.
    pub origin: Option<Origin>,
    /// How it ended.
    pub status: NodeStatus,
    /// What was done.
    pub changes: Vec<String>,
    /// Why it failed or was skipped.
    pub because: String,
}

impl Asked {
    /// Gives the order and waits for its end. `enter` makes a way into the box; `name` is what the user is told that it is called.
    pub fn of(
        course: &Course<'_>,
        case: &BoxCase,
        (name, enter): (&str, &dyn Fn() -> Box<dyn Remote>),
        wanted: Wanted,
    ) -> Self {
        let desk = Desk { course, case, wanted, told: Mutex::default() };
        let target = Target { name: name.to_owned(), endpoint: Ok(endpoint(name)) };
        // One connection, made in this thread: a box belongs to the thread that made it.
        let ways: Mutex<Vec<Box<dyn Remote>>> = Mutex::new((0..WAYS).map(|_| enter()).collect());
        let connect = |_: &Endpoint| {
            let way = ways.lock().unwrap_or_else(PoisonError::into_inner).pop();
            way.ok_or_else(|| fleet::Trouble::Here("the box was entered too often".to_owned()))
        };
        // What is to be as it was is to be so above all when it is to stop.
        let is_back = matches!(desk.wanted, Wanted::Mended(_) | Wanted::RolledBack(_) | Wanted::Runs);
        let never = AtomicBool::new(false);
        let ends = fleet::push(&Push {
            targets: &[target],
            parallel: 1,
            connect: &connect,
            password: &Password::never(),
            agents: course.agents,
            places: Places::default(),
            patience: Patience::default(),
            controller: &desk,
            stop: if is_back { &never } else { course.stop },
            detach: &AtomicBool::new(false),
            runs: None,
            resume: Resume::No,
            wait: Duration::ZERO,
        });
        let end = ends.into_iter().next().map(|(_, end)| end);
        let end = end.unwrap_or_else(|| End::Refused("nothing was done".to_owned()));
        Self { end, told: desk.told.into_inner().unwrap_or_else(PoisonError::into_inner) }
    }

    /// How it ended.
    pub fn end(&self) -> &End {
        &self.end
    }

    /// How many nodes ended how.
    pub fn report(&self) -> &Report {
        &self.told.report
    }

    /// Nodes that ended so.
    pub fn nodes(&self, is_meant: impl Fn(NodeStatus) -> bool) -> impl Iterator<Item = &Node> {
        self.told.nodes.iter().filter(move |node| is_meant(node.status))
    }

    /// What hides the secrets that it was given.
    pub fn mask(&self) -> &Mask {
        &self.told.mask
    }

    /// What is wrong with the site, for this box.
    pub fn refusals(&self) -> &[Fault] {
        &self.told.refusals
    }

    /// The checks that the box is to pass.
    pub fn checks(&self) -> &[CheckSpec] {
        &self.told.checks
    }

    /// The drills that it is to have.
    pub fn drills(&self) -> &[DrillSpec] {
        &self.told.drills
    }

    /// What a plan would change, each by its name.
    pub fn changes(&self) -> &[String] {
        &self.told.changes
    }

    /// What became of a fault.
    pub fn drilled(&self) -> Option<&Drilled> {
        self.told.drilled.as_ref()
    }

    /// The number of the last run, where it was asked for; 0 where there was none.
    pub fn last_run(&self) -> Option<u64> {
        self.runs().map(|runs| runs.iter().map(|run| run.begin.run).max().unwrap_or(0))
    }

    /// The runs that the box lists, where it was asked for them.
    pub fn runs(&self) -> Option<&[RunSummary]> {
        self.told.runs.as_deref()
    }

    /// The run that the order made, also where its report did not come.
    pub fn run(&self) -> Option<u64> {
        let run = self.told.report.run.as_ref().or(self.told.started.as_ref());
        run.and_then(|run| run.parse().ok())
    }

    /// What came of checks.
    pub fn results(&self) -> &[CheckResult] {
        &self.told.results
    }

    /// Why there is no good end, in words.
    pub fn why(&self) -> String {
        let end = match &self.end {
            End::Ended(Ending::Refused(failure)) => failure.to_string(),
            End::Ended(ending) => format!("{ending:?}").to_lowercase(),
            End::Trouble(trouble) => trouble.to_string(),
            End::Refused(why) => why.clone(),
        };
        std::iter::once(end).chain(self.told.errors.iter().cloned()).collect::<Vec<_>>().join("; ")
    }
}

/// What a run of a test is called in the journal of the box.
pub fn command(test: &str) -> String {
    format!("test {test}")
}

/// How many seconds a rollback waits for a run that is under way.
const WAIT: u64 = 300;
/// A run that loses its connection comes back over others, a few times.
const WAYS: usize = 16;

/// Who wants it.
struct Desk<'a> {
    course: &'a Course<'a>,
    case: &'a BoxCase,
    wanted: Wanted,
    told: Mutex<Told>,
}

impl Desk<'_> {
    fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn converge(&self, facts: &Facts) -> Result<Prepared, Vec<Diagnostic>> {
        let BoxCase { name, home, subject, .. } = self.case;
        let subjects = self.course.subjects;
        let compile = |request: &Request<'_>| {
            // A file is in no site: its checks are those beside the box.
            let own = matches!(request.entry, Entry::File(_)).then(|| Path::new(&self.case.origin.file));
            let wanted = TestsWanted { file: own, subjects, faults: agent::drills::FAULTS };
            Ok((dsl::compile(request)?, dsl::tests(request, &wanted)?))
        };
        let (compiled, tests) = subject.with_request(home, (facts, self.course.means), compile)?;
        // Nobody reaches a box from outside: what is looked at from elsewhere on hosts is looked at from inside here.
        let inside = |check| CheckSpec { from: CheckSide::Host, ..check };
        let is_meant = |check: &CheckSpec| is_of(self.case, &check.origin.file);
        self.told().checks = tests.checks.into_iter().filter(is_meant).map(inside).collect();
        let drills = tests.drills.into_iter().filter(|drill| is_of(self.case, &drill.origin.file));
        self.told().drills = drills.collect();
        let work = Work {
            catalog: compiled.catalog,
            scope: format!("test {name}"),
            command: command(name),
            terms: terms(),
            ..Work::default()
        };
        let secrets = compiled.secrets.values().map(|secret| secret.expose().as_slice());
        self.told().mask = Mask::default().with(secrets);
        let blobs = (self.course.contents)(compiled.blobs, compiled.trees);
        let order =
            if matches!(self.wanted, Wanted::Planned) { Order::Plan(work) } else { Order::Apply(work) };
        Ok(Prepared { order, secrets: compiled.secrets, blobs })
    }
}

/// Whether a box is to pass the checks of a file: of its own, and of other modules that it uses. The files beside its own are about other
/// boxes.
fn is_of(case: &BoxCase, file: &str) -> bool {
    let place = Path::new(file).parent().unwrap_or(Path::new(""));
    file == case.origin.file || place != case.home.tests() && place != case.home.root().join("tests")
}

/// Nobody can be locked out of a box.
fn terms() -> Terms {
    Terms { confirm: Some(0), ..Terms::default() }
}

impl Controller for Desk<'_> {
    fn order(&self, _: &str, facts: &Facts) -> Result<Prepared, String> {
        let order = match &self.wanted {
            Wanted::Converged | Wanted::Planned => None,
            Wanted::Faulty(fault) => Some(Order::Drill(fault.clone())),
            Wanted::Mended(fault) => Some(Order::EndDrill { name: fault.name.clone(), by: fault.by.clone() }),
            Wanted::Runs => Some(Order::History),
            Wanted::Checked(checks) => Some(Order::Check(checks.clone())),
            Wanted::RolledBack(run) => {
                // What the box goes on with by itself, without a connection, has to have come to its end.
                let terms = Terms { wait: Some(WAIT), ..terms() };
                let rollback = Rollback { which: Which::One(*run), force: false, forecast: false, terms };
                Some(Order::Rollback(rollback))
            }
        };
        if let Some(order) = order {
            return Ok(Prepared { order, secrets: Secrets::default(), blobs: Box::new(NoBlobs) });
        }
        self.converge(facts).map_err(|found| {
            for one in found.iter().filter(|one| one.severity == Severity::Error) {
                let origin =
                    one.labels.first().map_or_else(|| self.case.origin.clone(), |label| label.span.origin());
                let help = one.help.iter().map(|help| format!(": {help}")).collect::<String>();
                let message = format!("{}: {}{help}", one.code, one.message);
                self.told().refusals.push(Fault { origin, message });
            }
            "it does not compile".to_owned()
        })
    }

    fn stage(&self, _: &str, _: Stage) {}

    fn event(&self, _: &str, event: &Event) {
        let mut told = self.told();
        match event.body.clone() {
            EventBody::Node { id, origin, status, changes, because, .. } => {
                told.nodes.push(Node { id, origin, status, changes, because });
            }
            EventBody::Started { run } => told.started = Some(run),
            EventBody::Report(report) => told.report = report,
            EventBody::Error { text } => told.errors.push(text),
            EventBody::Plan(plan) => told.changes = changes(&plan),
            _ => {}
        }
    }

    fn reply(&self, _: &str, reply: Reply) {
        match reply {
            Reply::Checks(results) => self.told().results = results,
            Reply::Drill(drilled) => self.told().drilled = Some(drilled),
            Reply::History(runs) => self.told().runs = Some(runs),
            _ => {}
        }
    }

    fn answer(&self, _: &str) -> Option<bool> {
        Some(true)
    }

    fn note(&self, _: &str, _: &str) {}

    fn ended(&self, _: &str, _: &End) {}
}

/// What a transport is told of a host; of a box only the names count.
fn endpoint(name: &str) -> Endpoint {
    Endpoint {
        alias: name.to_owned(),
        host: name.to_owned(),
        port: 22,
        user: "root".to_owned(),
        identities: Vec::new(),
        identities_only: true,
        agent: None,
        jumps: Vec::new(),
        known_hosts: Vec::new(),
        recorded_names: RecordedNames::Plain,
        host_key_alias: None,
        host_keys: Vec::new(),
        unknown_keys: UnknownKeys::Refuse,
        connect_timeout: Duration::from_secs(30),
        alive_interval: Duration::ZERO,
        alive_count: 3,
        keep: Duration::ZERO,
        needs_openssh: None,
        openssh_options: Vec::new(),
        openssh_config: None,
    }
}
