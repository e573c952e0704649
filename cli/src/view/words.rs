//! Small words of output.

use crate::exit::Class;
use fleet::{End, Stage, Trouble};
use model::{EventBody, SoftLock};

/// `1 file`, `2 files`.
pub fn counted(count: usize, of: &str) -> String {
    if count == 1 { format!("1 {of}") } else { format!("{count} {of}s") }
}

/// A turn that the work takes, in words; `None` for other events.
pub fn turn(body: &EventBody) -> Option<String> {
    Some(match body {
        EventBody::Waiting { what, who, left } => {
            format!("waiting for {what}, held by {who}; for {left} s at most")
        }
        EventBody::Armed { run, window, because } => {
            let touches = match &because[..] {
                [] => String::new(),
                some => format!(": {}", some.join(", ")),
            };
            format!("run {run} is undone unless it is confirmed within {window} s of its end{touches}")
        }
        EventBody::Confirmed { run } => format!("run {run} is confirmed, and stays"),
        EventBody::Rebooting { timeout } => {
            format!("the host reboots, and the run goes on after it; it has {timeout} s")
        }
        EventBody::Resumed { .. } => "the host is up again, and the run goes on".to_owned(),
        _ => return None,
    })
}

/// That a run was undone, and why.
pub fn undone(run: &str, because: &str) -> String {
    format!("run {run} was undone: {because}; what it had changed is as it was before")
}

/// A lock, as people read it.
pub fn lock(lock: &SoftLock) -> String {
    let SoftLock { resource, owner, reason, since, seconds } = lock;
    let what = resource.as_deref().unwrap_or("everything");
    format!("{what}: locked by {owner} since {since} for {seconds} s: {reason}")
}

/// The word that a trouble is told with.
pub fn trouble(trouble: &Trouble) -> &'static str {
    match trouble {
        // Nobody knows yet whether anything failed.
        Trouble::Detached { .. } => "left",
        trouble => Class::of(&End::Trouble(trouble.clone())).word(),
    }
}

/// What is being done, for somebody who waits.
pub fn doing(stage: Stage) -> &'static str {
    match stage {
        Stage::Connect => "connecting",
        Stage::HostKey => "checking the host key",
        Stage::Login => "logging in",
        Stage::Elevate => "becoming root",
        Stage::Upload => "bringing the agent",
        Stage::Facts => "waiting for the agent",
        Stage::Order => "handing over the order",
        Stage::Plan => "planning",
        Stage::Run => "running",
    }
}
