//! What a run needs to go on after a reboot: kept, sealed, just before the machine goes down, and read when it is up again. Contents are
//! in the host's store, what was done is in the journal; the rest is the order and its secrets.

use super::guard::{Recall, Sentry};
use super::job::{Job, boot_id};
use crate::engine::{Comeback, Sink};
use crate::state::StateDir;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use model::{Catalog, Content, EventBody, Failure, Gather, Secret, Secrets};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;
use wire::Work;

/// So long a run is waited for that goes on by itself: for the machine to go down, and again after the boot.
const SOON: Duration = Duration::from_secs(300);

/// Ticks of the clock of proc(5) in a second (USER_HZ), the same on all that we run on.
const TICKS: f64 = 100.0;

/// The way back of a run.
pub(super) struct Return<'a> {
    /// What it is to do.
    pub(super) job: &'a Job<'a>,
    /// Its number.
    pub(super) run: u64,
}

/// All that a run needs. It holds secrets: it must be sealed before it is kept.
#[derive(Serialize, Deserialize)]
struct Needs {
    /// The boot id under which it was kept.
    boot: String,
    /// How long the machine had been up.
    #[serde(default)]
    up: Duration,
    work: Work,
    /// In base64, by name.
    secrets: BTreeMap<String, String>,
}

/// What was kept.
pub(super) struct Kept {
    /// The boot id under which it was kept.
    pub(super) boot: String,
    /// How long the machine had been up.
    up: Duration,
    /// What is to be done.
    pub(super) work: Work,
    /// Its secrets.
    pub(super) secrets: Secrets,
}

/// Reads what `run` needs; `None` where it does not wait to go on.
pub(super) fn kept(state: &StateDir, run: u64) -> Result<Option<Kept>, Failure> {
    let Some(plain) = state.unseal(run)? else { return Ok(None) };
    let odd = |why: String| Failure::unknown(format!("what run {run} needs to go on"), why);
    let Needs { boot, up, work, secrets: coded } =
        serde_json::from_slice(plain.expose()).map_err(|error| odd(error.to_string()))?;
    let mut secrets = Secrets::default();
    for (name, coded) in coded {
        let bytes = STANDARD.decode(coded).map_err(|_| odd(format!("secret {name} is damaged")))?;
        secrets.keep(name, bytes);
    }
    Ok(Some(Kept { boot, up, work, secrets }))
}

/// Nothing goes on by itself any more.
pub(super) fn forget((state, run): (&StateDir, u64), sentry: &dyn Sentry) -> Result<(), Failure> {
    state.forget_sealed(run)?;
    sentry.relieve()
}

/// A run that waited and did not come back is taken up by the one that begins now, as any that was cut off.
pub(super) fn supersede(state: &StateDir, sentry: &dyn Sentry) -> Result<(), Failure> {
    state.goes_on()?.map_or(Ok(()), |run| forget((state, run), sentry))
}

/// In words, the run that the machine goes down for, or that is about to go on by itself now that it is up again: the host is left to it. One
/// that takes too long for that has lost it.
pub(super) fn awaited(state: &StateDir) -> Result<Option<String>, Failure> {
    let Some(run) = state.goes_on()? else { return Ok(None) };
    // What is damaged does not come back.
    let Ok(Some(kept)) = kept(state, run) else { return Ok(None) };
    let (since, until) = match kept.boot == boot_id() {
        true => (kept.up, "when the machine, which is going down for it, is up again"),
        false => (Duration::ZERO, "now that the machine is up again"),
    };
    let is_awaited = uptime()?.saturating_sub(since) < SOON;
    Ok(is_awaited.then(|| format!("run {run}, which goes on {until}")))
}

/// How long this system has been up: how old its first process is, for a container has the uptime of its machine (proc_pid_stat(5)).
fn uptime() -> Result<Duration, Failure> {
    let read = |path: &str| std::fs::read_to_string(path).map_err(|error| Failure::io("read", path, error));
    let (up, first) = (read("/proc/uptime")?, read("/proc/1/stat")?);
    let up = up.split_whitespace().next().and_then(|word| word.parse::<f64>().ok());
    let began =
        first.rsplit_once(')').and_then(|(_, rest)| rest.split_whitespace().nth(19)?.parse::<f64>().ok());
    let age = up.zip(began).map(|(up, began)| (up - began / TICKS).max(0.0));
    age.map(Duration::from_secs_f64).ok_or_else(|| Failure::unknown("the uptime", "/proc does not say it"))
}

/// All that a run of `work` needs, as it is to be kept.
pub(super) fn needs(work: Work, secrets: &Secrets) -> Result<Secret<Vec<u8>>, Failure> {
    let coded = |(name, value): (&str, &Secret<Vec<u8>>)| (name.to_owned(), STANDARD.encode(value.expose()));
    let secrets = secrets.entries().map(coded).gather();
    let needs = Needs { boot: boot_id(), up: uptime()?, work, secrets };
    let plain = serde_json::to_vec(&needs);
    plain.map(Secret::new).map_err(|error| Failure::io("describe", "the run", error))
}

impl Return<'_> {
    fn work(&self) -> Work {
        let job = self.job;
        Work {
            catalog: job.catalog.clone(),
            scope: job.scope.to_owned(),
            only: job.choice.only.clone(),
            skip: job.choice.skip.clone(),
            command: job.command.clone(),
            terms: job.terms.clone(),
        }
    }

    /// Puts the contents that are at hand into the store: those that came are all that the run can need.
    fn store(&self, catalog: &Catalog) -> Result<(), Failure> {
        let store = self.job.state.store();
        for node in catalog.nodes() {
            for (digest, size) in Content::all_referred(&node.params) {
                if store.holds(&digest, size)? {
                    continue;
                }
                match self.job.blobs.open(&digest) {
                    Ok(mut content) => store.take_in((&digest, size), &mut *content)?,
                    Err(Failure::Missing { .. }) => {}
                    Err(failure) => return Err(failure),
                }
            }
        }
        Ok(())
    }
}

impl Comeback for Return<'_> {
    fn prepare(&self, patience: Duration) -> Result<(), Failure> {
        let job = self.job;
        self.store(job.catalog)?;
        job.state.seal(self.run, &needs(self.work(), job.secrets)?)?;
        if job.sentry.recall()? == Recall::AtBoot {
            job.events.emit(EventBody::Rebooting { timeout: patience.as_secs() });
        }
        Ok(())
    }

    fn withdraw(&self) {
        if let Err(failure) = forget((self.job.state, self.run), self.job.sentry) {
            let text = format!("what was to go on after a reboot could not be taken back: {failure}");
            self.job.events.emit(EventBody::Note { text });
        }
    }
}
