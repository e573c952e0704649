//! The agent of a scratch directory: real inotify, the real engine, a catalog by hand. As root, because the engine gives files their owners.
#![expect(
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "alters scratch files as a stranger would, and says what was told where that failed"
)]

mod left;
mod world;

use agent::work::keeping::{end_pause, put_pause};
use daemon::status::told;
use model::OnDrift;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use wire::Pause;
use world::{ASKED, TEXT, World, clock, has_no_root, soon};

#[test]
fn what_a_stranger_does_is_undone_and_told() {
    if has_no_root() {
        return;
    }
    let world = World::new(None);
    world.keep(|| {
        let path = &world.source.path;
        assert_eq!(world.content(), "one\n");
        let drifted = |count| world.reports().matches("\"because\":\"drift\"").count() >= count;
        std::fs::write(path, "mine").unwrap();
        soon("a file that was written", || world.content() == "one\n" && drifted(1));
        std::fs::remove_file(path).unwrap();
        soon("a file that was removed", || world.content() == "one\n" && drifted(2));
        let etc = path.parent().unwrap();
        std::fs::rename(etc, world.dir.path().join("away")).unwrap();
        std::fs::create_dir(etc).unwrap();
        soon("a file whose directory was replaced", || world.content() == "one\n");
    });
}

#[test]
fn who_cannot_write_down_what_it_knows_says_so_once_and_goes_on() {
    if has_no_root() {
        return;
    }
    let world = World::new(None);
    world.keep(|| {
        let status = world.dir.path().join("state/agent/status");
        // It is written after the first look was told.
        soon("the first status", || status.is_file());
        // Nothing is renamed onto a directory that is not empty. It may be written once more until that is there.
        soon("the obstacle", || {
            std::fs::remove_file(&status).ok();
            std::fs::create_dir_all(status.join("in the way")).is_ok()
        });
        for text in ["mine", "still mine"] {
            std::fs::write(&world.source.path, text).unwrap();
            soon("the file", || world.content() == "one\n");
        }
        soon("that it is told", || world.reports().contains("is not written down"));
        assert_eq!(world.reports().matches("is not written down").count(), 1);
        std::fs::remove_dir_all(&status).unwrap();
        std::fs::write(&world.source.path, "mine again").unwrap();
        soon("the status", || told(&world.state(), 0).is_ok_and(|told| told.status.is_some()));
    });
}

#[test]
fn what_could_not_be_looked_at_is_told_once_and_tried_again() {
    if has_no_root() {
        return;
    }
    let world = World::new(None);
    world.keep(|| {
        let (runs, away) = (world.dir.path().join("state/runs"), world.dir.path().join("away"));
        world.alone(|| {
            std::fs::rename(&runs, &away).unwrap();
            std::fs::write(&runs, "in the way").unwrap();
            std::fs::write(&world.source.path, "mine").unwrap();
        });
        let told = || world.reports().matches("the look did not come to its end: ").count();
        soon("that it is told", || told() > 0);
        let looks = world.status().looks;
        soon("another try", || world.status().looks > looks);
        assert_eq!((world.content().as_str(), told()), ("mine", 1));
        world.alone(|| {
            std::fs::remove_file(&runs).unwrap();
            std::fs::rename(&away, &runs).unwrap();
        });
        soon("the file", || world.content() == "one\n");
    });
}

#[test]
fn its_own_runs_wake_it_once_at_most() {
    if has_no_root() {
        return;
    }
    let world = World::new(None);
    world.keep(|| {
        std::fs::write(&world.source.path, "mine").unwrap();
        soon("the file", || world.content() == "one\n");
        let looks = || told(&world.state(), 0).unwrap().status.unwrap().looks;
        let is_quiet = || {
            let before = looks();
            std::thread::sleep(Duration::from_secs(1));
            looks() == before
        };
        soon("its rest", is_quiet);
        assert!(looks() <= 4, "start, the alteration, and what that woke: {}", looks());
    });
}

#[test]
fn what_is_observed_is_left_and_what_is_intended_is_not() {
    if has_no_root() {
        return;
    }
    let world = World::new(Some(OnDrift::Observe));
    world.keep(|| {
        std::fs::write(&world.source.path, "mine").unwrap();
        soon("the report", || world.reports().contains("\"event\":\"drift\""));
        assert_eq!(world.content(), "mine");
        *world.source.wanted.lock().unwrap() = "two\n".to_owned();
        std::fs::write(&world.source.marker, "changed").unwrap();
        soon("the new site", || world.content() == "two\n");
        assert!(world.reports().contains("\"because\":\"intended\""));
    });
}

#[test]
fn who_fights_is_left_alone() {
    if has_no_root() {
        return;
    }
    let world = World::new(None);
    let path: &Path = &world.source.path;
    world.keep(|| {
        let is_fought = || world.reports().contains("\"event\":\"fight\"");
        soon("the fight", || {
            std::fs::write(path, "mine").unwrap();
            soon("the file, or the fight", || world.content() == "one\n" || is_fought());
            // Not in one go: what is altered while it is looked at again is put right by that very look, and not counted.
            std::thread::sleep(Duration::from_millis(100));
            is_fought()
        });
        let corrected = world.reports().matches("\"event\":\"corrected\"").count();
        assert!(corrected >= 4, "{corrected} were no fight");
        std::fs::write(path, "mine").unwrap();
        std::thread::sleep(Duration::from_millis(500));
        assert_eq!(world.content(), "mine");
        soon("the status", || told(&world.state(), 0).unwrap().status.unwrap().fights.len() == 1);
    });
}

#[test]
fn why_no_newer_bundle_was_taken_is_told_once_and_ends_when_one_is() {
    if has_no_root() {
        return;
    }
    let world = World::new(None);
    let refused = || told(&world.state(), 0).unwrap().status.and_then(|status| status.refused);
    world.keep(|| {
        *world.source.refused.lock().unwrap() = Some("it is older".to_owned());
        for text in ["1", "2"] {
            std::fs::write(&world.source.marker, text).unwrap();
            soon("the refusal", || refused().is_some_and(|refused| refused.why == "it is older"));
            std::thread::sleep(Duration::from_millis(500));
        }
        assert_eq!(world.reports().matches("\"event\":\"refused\"").count(), 1);
        *world.source.refused.lock().unwrap() = None;
        std::fs::write(&world.source.marker, "3").unwrap();
        soon("the end of it", || refused().is_none());
    });
}

#[test]
fn who_is_outdated_ends_to_be_started_anew() {
    if has_no_root() {
        return;
    }
    let world = World::new(None);
    world.keep(|| {
        *world.source.wanted.lock().unwrap() = "a newer program's".to_owned();
        std::fs::write(&world.source.marker, "changed").unwrap();
        soon("its end", || world.reports().contains("\"event\":\"stopped\""));
        assert_eq!(world.content(), "one\n", "it is the newer one's business");
    });
}

#[test]
fn settings_are_read_again_and_bad_ones_are_told_at_their_place() {
    if has_no_root() {
        return;
    }
    let world = World::new(None);
    world.keep(|| {
        let file = world.dir.path().join("agent.toml");
        let status = || told(&world.state(), 0).unwrap().status.unwrap_or_default();
        std::fs::write(&file, "mode = \"observe\"\nevery = \"soon\"\n").unwrap();
        soon("the mistake", || status().bad_settings.is_some());
        let why = status().bad_settings.unwrap();
        assert!(why.contains(&format!("{}:2:9: this is no duration", file.display())), "{why}");
        assert!(world.reports().contains("those before stay in force"));
        std::fs::write(&world.source.path, "mine").unwrap();
        soon("the file", || world.content() == "one\n");
        let good = "mode = \"observe\"\n[source]\nfile = \"/x\"\n";
        std::fs::write(&file, format!("# nobody keeps this\n{good}")).unwrap();
        soon("that they are not kept", || world.reports().contains("stay in force: there is no room"));
        std::fs::write(&file, good).unwrap();
        soon("the settings", || status().mode == "observe" && status().bad_settings.is_none());
        std::fs::write(&world.source.path, "mine").unwrap();
        soon("the drift", || world.reports().contains("\"left\":\"it is only observed\""));
        assert_eq!(world.content(), "mine");
    });
}

#[test]
fn settings_are_read_in_a_pause_and_what_they_say_is_done_after_it() {
    if has_no_root() {
        return;
    }
    let world = World::new(None);
    let status = || told(&world.state(), 0).unwrap().status.unwrap();
    let write = |text: &str| std::fs::write(world.dir.path().join("agent.toml"), text).unwrap();
    world.keep(|| {
        let (by, reason, since) = ("ann".to_owned(), "upgrade".to_owned(), clock());
        put_pause(&world.state(), &Pause { by, reason, since, seconds: 3600 }).unwrap();
        soon("the pause", || world.reports().contains("\"event\":\"paused\""));
        write("mode = \"fix\"\n");
        soon("the mistake", || status().bad_settings.is_some());
        write(&format!("mode = \"observe\"\n{TEXT}"));
        soon("the settings", || status().mode == "observe" && status().bad_settings.is_none());
        std::fs::write(&world.source.path, "mine\n").unwrap();
        assert!(status().drift.is_empty(), "it looks at nothing meanwhile");
        end_pause(&world.state()).unwrap();
        soon("the look", || status().drift.len() == 1);
        assert_eq!(world.content(), "mine\n");
    });
}

#[test]
fn settings_that_come_with_a_newer_program_are_left_to_it() {
    if has_no_root() {
        return;
    }
    let world = World::new(None);
    world.keep(|| {
        "a newer program's".clone_into(&mut world.source.wanted.lock().unwrap());
        std::fs::write(world.dir.path().join("agent.toml"), "of = \"tomorrow\"\n").unwrap();
        soon("the end", || world.reports().contains("\"event\":\"stopped\""));
        assert!(!world.reports().contains("the settings"), "nobody reads what is not for him");
    });
}

#[test]
fn who_waits_for_another_run_does_not_ask_for_it_all_the_time() {
    if has_no_root() {
        return;
    }
    let world = World::new(None);
    world.keep(|| {
        world.alone(|| {
            std::fs::write(&world.source.path, "mine").unwrap();
            std::thread::sleep(Duration::from_millis(200));
            let (before, start) = (ASKED.load(Ordering::SeqCst), Instant::now());
            let asked = || ASKED.load(Ordering::SeqCst) - before;
            std::thread::sleep(Duration::from_secs(1));
            soon("that it asks", || asked() > 0);
            assert!(asked() < 100 * start.elapsed().as_secs(), "it asked {} times", asked());
            assert_eq!(world.content(), "mine");
        });
        soon("the file", || world.content() == "one\n");
    });
}
