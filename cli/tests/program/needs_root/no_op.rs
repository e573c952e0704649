//! A host that is as it is to be: one line, nothing written, nothing started.

use crate::scratch::Scratch;
use std::process::Command;

const SITE: &str = "[directory.\"HOST/d\"]\nmode = \"0750\"\n[file.\"HOST/d/a\"]\ncontent = \"a\\n\"\n\
                    [file.\"HOST/d/secret\"]\ncontent = \"s\"\nsensitive = true\nmode = \"0600\"\n\
                    [symlink.\"HOST/l\"]\ntarget = \"d/a\"\n";

#[test]
fn prints_one_line_and_writes_nothing() {
    let scratch = Scratch::of(SITE);
    scratch.fine("apply", &["--yes"]);
    let before = scratch.stamps();
    for _ in 0..2 {
        let ran = scratch.fine("apply", &["--yes"]);
        assert_eq!((ran.out.as_str(), ran.err.as_str()), ("as desired: 4 unchanged\n", ""));
    }
    assert_eq!(scratch.fine("plan", &[]).out, "as desired: 4 unchanged\n");
    assert_eq!(scratch.stamps(), before);
}

#[test]
fn starts_no_process() {
    let scratch = Scratch::of(SITE);
    scratch.fine("apply", &["--yes"]);
    let trace = scratch.root().join("trace");
    let mut strace = Command::new("strace");
    strace.args(["-f", "-qq", "-e", "trace=execve,execveat,fork,vfork", "-o"]).arg(&trace);
    strace.arg(env!("CARGO_BIN_EXE_keel")).args(scratch.arguments("apply", &["--yes"]));
    // Without strace there is nothing to look with; the lab's hosts are watched as well.
    let Ok(output) = strace.output() else { return };
    assert!(output.status.success(), "{output:?}");
    let traced = std::fs::read_to_string(&trace).expect("a trace");
    assert_eq!(traced.lines().count(), 1, "{traced}");
}

#[test]
fn a_plan_writes_nothing_even_where_there_is_much_to_do() {
    let scratch = Scratch::of(SITE);
    let ran = scratch.keel("plan", &[]);
    assert!(ran.code == 2 && ran.out.ends_with("4 to change\n"), "{ran:?}");
    assert!(!scratch.state("").exists() && !scratch.host("d").exists());
}
