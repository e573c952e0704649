//! The laws that hold for every kind, each on the kind's example and on the hosts of its data file, in memory.

use crate::data::{Data, Scene};
use agent::kind::Resource;
use agent::kinds::ALL;
use agent::system::{Attempt, Layer, System};
use agent::undo::{MemoryKeep, Secrecy, capture, restore, reversibility, secrecy, subjects};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use model::{Content, Digest, HostPath, Op, PathState, Reversibility, State, Step, Subject};

/// Fewer do not show much.
const LEAST_HOSTS: usize = 3;

type Resources = [Box<dyn Resource>];

/// Tries `law` on every scene of every kind.
fn on_every_scene(law: fn(&str, &Layer, &Resources)) {
    for kind in ALL {
        for scene in Scene::all(*kind) {
            let place = format!("{}: {}", kind.name(), scene.name);
            law(&place, &scene.start.layer(), &scene.resources());
        }
    }
}

fn plan(place: &str, system: &dyn System, resource: &dyn Resource) -> Vec<Step> {
    resource.plan(system).unwrap_or_else(|failure| panic!("{place}: plan: {failure}"))
}

fn execute(place: &str, system: &dyn System, op: &Op) {
    let attempt = Attempt { tag: "law".to_owned(), timeout: None };
    system.execute(&with_bytes(op), &attempt).unwrap_or_else(|failure| panic!("{place}: {op}: {failure}"));
}

/// The bytes of files that the scenes only refer to, as a run has them at hand.
fn with_bytes(op: &Op) -> Op {
    let mut op = op.clone();
    if let Op::WriteFile { content, .. } = &mut op
        && let Content::Stored(digest, _) = content
        && let Some(bytes) = ["x", "yy"].iter().find(|bytes| Digest::of(bytes.as_bytes()) == *digest)
    {
        *content = Content::held(bytes.as_bytes());
    }
    op
}

/// Plans and executes all, and returns what was done.
fn apply(place: &str, host: &Layer, resources: &Resources) -> Vec<Step> {
    let mut done = Vec::new();
    for resource in resources {
        let steps = plan(place, host, resource.as_ref());
        steps.iter().for_each(|step| execute(place, host, &step.op));
        done.extend(steps);
    }
    done
}

fn lines(steps: &[Step]) -> Vec<String> {
    steps.iter().map(Step::to_string).collect()
}

#[test]
fn every_kind_has_hosts_to_hold_the_laws_on() {
    for kind in ALL {
        let hosts = Data::read(kind.name()).host.len();
        assert!(hosts >= LEAST_HOSTS, "{}: at least {LEAST_HOSTS} hosts, there are {hosts}", kind.name());
    }
}

#[test]
fn probing_writes_nothing_and_decides_the_same_each_time() {
    on_every_scene(|place, host, resources| {
        let before = host.snapshot();
        for resource in resources {
            // A resource that needs another to come first may fail here; it must not write either.
            let look = || (resource.plan(host), resource.refresh(host), resource.removal(host));
            assert_eq!(look(), look(), "{place}");
        }
        assert_eq!(before, host.snapshot(), "{place}");
    });
}

#[test]
fn files_end_as_the_data_say() {
    for scene in ALL.iter().flat_map(|kind| Scene::all(*kind)) {
        let (place, host) = (&scene.name, scene.start.layer());
        apply(place, &host, &scene.resources());
        for (path, ends) in &scene.ends {
            let found = host.read(&HostPath::new(path).expect("a path"), 1 << 20).expect("a file");
            let coded = || format!("base64:{}", STANDARD.encode(&found));
            assert_eq!(std::str::from_utf8(&found).map_or_else(|_| coded(), str::to_owned), *ends, "{place}");
        }
    }
}

#[test]
fn after_applying_there_is_nothing_to_do() {
    on_every_scene(|place, host, resources| {
        apply(place, host, resources);
        for resource in resources {
            assert_eq!(lines(&plan(place, host, resource.as_ref())), [""; 0], "{place}");
        }
    });
}

#[test]
fn applying_twice_is_applying_once() {
    on_every_scene(|place, host, resources| {
        apply(place, host, resources);
        let once = host.snapshot();
        apply(place, host, resources);
        assert_eq!(once, host.snapshot(), "{place}");
    });
}

#[test]
fn what_is_predicted_is_what_is_done() {
    on_every_scene(|place, host, resources| {
        let before = host.snapshot();
        let forecast = Layer::over(host);
        let predicted = apply(place, &forecast, resources);
        assert_eq!(before, host.snapshot(), "{place}: a forecast changed the host");
        let foreseen: Vec<_> = resources.iter().map(|it| it.seen(&forecast)).collect();
        let done = apply(place, host, resources);
        assert_eq!(lines(&predicted), lines(&done), "{place}");
        let found: Vec<_> = resources.iter().map(|it| it.seen(host)).collect();
        assert_eq!(foreseen, found, "{place}");
    });
}

#[test]
fn undoing_brings_back_what_was() {
    on_every_scene(|place, host, resources| {
        let (before, keep) = (host.snapshot(), MemoryKeep::default());
        let mut images: Vec<(Subject, Secrecy, State)> = Vec::new();
        let mut exact = true;
        for resource in resources {
            for Step { op, .. } in plan(place, host, resource.as_ref()) {
                let secrecy = secrecy(&op);
                let state = |it: &Subject| capture(host, it, secrecy, &keep).expect("it can be kept");
                images.extend(subjects(&op).into_iter().map(|it| (it.clone(), secrecy, state(&it))));
                exact &= reversibility(&op) == Reversibility::Exact;
                execute(place, host, &op);
            }
        }
        exact &= !images.iter().any(|(.., state)| matches!(state, State::Path(PathState::Special { .. })));
        for (subject, secrecy, goal) in images.iter().rev().filter(|_| exact) {
            let now = capture(host, subject, *secrecy, &keep).expect("it can be looked at");
            let ops = restore(subject, &now, goal, &keep).unwrap_or_else(|it| panic!("{place}: {it}"));
            ops.iter().for_each(|op| execute(place, host, op));
        }
        assert!(!exact || before == host.snapshot(), "{place}: was\n{before}\nis\n{}", host.snapshot());
    });
}

#[test]
fn removing_twice_is_removing_once() {
    on_every_scene(|place, host, resources| {
        apply(place, host, resources);
        for resource in resources.iter().rev() {
            let removal = || resource.removal(host).unwrap_or_else(|failure| panic!("{place}: {failure}"));
            let Some(steps) = removal() else { continue };
            steps.iter().for_each(|step| execute(place, host, &step.op));
            assert_eq!(lines(&removal().unwrap_or_default()), [""; 0], "{place}");
        }
    });
}
