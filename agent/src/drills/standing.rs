//! The fault that is on this host: what taking it back needs is on the disk before anything happens, and goes when it is taken back. One at
//! a time. Who waits for its end is started by the caller, before the fault is put; this does not wait.

use super::fault::Cannot;
use super::tools::Tools;
use super::{decode, undo};
use crate::os::Expect;
use crate::os::lock::{Attempt, Holder, Lock, lock_within};
use crate::os::remove::remove;
use crate::state::{StateDir, Taken, refusal};
use model::{Failure, Fault, SoftLock};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::time::Duration;

/// Name of the file, in the host's state.
pub const NAME: &str = "drill";
/// Where it is told what was done, a line each.
const LOG: &str = "drills";
/// So many lines of it are kept.
const LINES: usize = 500;
/// So long it takes to put a fault, or to take one back.
const PATIENCE: Duration = Duration::from_secs(90);

/// A fault that is there, or may be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Standing {
    /// What it is.
    pub fault: Fault,
    /// What taking it back needs to know.
    note: Value,
    /// In which uptime it was put (proc_sys_kernel(5), `random/boot_id`).
    boot: String,
    /// When its time is over, in seconds of that uptime.
    until: u64,
}

/// How an attempt to put a fault ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Begun {
    /// It is there: what was done.
    Put(String),
    /// Somebody has the host, or has locked it: who.
    Locked(String),
    /// This host cannot have it: why.
    Impossible(String),
}

/// The fault that is there; `None` where none is.
///
/// # Errors
/// It cannot be read.
pub fn standing(state: &StateDir) -> Result<Option<Standing>, Failure> {
    let Some(bytes) = state.read(NAME)? else { return Ok(None) };
    let damaged = |why: String| {
        let path = state.root().join(NAME);
        Failure::refused(
            format!("{} is damaged: {why}", path.display()),
            "end what it says by hand, and remove it",
        )
    };
    serde_json::from_slice(&bytes).map(Some).map_err(|error| damaged(error.to_string()))
}

/// Whether its time is over. That of an earlier uptime is over by now.
///
/// # Errors
/// It cannot be told.
pub fn is_over(standing: &Standing) -> Result<bool, Failure> {
    let (boot, now) = uptime()?;
    Ok(standing.boot != boot || now >= standing.until)
}

/// Puts a fault, for as long as it says. `post` starts whoever waits for its end, and is sure of it.
///
/// # Errors
/// It was refused, or it failed; nothing of it is left then, or whoever waits takes it back.
pub fn begin(
    fault: &Fault,
    (state, tools): (&StateDir, &dyn Tools),
    post: &dyn Fn() -> Result<(), Failure>,
    now: &str,
) -> Result<Begun, Failure> {
    state.make()?;
    let turn = turn(state)?;
    let run = holder("a drill", now);
    // Nothing that a run is about to do is meant. It may go on as soon as the fault is there.
    let _alone = match state.lock(&run)? {
        Taken::Ours(lock) => lock,
        Taken::Theirs(who) => return Ok(Begun::Locked(format!("{who} has this host"))),
    };
    if let Some(who) = held_up((state, tools), now)? {
        return Ok(Begun::Locked(who));
    }
    let unknown = || {
        Failure::refused(
            format!("there is no fault `{}`", fault.sort),
            "this agent is of another build than the keel that sent it",
        )
    };
    let sort = decode(&fault.sort, &fault.params).ok_or_else(unknown)??;
    let note = match sort.prepare(tools) {
        Ok(note) => note,
        Err(Cannot::Here(why)) => return Ok(Begun::Impossible(why)),
        Err(Cannot::Failed(failure)) => return Err(failure),
    };
    let (boot, at) = uptime()?;
    let it = Standing { fault: fault.clone(), note, boot, until: at.saturating_add(fault.seconds.max(1)) };
    let bytes = serde_json::to_vec(&it).map_err(|error| Failure::io("describe", "the fault", error))?;
    state.write(NAME, &bytes)?;
    let told = lock_for(fault, state, now).and_then(|()| post());
    let put = told.map_err(Cannot::from).and_then(|()| sort.inject(&it.note, tools));
    match put {
        Ok(told) => {
            log(
                state,
                now,
                &format!("{} of {}: {told}, for {} s at most", fault.name, fault.by, fault.seconds),
            )?;
            Ok(Begun::Put(told))
        }
        Err(cannot) => {
            take_back(&it, (state, tools), "it could not be put", now)?;
            drop(turn);
            match cannot {
                Cannot::Here(why) => Ok(Begun::Impossible(why)),
                Cannot::Failed(failure) => Err(failure),
            }
        }
    }
}

/// Who has the host, but for runs that are under way; nobody where it may have a fault.
fn held_up((state, tools): (&StateDir, &dyn Tools), now: &str) -> Result<Option<String>, Failure> {
    if let Some(other) = standing(state)? {
        if !is_over(&other)? {
            let Fault { name, by, .. } = &other.fault;
            return Ok(Some(format!("the drill {name} of {by} is under way")));
        }
        // Who was to take it back was killed before he could wait for its end, or is about to do so.
        take_back(&other, (state, tools), "its time is over", now)?;
    }
    if let Some(lock) = state.soft_locks(now)?.first() {
        return Ok(Some(format!("this host is {}", refusal(lock))));
    }
    Ok(state.awaited()?.map(|run| format!("run {run} waits to be confirmed")))
}

/// Whose fault is to be taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose<'a> {
    /// Whosoever: its time is over.
    Any,
    /// That of this drill, and no other: who asks late must not end what somebody else has begun since.
    Of {
        /// Its name.
        name: &'a str,
        /// Who wanted it.
        by: &'a str,
    },
}

impl Whose<'_> {
    fn is_meant(self, fault: &Fault) -> bool {
        match self {
            Self::Any => true,
            Self::Of { name, by } => fault.name == name && fault.by == by,
        }
    }
}

/// Takes back the fault that is there, and says what was done; `None` where there is none, or another one than is meant.
///
/// # Errors
/// It could not be taken back: it is to be tried again.
pub fn end(
    (state, tools): (&StateDir, &dyn Tools),
    whose: Whose<'_>,
    why: &str,
    now: &str,
) -> Result<Option<String>, Failure> {
    if state.read(NAME)?.is_none() {
        return Ok(None);
    }
    let _turn = turn(state)?;
    match standing(state)? {
        Some(it) if whose.is_meant(&it.fault) => take_back(&it, (state, tools), why, now).map(Some),
        Some(_) | None => Ok(None),
    }
}

fn take_back(
    it: &Standing,
    (state, tools): (&StateDir, &dyn Tools),
    why: &str,
    now: &str,
) -> Result<String, Failure> {
    let unknown =
        || Failure::refused(format!("there is no fault `{}`", it.fault.sort), "a newer agent put it");
    let told = undo(&it.fault.sort, &it.note, tools).ok_or_else(unknown)??;
    let words = if told.is_empty() { "there was nothing left to take back" } else { &told };
    // Not to be told is not to be left there.
    log(state, now, &format!("{} ends, {why}: {words}", it.fault.name)).ok();
    let part = resource(&it.fault);
    if state.soft_locks(now).is_ok_and(|locks| locks.iter().any(|lock| lock.resource.as_ref() == Some(&part)))
    {
        state.remove_soft_locks(Some(&part), now)?;
    }
    remove(&state.root().join(NAME), Expect::Anything)?;
    Ok(told)
}

/// People who look for locks see the drill. Its part is that of no resource: neither the agent nor an apply is held up.
fn lock_for(fault: &Fault, state: &StateDir, now: &str) -> Result<(), Failure> {
    let (owner, reason) = (fault.by.clone(), "a failure drill".to_owned());
    let resource = Some(resource(fault));
    state.put_soft_lock(
        SoftLock { resource, owner, reason, since: now.to_owned(), seconds: fault.seconds },
        now,
    )
}

fn resource(fault: &Fault) -> String {
    format!("drill.{}", fault.name)
}

/// Who puts a fault and who takes it back do so one after the other, as long as they hold this.
///
/// # Errors
/// Somebody has been at it for too long.
pub fn turn(state: &StateDir) -> Result<Lock, Failure> {
    match lock_within(&state.root().join("drill.lock"), &holder("a fault", ""), PATIENCE)? {
        Attempt::Taken(lock) => Ok(lock),
        Attempt::Held(_) => {
            let what = "another process that puts a fault or takes it back".to_owned();
            Err(Failure::Timeout { what, seconds: PATIENCE.as_secs() })
        }
    }
}

pub(super) fn holder(command: &str, now: &str) -> Holder {
    let (pid, command) = (std::process::id(), command.to_owned());
    Holder { pid, run: String::new(), since: now.to_owned(), command }
}

fn log(state: &StateDir, now: &str, text: &str) -> Result<(), Failure> {
    let bytes = state.read(LOG)?.unwrap_or_else(Vec::new);
    let before = String::from_utf8_lossy(&bytes).into_owned();
    let lines: Vec<&str> = before.lines().collect();
    let mut kept = lines[lines.len().saturating_sub(LINES)..].join("\n");
    if !kept.is_empty() {
        kept.push('\n');
    }
    state.write(LOG, format!("{kept}{now} {}\n", text.replace('\n', " ")).as_bytes())
}

/// This uptime, and how many seconds of it have passed: a clock that nobody sets (proc_uptime(5)).
fn uptime() -> Result<(String, u64), Failure> {
    let read = |path: &str| std::fs::read_to_string(path).map_err(|error| Failure::io("read", path, error));
    let boot = read("/proc/sys/kernel/random/boot_id")?.trim().to_owned();
    let text = read("/proc/uptime")?;
    let seconds = text.split('.').next().and_then(|whole| whole.parse().ok());
    seconds.map(|seconds| (boot, seconds)).ok_or_else(|| Failure::unknown("the uptime", text))
}
