//! What is worked on: tags, and what left the catalog.

use crate::scratch::{Scratch, keel};

const TAGGED: &str = "[file.\"HOST/a\"]\ncontent = \"a\"\ntags = [\"one\", \"both\"]\n\
                      [file.\"HOST/b\"]\ncontent = \"b\"\ntags = [\"two\", \"both\"]\n[file.\"HOST/c\"]\ncontent = \"c\"\n";

#[test]
fn only_and_skip_choose_by_tag() {
    for (arguments, expected) in [
        (&["--only", "one"][..], [true, false, false]),
        (&["--only", "one,two"], [true, true, false]),
        (&["--skip", "both"], [false, false, true]),
        (&["--only", "both", "--skip", "two"], [true, false, false]),
        (&[], [true, true, true]),
    ] {
        let scratch = Scratch::of(TAGGED);
        scratch.fine("apply", &[&["--yes"], arguments].concat());
        assert_eq!(["a", "b", "c"].map(|name| scratch.host(name).exists()), expected, "{arguments:?}");
    }
}

#[test]
fn what_left_the_catalog_is_shown_and_stays_unless_it_said_otherwise() {
    let scratch = Scratch::of(
        "[file.\"HOST/kept\"]\ncontent = \"a\"\n[file.\"HOST/gone\"]\ncontent = \"b\"\non_removal = \"remove\"\n\
         [file.\"HOST/c\"]\ncontent = \"c\"\n",
    );
    scratch.fine("apply", &["--yes"]);
    scratch.site("[file.\"HOST/c\"]\ncontent = \"c\"\n");
    let ran = scratch.keel("plan", &[]);
    assert!(ran.code == 2 && ran.out.ends_with("1 to change, 1 unchanged, 1 orphan\n"), "{ran:?}");
    scratch.fine("apply", &["--yes"]);
    assert!(!scratch.host("gone").exists() && scratch.host("kept").exists());
    assert_eq!(scratch.fine("apply", &["--yes"]).out, "as desired: 1 unchanged, 1 orphan\n");
    scratch.fine("rollback", &["--yes"]);
    assert!(scratch.host("gone").exists());
}

const REMOVED: &str = "[file.\"HOST/gone\"]\ncontent = \"b\"\non_removal = \"remove\"\n";

#[test]
fn what_was_taken_away_is_forgotten_also_by_a_run_that_died() {
    for failpoint in ["remove.after=1:crash", "write.synced=2:crash", "write.rename=2:error:EIO"] {
        let scratch = Scratch::of(REMOVED);
        scratch.fine("apply", &["--yes"]);
        scratch.site("[file.\"HOST/c\"]\ncontent = \"\"\n");
        assert_ne!(scratch.keel_at(failpoint, "apply", &["--yes"]).code, 0, "{failpoint}");
        scratch.fine("apply", &["--yes"]);
        assert_eq!(scratch.fine("apply", &["--yes"]).out, "as desired: 1 unchanged\n", "{failpoint}");
        let ledger = std::fs::read_to_string(scratch.state("ledger")).expect("a ledger");
        assert!(!ledger.contains("gone"), "{failpoint}: {ledger}");
    }
}

#[test]
fn a_damaged_ledger_is_set_aside() {
    let scratch = Scratch::of(REMOVED);
    scratch.fine("apply", &["--yes"]);
    for number in 1..=2 {
        std::fs::write(scratch.state("ledger"), "{\"").expect("written");
        assert_eq!(scratch.keel("plan", &[]).code, 0);
        let ran = scratch.fine("apply", &["--yes"]);
        let name = format!("ledger.damaged-{number}");
        assert!(format!("{}{}", ran.out, ran.err).contains(&name), "{ran:?}");
        assert_eq!(std::fs::read(scratch.state(&name)).expect("set aside"), b"{\"");
    }
    scratch.site("");
    assert_eq!(scratch.keel("plan", &[]).code, 2);
}

#[test]
fn a_site_with_a_name_is_the_same_wherever_it_is_checked_out() {
    let scratch = Scratch::new();
    for (checkout, name) in [("one", "a"), ("two", "b")] {
        let path = |file: &str| scratch.root().join(checkout).join(file);
        std::fs::create_dir_all(path("roles")).expect("made");
        std::fs::write(path("keel.toml"), "[project]\nname = \"shop\"\n").expect("written");
        std::fs::write(path("hosts.toml"), "[host.web1]\nroles = [\"web\"]\n").expect("written");
        let role = format!("[file.\"{}\"]\ncontent = \"\"\n", scratch.host(name).display());
        std::fs::write(path("roles/web.toml"), role).expect("written");
    }
    let state = scratch.state("").display().to_string();
    let apply = |site: &str| {
        let words = ["apply", "--local", "web1", "--yes", "--site", site, "--state-dir", &state];
        keel(scratch.root(), &words).out
    };
    assert!(apply("one").ends_with("run 1: 1 changed\n"));
    let told = apply("two");
    assert!(
        told.starts_with(&format!("o file.{} is no longer in the catalog", scratch.host("a").display())),
        "{told}"
    );
}
