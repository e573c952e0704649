//! Inventories that somebody else keeps, as far as no host is needed: which hosts are meant, and what is said where there are none.

use crate::scratch::Scratch;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

/// Exit code and errors of `keel` in a directory, where `bin` is all of PATH besides a shell's.
fn keel(directory: &Path, bin: &Path, words: &[&str]) -> (Option<i32>, String) {
    let path = format!("{}:/usr/bin:/bin", bin.display());
    let mut keel = Command::new(env!("CARGO_BIN_EXE_keel"));
    let output = keel.args(words).current_dir(directory).env("PATH", path).output().expect("it runs");
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

/// A site with the host `web`, a file that names `web` and `box`, and a `vagrant` that is this script.
fn site(vagrant: &str) -> Scratch {
    let scratch = Scratch::new();
    let put = |name: &str, text: &str| fs::write(scratch.root().join(name), text).expect("written");
    put("keel.toml", "[project]\nname = \"boxes\"\n");
    put("hosts.toml", "[group.front]\n[host.web]\ngroups = [\"front\"]\n[host.elsewhere]\n");
    put("config", "Host web\n  HostName 127.0.0.1\n  Port 1\nHost box\n  HostName 127.0.0.1\n");
    put("vagrant", &format!("#!/bin/sh\n{vagrant}\n"));
    let executable = fs::Permissions::from_mode(0o755);
    fs::set_permissions(scratch.root().join("vagrant"), executable).expect("set");
    scratch
}

#[test]
fn what_is_wrong_with_an_inventory_is_said() {
    let scratch = site("echo A Vagrant environment is required >&2; exit 1");
    for (words, says) in [
        (&["plan", "--inventory", "puppet"][..], "write vagrant, vagrant:DIR or ssh:FILE"),
        (&["plan", "--inventory", "vagrant", "--local"], "cannot be used with"),
        (&["facts", "--inventory", "ssh:none"], "error: the inventory none cannot be read: No such file"),
        (&["facts", "--inventory", "ssh:keel.toml"], "error: keel.toml names no host: write `Host NAME`"),
        (&["plan", "--inventory", "vagrant:none"], "error: there is no directory none to ask vagrant in"),
        (
            &["plan", "--inventory", "vagrant"],
            "error: `vagrant ssh-config` in . failed:\nA Vagrant environment is required\n",
        ),
        (
            &["plan", "--inventory", "ssh:config"],
            "error: nothing says what is to become of box: declare [host.box] in hosts.toml, or give --role ROLE or -f FILE",
        ),
        (&["facts", "--inventory", "ssh:config", "bx"], "is called `bx`: did you mean `box`?"),
        (
            &["facts", "--inventory", "ssh:config", "elsewhere"],
            "is called `elsewhere`: there is `box`, `web`",
        ),
        (&["facts", "--inventory", "ssh:config", "@back"], "in a group `back`"),
    ] {
        let (code, errors) = keel(scratch.root(), scratch.root(), words);
        assert!(code == Some(3) && errors.contains(says), "{words:?}: {code:?} {errors}");
    }
}

#[test]
fn vagrant_is_asked_in_the_directory_of_the_site() {
    let scratch = site("[ -f Vagrantfile ] && printf 'Host %s\\n' $(cat Vagrantfile)");
    let says = |words: &[&str]| keel(scratch.root().parent().expect("above"), scratch.root(), words).1;
    let place = scratch.root().display().to_string();
    fs::write(scratch.root().join("Vagrantfile"), "one two").expect("written");
    assert!(says(&["plan", "--inventory", "vagrant", "--site", &place]).contains("become of one, two:"));
    assert!(
        says(&["facts", "--inventory", &format!("vagrant:{place}"), "x"]).contains("there is `one`, `two`")
    );
}

#[test]
fn without_vagrant_it_is_said() {
    let scratch = site("");
    let nowhere = scratch.root().join("nowhere");
    let mut keel = Command::new(env!("CARGO_BIN_EXE_keel"));
    keel.args(["facts", "--inventory", "vagrant"]).current_dir(scratch.root()).env("PATH", nowhere);
    let output = keel.output().expect("it runs");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(errors.starts_with("error: the inventory is asked of the program vagrant, which is not there:"));
}
