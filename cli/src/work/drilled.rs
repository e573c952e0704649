//! Live hosts as drills need them, and who sets up agents: one order after the other, of one host, with nothing shown of it. What is made of
//! the answers of drills is known to `trial::drill`.

use super::crew::{Hosts, Machine};
use super::login::Login;
use super::push::{beside_this_program, targets};
use crate::blobs::SiteBlobs;
use crate::library::Files;
use crate::site::{Refusal, Site};
use crate::view;
use dsl::{Compiled, Tests};
use fleet::{Agents, Controller, End, Endpoint, Patience, Places, Prepared, Push, Resume, Stage, Target};
use model::{CheckResult, CheckSide, CheckSpec, Drilled as Became, Event, EventBody, Facts, Fault, Secrets};
use std::sync::atomic::AtomicBool;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use trial::drill::{Drilled, Put, changes};
use wire::{Ending, NoBlobs, Order, Reply, Terms, Work};

/// All hosts of a call.
pub struct Fleet<'a> {
    site: &'a Site,
    files: &'a Files,
    hosts: &'a Hosts,
    targets: Vec<Target>,
    login: Login,
    agents: Agents,
    stop: &'a AtomicBool,
}

impl<'a> Fleet<'a> {
    /// Connects to nobody yet.
    pub fn new(
        hosts: &'a Hosts,
        (site, files): (&'a Site, &'a Files),
        stop: &'a AtomicBool,
    ) -> anyhow::Result<Self> {
        let agents = Agents::beside(&beside_this_program()?);
        agents.look()?;
        let targets = targets(hosts)?;
        let login = Login::new(hosts, &targets, files.vault.keyring());
        Ok(Self { site, files, hosts, targets, login, agents, stop })
    }

    /// Each of them, in order.
    pub fn each(&self) -> impl Iterator<Item = Live<'_>> {
        self.hosts.list.iter().zip(&self.targets).map(|(machine, target)| Live {
            fleet: self,
            machine,
            target,
        })
    }
}

/// One host.
pub struct Live<'a> {
    fleet: &'a Fleet<'a>,
    machine: &'a Machine,
    target: &'a Target,
}

/// What is wanted of it.
enum Wanted {
    /// Nothing: to know what its tests say.
    Tests,
    /// A plan, or an apply.
    Catalog(fn(Work) -> Order),
    /// This.
    Same(Box<Order>),
}

/// What came of an order.
#[derive(Default)]
struct Told {
    tests: Option<Tests>,
    errors: Vec<String>,
    changes: Vec<String>,
    reply: Option<Reply>,
}

impl Live<'_> {
    /// What it is called.
    pub fn name(&self) -> &str {
        &self.machine.name
    }

    /// Its checks and drills.
    ///
    /// Errors with how the attempt to reach it ended, and why.
    pub fn tests(&self) -> Result<Tests, (End, String)> {
        let (end, mut told) = self.ask(Wanted::Tests);
        told.tests.take().ok_or_else(|| {
            let why = why(&end, &told);
            (end, why)
        })
    }

    /// The settings of its agent, which stand at `path`; `None` where there are none.
    #[cfg(all(target_os = "linux", not(feature = "elsewhere")))]
    pub fn settings(&self, path: &str) -> Result<Option<String>, String> {
        let (end, told) = self.same(Order::Settings { path: path.to_owned() });
        match told.reply {
            Some(Reply::Settings(text)) => Ok(text),
            _ => Err(why(&end, &told)),
        }
    }

    fn ask(&self, wanted: Wanted) -> (End, Told) {
        let never = AtomicBool::new(false);
        // A fault is taken back above all when the user wants to stop.
        let is_end = matches!(&wanted, Wanted::Same(order) if matches!(**order, Order::EndDrill { .. }));
        let desk = Desk { live: self, wanted, told: Mutex::default() };
        let Fleet { login, agents, stop, hosts, .. } = self.fleet;
        let target = Target { name: self.target.name.clone(), endpoint: self.target.endpoint.clone() };
        let ends = fleet::push(&Push {
            targets: &[target],
            parallel: 1,
            connect: &|endpoint: &Endpoint| login.connect(endpoint, &|_, text| view::remark(text)),
            password: &hosts.sudo,
            agents,
            places: Places::default(),
            patience: Patience::default(),
            controller: &desk,
            stop: if is_end { &never } else { stop },
            detach: &AtomicBool::new(false),
            runs: None,
            resume: Resume::No,
            wait: Duration::from_secs(hosts.connection.wait_ssh.unwrap_or_default()),
        });
        let end = ends.into_iter().next().map(|(_, end)| end);
        let end = end.unwrap_or_else(|| End::Refused("nothing was done".to_owned()));
        (end, desk.told.into_inner().unwrap_or_else(PoisonError::into_inner))
    }

    fn same(&self, order: Order) -> (End, Told) {
        self.ask(Wanted::Same(Box::new(order)))
    }

    fn prepare(&self, wanted: &Wanted, facts: &Facts) -> Result<(Prepared, Option<Tests>), Refusal> {
        let Fleet { site, files, .. } = self.fleet;
        let plain = |order| Prepared { order, secrets: Secrets::default(), blobs: Box::new(NoBlobs) };
        let host = self.machine.host.as_deref();
        match wanted {
            Wanted::Tests => Ok((plain(Order::Facts), Some(site.tests(host, facts, files)?))),
            Wanted::Same(order) => Ok((plain(Order::clone(order)), None)),
            Wanted::Catalog(order) => {
                let Compiled { catalog, secrets, blobs, trees, project, keep, .. } =
                    site.compile(host, facts, files)?;
                let work = Work {
                    catalog,
                    scope: site.scope(host, project.as_deref())?,
                    command: format!("drill {}", site.words(&[self.name()])),
                    terms: Terms { keep_runs: keep.runs, keep_days: keep.days, ..Terms::default() },
                    ..Work::default()
                };
                let blobs = SiteBlobs::new(blobs, trees).within(files.bundle.clone());
                Ok((Prepared { order: order(work), secrets, blobs: Box::new(blobs) }, None))
            }
        }
    }
}

/// Why there is no good end, in words.
fn why(end: &End, told: &Told) -> String {
    let end = match end {
        End::Ended(Ending::Refused(failure)) => failure.to_string(),
        End::Ended(_) if !told.errors.is_empty() => return told.errors.join("; "),
        End::Ended(ending) => format!("it ended {}", format!("{ending:?}").to_lowercase()),
        End::Trouble(trouble) => trouble.to_string(),
        End::Refused(why) => why.clone(),
    };
    std::iter::once(end).chain(told.errors.iter().cloned()).collect::<Vec<_>>().join("; ")
}

impl Drilled for Live<'_> {
    fn locked(&self) -> Result<Option<String>, String> {
        let (end, told) = self.same(Order::Locks);
        match told.reply {
            Some(Reply::Locks(locks)) => Ok(locks.first().map(view::lock)),
            _ => Err(why(&end, &told)),
        }
    }

    fn look(&self, checks: &[CheckSpec]) -> Result<Vec<CheckResult>, String> {
        let (outside, inside): (Vec<CheckSpec>, Vec<CheckSpec>) =
            checks.iter().cloned().partition(|check| check.from == CheckSide::Keel);
        let mut found = Vec::new();
        if !inside.is_empty() {
            let (end, told) = self.same(Order::Check(inside));
            match told.reply {
                Some(Reply::Checks(results)) => found.extend(results),
                _ => return Err(why(&end, &told)),
            }
        }
        if !outside.is_empty() {
            let address = self.target.endpoint.as_ref().map_err(ToString::to_string)?.host.clone();
            found.extend(checks::look_from_keel(&outside, &address, self.fleet.stop));
        }
        let at = |result: &CheckResult| checks.iter().position(|check| check.name == result.name);
        found.sort_by_key(at);
        Ok(found)
    }

    fn plan(&self) -> Result<Vec<String>, String> {
        let (end, told) = self.ask(Wanted::Catalog(Order::Plan));
        match end {
            End::Ended(Ending::Unchanged | Ending::Pending) => Ok(told.changes),
            _ => Err(why(&end, &told)),
        }
    }

    fn apply(&self) -> Result<(), String> {
        let (end, told) = self.ask(Wanted::Catalog(Order::Apply));
        match end {
            End::Ended(Ending::Unchanged | Ending::Changed) => Ok(()),
            _ => Err(why(&end, &told)),
        }
    }

    fn put(&self, fault: &Fault) -> Result<Put, String> {
        let (end, told) = self.same(Order::Drill(fault.clone()));
        match (&end, &told.reply) {
            (End::Ended(Ending::Unchanged), Some(Reply::Drill(Became::Begun(text)))) => {
                Ok(Put::There(text.clone()))
            }
            (End::Ended(Ending::Unchanged), Some(Reply::Drill(Became::Impossible(text)))) => {
                Ok(Put::Impossible(text.clone()))
            }
            (End::Ended(Ending::Locked), _) => Ok(Put::Locked(why(&end, &told))),
            _ => Err(why(&end, &told)),
        }
    }

    fn take_back(&self, fault: &Fault) -> Result<Option<String>, String> {
        let order = Order::EndDrill { name: fault.name.clone(), by: fault.by.clone() };
        let (end, told) = self.same(order);
        match (&end, &told.reply) {
            (End::Ended(Ending::Unchanged), Some(Reply::Drill(Became::Undone(text)))) => {
                Ok(Some(text.clone()))
            }
            (End::Ended(Ending::Unchanged), Some(Reply::Drill(Became::Nothing))) => Ok(None),
            _ => Err(why(&end, &told)),
        }
    }

    fn last_run(&self) -> Result<u64, String> {
        let (end, told) = self.same(Order::History);
        match told.reply {
            Some(Reply::History(runs)) => Ok(runs.first().map_or(0, |run| run.begin.run)),
            _ => Err(why(&end, &told)),
        }
    }
}

/// Who gives the order. Nobody is asked: a drill is a yes.
struct Desk<'a> {
    live: &'a Live<'a>,
    wanted: Wanted,
    told: Mutex<Told>,
}

impl Desk<'_> {
    fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Controller for Desk<'_> {
    fn order(&self, _: &str, facts: &Facts) -> Result<Prepared, String> {
        match self.live.prepare(&self.wanted, facts) {
            Ok((prepared, tests)) => {
                self.told().tests = tests;
                Ok(prepared)
            }
            Err(Refusal::Diagnostics(found)) => {
                view::wrong::show(&found, crate::format::Format::Human);
                Err("it does not compile, so nothing was done there".to_owned())
            }
            Err(Refusal::Other(error)) => Err(format!("{error:#}")),
        }
    }

    fn stage(&self, _: &str, _: Stage) {}

    fn event(&self, _: &str, event: &Event) {
        match &event.body {
            EventBody::Error { text } => self.told().errors.push(text.clone()),
            EventBody::Plan(plan) => self.told().changes = changes(plan),
            _ => {}
        }
    }

    fn reply(&self, _: &str, reply: Reply) {
        self.told().reply = Some(reply);
    }

    fn answer(&self, _: &str) -> Option<bool> {
        Some(true)
    }

    fn note(&self, host: &str, text: &str) {
        view::remark(&format!("{host}: {text}"));
    }

    fn ended(&self, _: &str, _: &End) {}
}
