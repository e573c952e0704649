//! Looking at many things at once, and again at those that are not as wanted, for as long as each may take.

use super::channel::Tls;
use super::ground::{Ground, Inside, Programs};
use super::look::Look;
use super::names::Names;
use crate::system::System;
use model::{CheckEnd, CheckResult, CheckSpec, Failure, Shortfall, Thing};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

/// A host that can be read and on which programs can be run.
pub trait Machine: System + Programs + Send {}

impl<M: System + Programs + Send> Machine for M {}

/// Where it is looked from.
pub struct Scene<'a> {
    /// Opens the host anew: what one has read it keeps. `None` where the host is looked at from outside.
    pub machine: Option<&'a (dyn Fn() -> Arc<dyn Machine> + Sync)>,
    /// Where the host is to be found.
    pub address: &'a str,
    /// What speaks TLS, where something does.
    pub tls: Option<&'static dyn Tls>,
    /// Who knows the addresses of names, where it is not the host's files and name servers.
    pub names: Option<&'static dyn Names>,
    /// Becomes true when nothing more is to be tried.
    pub stop: &'a AtomicBool,
}

/// At most so many are looked at at a time: most of them wait.
const AT_ONCE: usize = 16;

/// The pause before the second try. Each later one is half as long again.
const FIRST_PAUSE: Duration = Duration::from_millis(200);

/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// So much longer than it may take a look is waited for: what keeps the time itself, as a program or a connection does, says better why.
const GRACE: Duration = Duration::from_secs(1);

/// How often somebody who pauses looks whether to stop.
const GLANCE: Duration = Duration::from_millis(50);

/// The longest text of a result, in characters.
const LONGEST_TEXT: usize = 600;

/// Looks at all of `checks`, and gives what became of them, in their order.
pub fn run(checks: &[CheckSpec], scene: &Scene<'_>) -> Vec<CheckResult> {
    let looks: Vec<Result<Arc<dyn Look>, Failure>> = checks.iter().map(decoded).collect();
    let things: Vec<Thing> = looks.iter().flatten().flat_map(|look| look.things()).collect();
    // The first look of all of them shares what it reads.
    let machine = scene.machine.map(|open| open());
    let ready = machine.as_deref().map_or(Ok(()), |machine| machine.prepare(&things));
    let all: Vec<(&CheckSpec, _)> = checks.iter().zip(&looks).collect();
    parallel::map(&all, AT_ONCE, |(check, look)| match (look, &ready) {
        (Err(failure), _) | (_, Err(failure)) => unknown(check, failure, 0),
        (Ok(look), Ok(())) => tried(check, look, (scene, machine.as_ref())),
    })
}

fn decoded(check: &CheckSpec) -> Result<Arc<dyn Look>, Failure> {
    super::decode(&check.subject, &check.params).map(|look| look.map(Arc::from)).unwrap_or_else(|| {
        let why = format!("there is no check of a {}", check.subject);
        Err(Failure::refused(why, "this agent is of another build than the keel that sent it"))
    })
}

/// Tries until it passes, or the time is over. The last try is what counts.
fn tried(
    check: &CheckSpec,
    look: &Arc<dyn Look>,
    (scene, shared): (&Scene<'_>, Option<&Arc<dyn Machine>>),
) -> CheckResult {
    let begun = Instant::now();
    let until = begun + Duration::from_secs(check.within);
    let (mut tries, mut pause) = (0, FIRST_PAUSE);
    loop {
        tries += 1;
        let fresh = if tries == 1 { None } else { scene.machine.map(|open| open()) };
        let machine = fresh.or_else(|| shared.cloned());
        let mut result = judged(check, looked(check, look, (scene, machine)), tries);
        let left = until.saturating_duration_since(Instant::now());
        if result.end == CheckEnd::Passed || left.is_zero() || !rest(pause.min(left), scene.stop) {
            result.millis = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
            return result;
        }
        pause = (pause * 3 / 2).min(LONGEST_PAUSE);
    }
}

/// Looks once, in a thread of its own. Who looks at a file system that does not answer waits in the kernel, where no deadline holds: he is left
/// there, and ends with this process.
fn looked(
    check: &CheckSpec,
    look: &Arc<dyn Look>,
    (scene, machine): (&Scene<'_>, Option<Arc<dyn Machine>>),
) -> Result<Vec<Shortfall>, Failure> {
    let (tell, told) = mpsc::channel();
    let timeout = Duration::from_secs(check.timeout.max(1));
    let (look, address, tls, names) = (Arc::clone(look), scene.address.to_owned(), scene.tls, scene.names);
    let looking = move || {
        let inside = machine.as_deref().map(|machine| Inside { system: machine, programs: machine });
        let found = look.look(&Ground { inside, address: &address, tls, names, timeout });
        // Nobody may be waiting any more.
        drop(tell.send(found));
    };
    let what = check.params.get("path").and_then(|path| path.as_str()).unwrap_or(&check.subject);
    if parallel::beside(looking).is_none() {
        return Err(Failure::unknown(what, "the system has no more threads to give"));
    }
    told.recv_timeout(timeout + GRACE).unwrap_or_else(|error| {
        let why = match error {
            RecvTimeoutError::Timeout => format!("it did not answer within {} s", timeout.as_secs()),
            RecvTimeoutError::Disconnected => "whoever looked at it has died".to_owned(),
        };
        Err(Failure::unknown(what, why))
    })
}

/// Waits; false where nothing more is to be tried.
fn rest(time: Duration, stop: &AtomicBool) -> bool {
    let until = Instant::now() + time;
    loop {
        if stop.load(Ordering::Relaxed) {
            return false;
        }
        match until.saturating_duration_since(Instant::now()) {
            Duration::ZERO => return true,
            left => thread::sleep(left.min(GLANCE)),
        }
    }
}

fn judged(check: &CheckSpec, found: Result<Vec<Shortfall>, Failure>, tries: u32) -> CheckResult {
    match found {
        Err(failure) => unknown(check, &failure, tries),
        Ok(short) => {
            let shortfalls: Vec<Shortfall> = short.into_iter().map(plain).collect();
            let end = if shortfalls.is_empty() { CheckEnd::Passed } else { CheckEnd::Failed };
            CheckResult {
                name: check.name.clone(),
                end,
                shortfalls,
                because: String::new(),
                tries,
                millis: 0,
            }
        }
    }
}

fn unknown(check: &CheckSpec, failure: &Failure, tries: u32) -> CheckResult {
    let because = inert(&failure.to_string());
    CheckResult {
        name: check.name.clone(),
        end: CheckEnd::Unknown,
        shortfalls: Vec::new(),
        because,
        tries,
        millis: 0,
    }
}

fn plain(Shortfall { what, wanted, seen }: Shortfall) -> Shortfall {
    Shortfall { what: inert(&what), wanted: inert(&wanted), seen: inert(&seen) }
}

/// Capped, and without what could steer a terminal: it comes from a host, or from a server that nobody knows.
fn inert(text: &str) -> String {
    let mut out = String::new();
    for character in text.chars().take(LONGEST_TEXT) {
        let turns = matches!(character, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        if turns || character.is_control() && !matches!(character, '\n' | '\t') {
            out.extend(character.escape_default());
        } else {
            out.push(character);
        }
    }
    if text.chars().nth(LONGEST_TEXT).is_some() {
        out.push('…');
    }
    out
}
