//! `keel secret` itself.

use crate::laptop::{Laptop, Ran, editor};
use std::collections::BTreeMap;
use std::fs;

const VALUE: &str = "hunter2-3f9a";

fn edit(laptop: &Laptop, text: &str) -> Ran {
    let editor = editor(laptop, text);
    laptop.command(&["secret", "edit", "db"]).env("EDITOR", editor).output().expect("keel starts").into()
}

#[test]
fn a_value_comes_back_byte_for_byte_and_stands_nowhere_in_the_clear() {
    let laptop = Laptop::new();
    for (name, value, kept) in [("line", "a b\n", "a b"), ("key", "-----\nx\n-----\n", "-----\nx\n-----\n")] {
        laptop.sealed(name, value);
        assert_eq!(laptop.keel(&["secret", "show", name]).out, kept);
        let file = laptop.read(&format!("site/secrets/{name}.age"));
        assert!(file.starts_with("-----BEGIN AGE ENCRYPTED FILE-----\n") && !file.contains(kept), "{file}");
    }
    assert_eq!(laptop.keel(&["secret", "list"]).out, "key\nline\n");
    assert_eq!(laptop.keel(&["secret", "list", "--format", "json"]).out.lines().count(), 2);
}

#[test]
fn nothing_is_replaced_and_nothing_is_sealed_to_nobody() {
    let laptop = Laptop::new();
    laptop.sealed("db", VALUE);
    let before = laptop.read("site/secrets/db.age");
    let refused = |words: &[&str], input: &str, why: &str| {
        let ran = laptop.fed(words, input);
        assert!(ran.code == 3 && ran.err.contains(why) && !ran.err.contains("other-value"), "{why}: {ran:?}");
    };
    refused(&["secret", "create", "db"], "other-value", "is there already");
    refused(&["secret", "create", "../db"], "other-value", "no secret can have that name");
    refused(&["secret", "create", "empty"], "\n", "an empty value");
    refused(&["secret", "show", "dn"], "", "did you mean `db`?");
    refused(&["secret", "rotate", "--new", "nodb"], "other-value", "keel secret create nodb");
    laptop.write("site/secrets/recipients", "# nobody\n");
    refused(&["secret", "create", "other"], "other-value", "nobody is in secrets/recipients");
    fs::remove_file(laptop.path("site/secrets/recipients")).expect("removed");
    refused(&["secret", "create", "other"], "other-value", "mkdir -p secrets");
    assert_eq!(laptop.read("site/secrets/db.age"), before);
    assert_eq!(laptop.keel(&["secret", "list"]).out, "db\n");
}

#[test]
fn an_editor_gets_the_value_in_memory_and_alone() {
    let laptop = Laptop::new();
    laptop.sealed("db", VALUE);
    let look = "cd \"$(dirname \"$1\")\" && stat -f -c %T . > ~/seen && stat -c %a . \"$1\" >> ~/seen && \
                echo \"$1\" >> ~/seen && cat \"$1\" >> ~/seen && echo changed > \"$1\"";
    let ran = edit(&laptop, look);
    assert_eq!((ran.code, ran.err.as_str()), (0, "db: changed\n"), "{ran:?}");
    let seen = laptop.read("seen");
    let seen: Vec<&str> = seen.lines().collect();
    assert_eq!((seen[0], seen[1], seen[2], seen[4]), ("tmpfs", "700", "600", VALUE));
    assert!(!fs::exists(seen[3]).expect("known"), "{seen:?}");
    assert_eq!(laptop.keel(&["secret", "show", "db"]).out, "changed");
}

#[test]
fn an_editor_that_fails_or_changes_nothing_leaves_the_file_as_it_is() {
    let laptop = Laptop::new();
    laptop.sealed("db", VALUE);
    let before = laptop.read("site/secrets/db.age");
    let place = "echo \"$1\" > ~/place; echo x > \"$1\"; ";
    for (text, code) in [
        (format!("{place} exit 1"), 1),
        (format!("{place} kill -9 $$"), 1),
        (format!("{place} kill -INT $PPID $$"), 1),
    ] {
        let ran = edit(&laptop, &text);
        assert_eq!(ran.code, code, "{ran:?}");
        assert!(!fs::exists(laptop.read("place").trim()).expect("known"), "{text}");
    }
    for same in ["true", "echo >> \"$1\"", "cp \"$1\" ~/x && rm \"$1\" && mv ~/x \"$1\""] {
        let ran = edit(&laptop, same);
        assert_eq!((ran.code, ran.err.as_str()), (0, "db: as it was\n"), "{same}: {ran:?}");
    }
    assert_eq!(edit(&laptop, ": > \"$1\"").code, 3);
    assert_eq!(laptop.read("site/secrets/db.age"), before);
}

/// A laptop with the secrets `api` and `db`, and Bob, who has just become a recipient.
fn with_bob() -> Laptop {
    let laptop = Laptop::new();
    laptop.sealed("db", VALUE);
    laptop.sealed("api", VALUE);
    laptop.key("bob", &["-t", "rsa", "-b", "2048", "-C", "bob at work", "-N", ""]);
    let both = laptop.read("site/secrets/recipients") + "# since spring\n" + &laptop.read("bob.pub");
    laptop.write("site/secrets/recipients", &both);
    laptop
}

#[test]
fn who_becomes_a_recipient_reads_what_is_sealed_anew() {
    let laptop = with_bob();
    let ran = laptop.keel(&["secret", "recipients", "db"]);
    assert!(
        ran.code == 2 && ran.out.contains(" bob at work\ndb: not yet for ssh-rsa bob at work\n"),
        "{ran:?}"
    );
    assert_eq!(laptop.keel(&["secret", "rotate", "db"]).err, "db: sealed anew\n");
    let ran = laptop.keel(&["secret", "recipients"]);
    assert!(ran.out.ends_with("api: not yet for ssh-rsa bob at work\ndb: for all of these\n"), "{ran:?}");
    let bob = laptop.path("bob").display().to_string();
    let by_bob = |name| {
        let mut keel = laptop.command(&["secret", "show", name, "--unseal-with", &bob]);
        Ran::from(keel.env("HOME", "/nowhere").output().expect("keel starts"))
    };
    assert_eq!((by_bob("db").out.as_str(), by_bob("api").code), (VALUE, 3));
}

#[test]
fn who_is_a_recipient_no_more_reads_no_new_value() {
    let laptop = with_bob();
    assert_eq!(laptop.keel(&["secret", "rotate"]).code, 0);
    laptop.write("site/secrets/recipients", &laptop.read(".ssh/id_ed25519.pub"));
    let ran = laptop.keel(&["secret", "recipients", "db", "--format", "json"]);
    assert!(ran.code == 2 && ran.out.contains("\"beyond\":[\"ssh-rsa with the tag"), "{ran:?}");
    assert_eq!(laptop.fed(&["secret", "rotate", "--new", "db"], "other").err, "db: changed\n");
    assert_eq!(laptop.keel(&["secret", "recipients", "db"]).code, 0);
    assert_eq!(laptop.keel(&["secret", "show", "db"]).out, "other");
}

#[test]
fn a_rotation_that_cannot_open_one_secret_changes_none() {
    let laptop = Laptop::new();
    laptop.sealed("a", VALUE);
    laptop.sealed("z", VALUE);
    laptop.write("site/secrets/z.age", &laptop.read("site/secrets/z.age").replace("AGE ENCRYPTED", "AGE"));
    let before = laptop.read("site/secrets/a.age");
    let ran = laptop.keel(&["secret", "rotate"]);
    assert!(ran.code == 3 && ran.err.contains("the secret `z` is "), "{ran:?}");
    assert_eq!(laptop.read("site/secrets/a.age"), before);
}

/// How many of the secrets differ from what they were.
fn changed(laptop: &Laptop, before: &BTreeMap<String, String>) -> usize {
    before.iter().filter(|(name, text)| laptop.read(&format!("site/secrets/{name}.age")) != **text).count()
}

#[test]
fn a_rotation_that_is_killed_leaves_each_secret_readable() {
    let laptop = Laptop::new();
    laptop.sealed("s0", VALUE);
    let sealed = laptop.read("site/secrets/s0.age");
    let names: Vec<String> = (0..40).map(|number| format!("s{number}")).collect();
    let file = |name: &String| format!("site/secrets/{name}.age");
    names.iter().for_each(|name| laptop.write(&file(name), &sealed));
    for enough in [1, 3, 8, 15] {
        let before = names.iter().map(|name| (name.clone(), laptop.read(&file(name)))).collect();
        let mut rotate = laptop.command(&["secret", "rotate"]);
        let mut rotate = rotate.stderr(std::process::Stdio::null()).spawn().expect("keel starts");
        while changed(&laptop, &before) < enough {
            assert!(rotate.try_wait().expect("known").is_none(), "it ended before {enough}");
        }
        rotate.kill().expect("ours");
        rotate.wait().expect("ended");
        assert!(changed(&laptop, &before) < names.len(), "it had ended");
        for name in &names {
            assert_eq!(laptop.keel(&["secret", "show", name]).out, VALUE, "{name} after {enough}");
        }
    }
}

#[test]
fn a_new_site_has_its_maker_as_a_recipient() {
    let laptop = Laptop::new();
    let ran = laptop.keel(&["init", "new"]);
    assert!(ran.code == 0 && ran.out.contains("made new/secrets/recipients\n"), "{ran:?}");
    assert_eq!(laptop.read("site/new/secrets/recipients"), laptop.read(".ssh/id_ed25519.pub"));
}
