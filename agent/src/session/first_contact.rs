//! A host that is still being set up is left to that: cloud-init installs packages, makes users and writes files of its own.
//!
//! It costs a host that is set up one or two looks at files, and no process. What the files mean is in cloud-init's reference, "Status":
//! `status.json` appears when it begins, `result.json` when it has ended, well or badly.

use crate::engine::Sink;
use crate::system::{Look, System};
use model::{EventBody, Failure, HostPath};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

const STATUS: &str = "/run/cloud-init/status.json";
const RESULT: &str = "/run/cloud-init/result.json";
/// Where systemd has a directory for each service that has a process.
const SERVICES: &str = "/sys/fs/cgroup/system.slice";

/// How long cloud-init is waited for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    /// How often to look.
    pub(super) every: Duration,
    /// Until it is given up.
    pub(super) most: Duration,
    /// After so long without any process it is dead: between two of its stages it may itself wait for the network.
    pub(super) quiet: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            every: Duration::from_millis(500),
            most: Duration::from_secs(600),
            quiet: Duration::from_secs(150),
        }
    }
}

/// Waits until cloud-init has ended, where it has begun.
pub(super) fn await_setup(
    system: &dyn System,
    (sink, stop): (&dyn Sink, &AtomicBool),
    pace: &Pace,
) -> Result<(), Failure> {
    let start = Instant::now();
    let (mut known, mut alive) = (None, start);
    while is_running(system)? {
        let who = stage(system);
        let left = pace.most.saturating_sub(start.elapsed());
        if has_process(system) {
            alive = Instant::now();
        }
        if alive.elapsed() >= pace.quiet {
            let text = format!("{who} has no process any more and left no {RESULT}: it is not waited for");
            sink.emit(EventBody::Note { text });
            return Ok(());
        }
        if stop.load(Ordering::SeqCst) {
            return Err(Failure::refused(
                format!("stopped while {who} was at work"),
                "run again when it has ended",
            ));
        }
        if left.is_zero() {
            let why = format!("{who} is still at work after {} s", pace.most.as_secs());
            let help =
                format!("see `cloud-init status --long` on the host; where it is stuck, make {RESULT}");
            return Err(Failure::refused(why, help));
        }
        if known.as_ref() != Some(&who) {
            let left = left.as_secs_f64().ceil() as u64;
            let what = "the host's first setup".to_owned();
            sink.emit(EventBody::Waiting { what, who: who.clone(), left });
            known = Some(who);
        }
        sleep(pace.every);
    }
    Ok(())
}

fn is_running(system: &dyn System) -> Result<bool, Failure> {
    let is_there = |path: &str| {
        let path = HostPath::new(path).expect("it is written here");
        system.look(&path, Look::Bare).map(|found| found.is_some())
    };
    Ok(!is_there(RESULT)? && is_there(STATUS)?)
}

/// cloud-init and its stage; the stage is for people, and need not be known.
fn stage(system: &dyn System) -> String {
    let path = HostPath::new(STATUS).expect("it is written here");
    let told = system.read(&path, 1 << 20).ok().and_then(|bytes| {
        let status: serde_json::Value = serde_json::from_slice(&bytes).ok()?;
        let stage = status.pointer("/v1/stage")?.as_str()?;
        Some(stage.chars().filter(|c| c.is_ascii_graphic()).take(40).collect::<String>())
    });
    told.map_or_else(|| "cloud-init".to_owned(), |stage| format!("cloud-init (stage {stage})"))
}

/// Whether one of cloud-init's services runs; where that cannot be told it counts as running.
fn has_process(system: &dyn System) -> bool {
    let path = HostPath::new(SERVICES).expect("it is written here");
    match system.list(&path) {
        Ok(names) => names.iter().any(|name| {
            let name = name.to_string_lossy();
            name.starts_with("cloud-") && name.ends_with(".service")
        }),
        Err(_) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::{Pace, RESULT, STATUS, await_setup};
    use crate::engine::Sink;
    use crate::system::Layer;
    use model::EventBody;
    use std::sync::Mutex;
    use std::sync::atomic::AtomicBool;
    use std::time::Duration;

    /// A host on which each thing that is told is followed by the next of `then`.
    struct Setup {
        host: Layer<'static>,
        then: Mutex<Vec<(&'static str, &'static str)>>,
        told: Mutex<Vec<String>>,
    }

    impl Sink for Setup {
        fn emit(&self, body: EventBody) {
            let text = match body {
                EventBody::Waiting { who, .. } => who,
                EventBody::Note { text } => text,
                other => format!("{other:?}"),
            };
            self.told.lock().unwrap().push(text);
            let then = self.then.lock().unwrap().pop();
            then.into_iter().for_each(|(path, text)| self.host.put_file(path, text.as_bytes(), 0o644));
        }
    }

    /// What is told on a host with these files, and how it ends.
    fn contact(
        files: &[(&str, &str)],
        then: &[(&'static str, &'static str)],
    ) -> (Vec<String>, Option<String>) {
        let then = Mutex::new(then.iter().rev().copied().collect());
        let setup = Setup { host: Layer::memory(), then, told: Mutex::default() };
        files.iter().for_each(|(path, text)| setup.host.put_file(path, text.as_bytes(), 0o644));
        let pace = Pace {
            every: Duration::from_millis(1),
            most: Duration::from_millis(400),
            quiet: Duration::from_millis(100),
        };
        let ended = await_setup(&setup.host, (&setup, &AtomicBool::new(false)), &pace);
        (setup.told.into_inner().unwrap(), ended.err().map(|failure| failure.to_string()))
    }

    const INIT: (&str, &str) = (STATUS, r#"{"v1": {"stage": "init"}}"#);
    const FINAL: (&str, &str) = (STATUS, r#"{"v1": {"stage": "modules-final"}}"#);
    const PROCESS: (&str, &str) = ("/sys/fs/cgroup/system.slice/cloud-final.service/cgroup.procs", "1\n");

    #[test]
    fn it_is_waited_for_stage_by_stage_until_it_has_ended_well_or_badly() {
        assert_eq!(contact(&[], &[]), (Vec::new(), None), "absent or disabled");
        assert_eq!(contact(&[FINAL, (RESULT, "{}")], &[]), (Vec::new(), None), "ended");
        let (told, ended) = contact(&[INIT, PROCESS], &[FINAL, (RESULT, r#"{"v1": {"errors": ["x"]}}"#)]);
        assert_eq!(told, ["cloud-init (stage init)", "cloud-init (stage modules-final)"]);
        assert_eq!(ended, None);
    }

    #[test]
    fn one_that_hangs_is_told_and_one_that_is_dead_is_passed_by() {
        let (told, ended) = contact(&[(STATUS, "{"), PROCESS], &[]);
        assert_eq!(told, ["cloud-init"]);
        assert!(ended.unwrap().contains("cloud-init is still at work"));
        let (told, ended) = contact(&[INIT], &[]);
        assert!(told.len() == 2 && told[1].contains("no process any more"), "{told:?}");
        assert_eq!(ended, None);
    }
}
