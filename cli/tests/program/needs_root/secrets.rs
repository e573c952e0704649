//! What is secret never comes to light: not on a terminal, not in the state, in no spelling. Only where it was the content of a
//! file that was replaced its bytes are kept, for a rollback, readable by root alone.

use crate::scratch::{Ran, Scratch, walk};
use base64::Engine;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

const CANARY: &str = "canary-3f9a7c51";
const SITE: &str = "[inputs.password]\ntype = \"secret\"\n[file.\"HOST/a\"]\ncontent = \"pw={{ inputs.password }}\\n\"\n\
                    [file.\"HOST/b\"]\ncontent = \"VALUE\"\nsensitive = true\n\
                    [exec.c]\ncommand = [\"/bin/sh\", \"-c\", \"exit 3\", \"{{ inputs.password }}\"]\nreturns = [3]\n\
                    [exec.d]\ncommand = [\"/bin/sh\", \"-c\", \"echo $0; exit 1\", \"{{ inputs.password }}\"]\n";

/// The spellings of the canary: as it is, in hexadecimal digits, in base64 at each of three offsets.
fn spellings() -> Vec<Vec<u8>> {
    let hex: String = CANARY.bytes().map(|byte| format!("{byte:02x}")).collect();
    let base64 = (0..3).map(|pad| {
        let padded = [&b"xxx"[..pad], CANARY.as_bytes(), b"xxx"].concat();
        let text = base64::engine::general_purpose::STANDARD.encode(padded);
        text.as_bytes()[4..text.len() - 8].to_vec()
    });
    let list: Vec<u8> =
        CANARY.bytes().map(|byte| byte.to_string()).collect::<Vec<_>>().join(",").into_bytes();
    [CANARY.into(), hex.clone().into_bytes(), hex.to_uppercase().into_bytes(), list]
        .into_iter()
        .chain(base64)
        .collect()
}

fn holds(bytes: &[u8]) -> bool {
    spellings().iter().any(|spelling| bytes.windows(spelling.len()).any(|part| part == spelling))
}

/// The files of the state that hold the canary.
fn holders(scratch: &Scratch) -> Vec<PathBuf> {
    let mut found = Vec::new();
    walk(&scratch.state(""), &mut |path, meta| {
        if meta.is_file() && holds(&fs::read(path).expect("root reads")) {
            found.push(path.to_owned());
        }
    });
    found
}

/// Calls the program, which must not say it.
#[track_caller]
fn quiet(scratch: &Scratch, verb: &str, more: &[&str]) -> Ran {
    let ran = scratch.keel(verb, more);
    assert!(!holds(ran.out.as_bytes()) && !holds(ran.err.as_bytes()), "{verb} {more:?}: {ran:?}");
    ran
}

#[test]
fn a_secret_stays_secret() {
    let scratch = Scratch::of(&SITE.replace("VALUE", CANARY));
    let set = format!("password={CANARY}");
    let with = |more: &[&'static str]| [&["--set", set.as_str()], more].concat();
    for verb in ["plan", "apply"] {
        for more in [with(&[]), with(&["--format", "json"])] {
            let more = if verb == "apply" { [&more[..], &["--yes"]].concat() } else { more };
            quiet(&scratch, verb, &more);
        }
    }
    assert_eq!(fs::read_to_string(scratch.host("a")).expect("it is there"), format!("pw={CANARY}\n"));
    assert_eq!(fs::read_to_string(scratch.host("b")).expect("it is there"), CANARY);
    for verb in ["show", "history"] {
        quiet(&scratch, verb, &[]);
        quiet(&scratch, verb, &["--format", "json"]);
    }
    quiet(&scratch, "rollback", &["1", "--plan"]);
    assert_eq!(holders(&scratch), Vec::<PathBuf>::new());
}

#[test]
fn what_was_there_before_is_kept_for_root_alone() {
    let scratch = Scratch::of(&SITE.replace("VALUE", "other"));
    fs::write(scratch.host("a"), format!("pw={CANARY}\n")).expect("written");
    fs::write(scratch.host("b"), CANARY).expect("written");
    quiet(&scratch, "plan", &["--set", "password=other"]);
    quiet(&scratch, "apply", &["--set", "password=other", "--yes"]);
    let found = holders(&scratch);
    assert!(!found.is_empty());
    for path in &found {
        let mode =
            |path: &std::path::Path| fs::metadata(path).expect("it is there").permissions().mode() & 0o7777;
        assert!(path.starts_with(scratch.state("blobs")), "{path:?}");
        assert_eq!((mode(path), mode(path.parent().expect("a directory"))), (0o600, 0o700), "{path:?}");
    }
    assert_eq!(fs::metadata(scratch.state("")).expect("it is there").permissions().mode() & 0o7777, 0o700);
    quiet(&scratch, "rollback", &["--plan"]);
    quiet(&scratch, "rollback", &["--yes"]);
    assert_eq!(fs::read_to_string(scratch.host("b")).expect("it is there"), CANARY);
    assert_eq!(holders(&scratch), found);
}

/// Everybody may read the arguments of what runs.
#[test]
fn what_a_command_reads_is_no_argument() {
    let site = format!(
        "[exec.c]\nshell = \"cat > /dev/null; tr '\\\\0' ' ' < /proc/$$/cmdline > HOST/arguments\"\nstdin = \"{CANARY}\"\n"
    );
    let scratch = Scratch::of(&site);
    scratch.fine("apply", &["--yes"]);
    let arguments = fs::read(scratch.host("arguments")).expect("it ran");
    assert!(!arguments.is_empty() && !holds(&arguments), "{}", String::from_utf8_lossy(&arguments));
}
