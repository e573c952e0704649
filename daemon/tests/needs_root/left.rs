//! What the agent leaves as it is, for how long, and what it hears meanwhile.

use crate::world::{TEXT, World, clock, has_no_root, soon};
use agent::state::Ledger;
use agent::work::keeping::{end_pause, put_pause};
use daemon::NoLook;
use model::{OnDrift, SoftLock};
use serde_json::json;
use std::time::Duration;
use wire::Pause;

#[test]
fn what_was_rolled_back_is_left_until_something_else_is_desired() {
    if has_no_root() {
        return;
    }
    let world = World::new(None);
    world.keep(|| {
        world.alone(|| {
            let (mut ledger, _) = Ledger::read(&world.state()).unwrap();
            ledger.roll_back([&world.source.id()]);
            ledger.write(&world.state()).unwrap();
            std::fs::write(&world.source.path, "before").unwrap();
        });
        soon("that it waits", || world.status().held.len() == 1);
        assert!(world.reports().contains("\"left\":\"it was rolled back"));
        assert_eq!(world.content(), "before");
        world.source.want("two\n");
        soon("the new site", || world.content() == "two\n" && world.status().held.is_empty());
    });
}

#[test]
fn a_fight_outlives_a_restart_and_ends() {
    if has_no_root() {
        return;
    }
    let world = World::new(None);
    world.keep(|| ());
    let id = world.source.id().to_string();
    let now = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs();
    let bout = json!({ "corrections": [], "trips": 1, "until": now + 4 });
    let fight = json!({ "until": "soon", "other": "process 7" });
    let memory = json!({ "breaker": { "bouts": { &id: bout } }, "fights": { &id: fight } });
    world.state().write("agent/memory", memory.to_string().as_bytes()).unwrap();
    std::fs::write(&world.source.path, "mine").unwrap();
    world.keep(|| {
        soon("the fight", || world.status().fights.values().any(|fight| fight.other == "process 7"));
        soon("its end", || world.content() == "one\n" && world.status().fights.is_empty());
    });
}

#[test]
fn who_watches_nothing_hears_its_settings_and_orders() {
    if has_no_root() {
        return;
    }
    let world = World::new(None);
    world.keep_by(&format!("watch = false\n{TEXT}"), || {
        std::fs::write(&world.source.path, "mine").unwrap();
        let (by, reason, since) = ("ann".to_owned(), "upgrade".to_owned(), clock());
        put_pause(&world.state(), &Pause { by, reason, since, seconds: 3600 }).unwrap();
        soon("the pause", || world.reports().contains("\"event\":\"paused\""));
        assert_eq!(world.content(), "mine");
        end_pause(&world.state()).unwrap();
        soon("the file", || world.content() == "one\n");
        let text = format!("watch = false\nmode = \"observe\"\n{TEXT}");
        std::fs::write(world.dir.path().join("agent.toml"), text).unwrap();
        soon("the settings", || world.status().mode == "observe");
    });
}

#[test]
fn a_secret_that_was_rotated_is_applied_though_the_catalog_is_the_same() {
    if has_no_root() {
        return;
    }
    let world = World::new(None);
    world.keep(|| {
        for secret in ["first", "second"] {
            *world.source.secret.lock().unwrap() = Some(secret);
            world.source.alter();
            soon(secret, || world.content() == secret);
        }
        assert!(!world.reports().contains("second"), "a secret is told");
    });
}

#[test]
fn what_was_altered_while_the_host_was_locked_is_repaired_once_it_is_not() {
    if has_no_root() {
        return;
    }
    let world = World::new(None);
    let (owner, reason) = ("ann".to_owned(), "a try".to_owned());
    let lock = SoftLock { resource: None, owner, reason, since: clock(), seconds: 3600 };
    world.keep(|| {
        world.state().put_soft_lock(lock, &clock()).unwrap();
        std::fs::write(&world.source.path, "mine").unwrap();
        soon("the lock", || world.status().last.is_some_and(|last| last.is_locked));
        assert_eq!(world.content(), "mine");
        world.state().remove_soft_locks(None, &clock()).unwrap();
        soon("the file", || world.content() == "one\n");
    });
}

#[test]
fn what_was_altered_is_repaired_when_the_lock_ends_by_itself() {
    if has_no_root() {
        return;
    }
    let world = World::new(None);
    let lock = |resource| {
        let (owner, reason) = ("ann".to_owned(), "a try".to_owned());
        let lock = SoftLock { resource, owner, reason, since: clock(), seconds: 4 };
        world.state().put_soft_lock(lock, &clock()).unwrap();
    };
    // It stands there when the agent begins.
    lock(None);
    world.keep(|| {
        soon("the file", || world.content() == "one\n");
        lock(Some(world.source.id().to_string()));
        std::fs::write(&world.source.path, "mine").unwrap();
        soon("the file again", || world.content() == "one\n");
    });
    assert!(world.reports().contains("\"cause\":\"asked\""), "{}", world.reports());
}

#[test]
fn what_waits_for_a_window_is_not_forgotten_for_others_that_do_not() {
    if has_no_root() {
        return;
    }
    let mut world = World::new(None);
    let beside = world.dir.path().join("etc/beside");
    world.source.beside = Some(beside.clone());
    world.keep(|| soon("the file", || world.content() == "one\n" && beside.exists()));
    // Twelve hours from now, whatever time it is.
    let hour = (clock()[11..13].parse::<u8>().unwrap() + 12) % 24;
    world.keep_by(&format!("windows = [\"{hour:02}:00-{hour:02}:59\"]\n{TEXT}"), || {
        std::fs::write(&world.source.path, "mine").unwrap();
        soon("that it waits", || world.status().opens.is_some() && world.status().drift.len() == 1);
        let looks = world.status().looks;
        std::fs::write(&beside, "one\n").unwrap();
        soon("the look at the other", || world.status().looks > looks);
        assert!(world.status().opens.is_some(), "nobody would look when it opens");
        std::fs::write(&world.source.path, "one\n").unwrap();
        soon("that nothing waits", || world.status().opens.is_none());
    });
}

#[test]
fn what_is_left_and_written_to_all_the_time_is_looked_at_ever_more_seldom() {
    if has_no_root() {
        return;
    }
    let world = World::new(Some(OnDrift::Observe));
    world.keep(|| {
        std::fs::write(&world.source.path, "mine").unwrap();
        soon("the drift", || world.status().drift.len() == 1);
        let before = world.status().looks;
        for at in 0..100 {
            std::fs::write(&world.source.path, format!("mine {at}")).unwrap();
            std::thread::sleep(Duration::from_millis(20));
        }
        let looks = world.status().looks - before;
        assert!(looks < 20, "{looks} looks at 100 writes");
    });
}

#[test]
fn who_looks_once_says_who_keeps_it_off_the_host() {
    if has_no_root() {
        return;
    }
    let world = World::new(None);
    let once = || world.agent(TEXT).once().unwrap();
    world.state().make().unwrap();
    world.alone(|| {
        let Err(NoLook::Kept(why)) = once() else { panic!("it was not kept off") };
        assert!(why.contains("another run has this host: run 7, apply"), "{why}");
    });
    assert_eq!(once().map(|report| report.changed), Ok(1));
}
