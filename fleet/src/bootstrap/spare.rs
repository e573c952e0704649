//! The agent that a call leaves for the next one, and the one that the last call has left. It is started by the same script, which checks the same, and
//! waits for its first word. Whatever is wrong with it, it is not there, and nothing was done: it has gathered facts at most.

use crate::agents::Agent;
use crate::bootstrap::bring::{Brought, Means};
use crate::bootstrap::listener::{Heard, Listener};
use crate::bootstrap::nonce::nonce;
use crate::bootstrap::script::{self, Pace, Start, Way};
use crate::push::Progress;
use crate::remote::{Received, Remote, Spare, Taken};
use crate::trouble::{Stage, Trouble};
use std::time::{Duration, Instant};
use wire::Down;

/// How long one may take to say that it is there: it has been started before.
const PATIENCE: Duration = Duration::from_secs(5);

/// How often somebody looks whether the user wants to stop.
const GLANCE: Duration = Duration::from_millis(100);

/// How much longer it waits than the connection is kept.
const MARGIN: Duration = Duration::from_secs(5);

/// What the script says before the agent speaks, line by line.
const LINES: [&str; 3] = ["here", "root", "run"];

/// The agent that the last call has left, where it is the one that this call would start, and the way by which it became root.
pub fn found(
    remote: &mut dyn Remote,
    means: &Means<'_>,
    (agents, progress): (&[Agent], &Progress<'_>),
) -> Option<(Way, Brought)> {
    // A password is to be asked for anew.
    let keeps = remote.keeps().filter(|_| means.push.password.known().is_none())?;
    let label = |way| script::label(how(way, keeps), &means.push.places, agents);
    let ways = [Way::Quiet, Way::Doas].map(|way| (way, label(way)));
    let taken = remote.take(&ways.each_ref().map(|(_, label)| label.as_str()))?;
    let (way, _) = ways.into_iter().find(|(_, label)| *label == taken.label)?;
    progress.enter(Stage::Elevate);
    Some((way, awake(taken, progress)?))
}

/// Hears it up to its first words.
fn awake(taken: Taken, progress: &Progress<'_>) -> Option<Brought> {
    let until = Instant::now() + PATIENCE;
    // One that has stayed has said its lines.
    let (marker, mut due) = match &taken.nonce {
        Some(nonce) => (script::marker(nonce), LINES.iter()),
        None => (String::new(), [].iter()),
    };
    let mut listener = Listener::new(taken.pipe, marker);
    while due.len() > 0 {
        match listener.poll(GLANCE).ok()? {
            Heard::Line(word, _) if due.next().is_some_and(|due| *due == word) => {}
            Heard::Nothing if Instant::now() < until && progress.go_on().is_ok() => {}
            _ => return None,
        }
    }
    let (mut pipe, mut rest) = listener.into_parts();
    let mut buffer = [0; 4 << 10];
    while rest.is_empty() {
        match pipe.receive(&mut buffer, GLANCE).ok()? {
            Received::Bytes(count) => rest.extend_from_slice(&buffer[..count]),
            Received::Nothing if Instant::now() < until && progress.go_on().is_ok() => {}
            Received::Nothing | Received::End => return None,
        }
    }
    Some(Brought { pipe, rest, stays: None })
}

/// Leaves one for the next call, where the connection is kept and root needs no password. For how long it would wait: the agent that runs may as well.
///
/// # Errors
/// There is no randomness.
pub fn leave(
    remote: &mut dyn Remote,
    means: &Means<'_>,
    (agents, way): (&[Agent], Way),
) -> Result<Option<Duration>, Trouble> {
    let Some(keeps) = remote.keeps().filter(|_| way != Way::Password) else { return Ok(None) };
    let (nonce, places) = (nonce()?, &means.push.places);
    let label = script::label(how(way, keeps), places, agents);
    let command = script::command(how(way, keeps), &nonce, places, agents);
    let mut word = Vec::new();
    wire::send(&mut word, &Down::Alive).expect("no limit is below a sign of life");
    remote.leave(Spare { label, nonce, command, word });
    Ok(Some(keeps + MARGIN))
}

fn how(way: Way, keeps: Duration) -> (Way, Pace, Start) {
    (way, Pace::Go, Start::Wanted(keeps + MARGIN))
}
