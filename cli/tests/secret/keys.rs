//! Keys: which open and which do not, whose passphrase is asked for, and what may stand among the recipients.

use crate::laptop::Laptop;
use std::fs;

const SITE: &str = "[inputs.a]\ntype = \"secret\"\ndefault = { secret = \"a\" }\n\
                    [inputs.b]\ntype = \"secret\"\ndefault = { secret = \"b\" }\n\
                    [file.\"/keel-test-not-made\"]\ncontent = \"{{ inputs.a }}{{ inputs.b }}\"\n";

/// A laptop whose one key has the passphrase `open sesame`, with two secrets.
fn with_passphrase() -> Laptop {
    let laptop = Laptop::new();
    for name in ["a", "b"] {
        laptop.sealed(name, "hunter2");
    }
    laptop.write("site/site.toml", SITE);
    laptop.key(".ssh/id_ed25519", &["-p", "-P", "", "-N", "open sesame"]);
    laptop
}

#[test]
fn a_passphrase_is_asked_for_once_and_never_shown() {
    let laptop = with_passphrase();
    let question = "Passphrase for the key";
    let seen = laptop.at_terminal(&["graph", "-f", "site.toml"], &[]);
    assert!(seen.contains("digraph") && !seen.contains(question), "a picture needs no value: {seen}");
    let state = laptop.path("state").display().to_string();
    let plan = ["plan", "-f", "site.toml", "--local", "--state-dir", &state];
    let seen = laptop.at_terminal(&plan, &[(question, "open sesame")]);
    assert_eq!(seen.matches(question).count(), 1, "{seen}");
    assert!(seen.contains("+ file./keel-test-not-made") && !seen.contains("open sesame"), "{seen}");
    let seen = laptop.at_terminal(&["secret", "rotate"], &[(question, "wrong"), (question, "open sesame")]);
    assert!(seen.contains("a: sealed anew") && seen.contains("b: sealed anew"), "{seen}");
}

#[test]
fn a_value_is_typed_twice_and_never_shown() {
    let laptop = Laptop::new();
    let create = ["secret", "create", "db"];
    let seen = laptop.at_terminal(&create, &[("Value of db", "hunter2"), ("The same again", "hunter3")]);
    assert!(seen.contains("not the same") && !seen.contains("hunter"), "{seen}");
    let seen = laptop.at_terminal(&create, &[("Value of db", "hunter2"), ("The same again", "hunter2")]);
    assert!(seen.contains("db: made") && !seen.contains("hunter"), "{seen}");
    assert_eq!(laptop.keel(&["secret", "show", "db"]).out, "hunter2");
}

#[test]
fn a_key_is_found_by_flag_by_variable_and_at_home() {
    let laptop = Laptop::new();
    laptop.sealed("db", "hunter2");
    fs::rename(laptop.path(".ssh/id_ed25519"), laptop.path("elsewhere")).expect("moved");
    assert_eq!(laptop.keel(&["secret", "show", "db"]).code, 3, "only the public half is there");
    let file = laptop.path("elsewhere").display().to_string();
    assert_eq!(laptop.keel(&["secret", "show", "db", "--unseal-with", &file]).out, "hunter2");
    let ran =
        laptop.command(&["secret", "show", "db"]).env("KEEL_IDENTITY", &file).output().expect("keel starts");
    assert_eq!(ran.stdout, b"hunter2");
}

#[test]
fn a_secret_that_stays_closed_is_told_at_its_name() {
    let laptop = with_passphrase();
    let state = laptop.path("state").display().to_string();
    let plan = laptop.keel(&["plan", "-f", "site.toml", "--local", "--state-dir", &state]);
    let home = laptop.path("").display().to_string();
    let told = plan.err.replace(home.trim_end_matches('/'), "HOME");
    let expected = "\
error[closed-secret]: no key here opens the secret `a`
 --> site.toml:3:22
  |
3 | default = { secret = \"a\" }
  |                      ^^^
  |
  = help: it is sealed to ssh-ed25519 ann@laptop; the key HOME/.ssh/id_ed25519 needs a passphrase, which was not given; give the file of such a private key with --unseal-with; an ssh-agent signs, but cannot decrypt
";
    assert!(plan.code == 3 && told.starts_with(expected), "{told}");
    let validate = laptop.keel(&["validate", "-f", "site.toml"]);
    let warned = validate.err.matches("warning[closed-secret]: no key here opens the secret").count();
    assert_eq!(
        (validate.code, warned, validate.out.as_str()),
        (0, 2, "fine: 1 resource, 0 edges\n"),
        "{validate:?}"
    );
    assert!(validate.err.contains("what its value brings about is not checked"), "{validate:?}");
}

#[test]
fn a_file_that_is_damaged_says_so() {
    let laptop = Laptop::new();
    laptop.sealed("db", "hunter2");
    let whole = laptop.read("site/secrets/db.age");
    let bare = || whole.replacen("AGE", "AGF", 1);
    for damaged in [String::new(), "hunter2\n".to_owned(), whole[..whole.len() / 2].to_owned(), bare()] {
        laptop.write("site/secrets/db.age", &damaged);
        let ran = laptop.keel(&["secret", "show", "db"]);
        assert!(ran.code == 3 && ran.err.contains("the secret `db` is ") && ran.out.is_empty(), "{ran:?}");
        assert!(!ran.err.contains("hunter2"), "{ran:?}");
    }
}

#[test]
fn what_is_no_recipient_is_told_line_by_line() {
    let laptop = Laptop::new();
    laptop.key("ec", &["-t", "ecdsa", "-N", ""]);
    let short = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQ";
    let lines =
        ["# ours", "hello", &laptop.read("ec.pub"), "age1notreally", short, "restrict ssh-ed25519 AAAA"];
    laptop.write("site/secrets/recipients", &lines.join("\n"));
    let ran = laptop.fed(&["secret", "create", "db"], "x");
    assert_eq!(ran.code, 3, "{ran:?}");
    let places = ["2:1", "3:1", "5:1", "6:1", "7:1"]
        .map(|place| ran.err.contains(&format!("secrets/recipients:{place}\n")));
    assert_eq!((places, ran.err.matches("error[bad-recipient]").count()), ([true; 5], 5), "{}", ran.err);
}

#[test]
fn keys_of_ages_own_are_taken_too() {
    let laptop = Laptop::new();
    // A pair that `age-keygen` made for this test.
    let (secret, public) = (
        "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX",
        "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj",
    );
    laptop.write("key.txt", &format!("# created: today\n{secret}\n"));
    laptop.write("site/secrets/recipients", &format!("{public} a machine\n"));
    laptop.sealed("db", "hunter2");
    let file = laptop.path("key.txt").display().to_string();
    assert_eq!(laptop.keel(&["secret", "show", "db", "--unseal-with", &file]).out, "hunter2");
    assert_eq!(
        laptop.keel(&["secret", "recipients"]).out,
        format!("age {public} a machine\ndb: for all of these\n")
    );
}
