//! An agent whose settings cannot be used: who is started by a timer ends, says why, and leaves word of it.

use crate::scratch::{Ran, Scratch, keel};
use std::fs;

fn agent(scratch: &Scratch, words: &[&str]) -> Ran {
    let settings = scratch.root().join("agent.toml").display().to_string();
    let state = scratch.state("").display().to_string();
    keel(scratch.root(), &[&["agent"], words, &["--settings", &settings, "--state-dir", &state]].concat())
}

#[test]
fn a_look_with_mistaken_settings_fails_says_why_and_leaves_word_of_it() {
    let scratch = Scratch::of("[file.\"HOST/a\"]\ncontent = \"a\"\n");
    let good = format!(
        "[source]\nfile = \"{}\"\n[reports]\njournal = false\n",
        scratch.root().join("site.toml").display()
    );
    let settings = scratch.root().join("agent.toml");
    let look = |text: &str| {
        fs::write(&settings, text).unwrap();
        let ran = agent(&scratch, &["run", "--once"]);
        (ran.code, ran.err, agent(&scratch, &["status"]).out)
    };
    for at in ["before the first look", "after one", "after another"] {
        let (code, said, status) = look(&format!("every = \"soon\"\n{good}"));
        let why = "agent.toml:1:9: this is no duration";
        assert!(code == 3 && said.contains("this is no duration"), "{at}: {code} {said}");
        assert!(status.contains("bad settings") && status.contains(why), "{at}: {status}");
        fs::remove_file(scratch.host("a")).ok();
        let (code, said, status) = look(&good);
        assert!(code == 0 && scratch.host("a").exists(), "{at}: {code} {said}");
        assert!(!status.contains("bad settings"), "{at}: {status}");
    }
    fs::remove_file(&settings).unwrap();
    let ran = agent(&scratch, &["run", "--once"]);
    assert!(ran.code == 3 && ran.err.contains("cannot read the settings of the agent"), "{ran:?}");
    assert!(agent(&scratch, &["status"]).out.contains("bad settings  cannot read the settings"));
}
