//! What somebody else put where the agent is to be: it is never run, whatever is made of it otherwise.

use crate::host::{As, Host};
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

/// A program that tells on itself.
fn plant(host: &Host, path: &Path) {
    let mark = host.path("was-run");
    fs::write(path, format!("#!/bin/sh\necho run > {}\n", mark.display())).unwrap();
    mode(path, 0o755);
}

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn moved(path: &Path) -> PathBuf {
    let to = path.with_extension("moved");
    fs::rename(path, &to).unwrap();
    to
}

/// A place where the agent is looked for, or comes by.
type Spot = fn(&Host) -> PathBuf;

const SPOTS: [Spot; 4] = [
    Host::installed_agent,
    |host| host.bin().join(".part-0"),
    |host| host.bin().join("keel-agent"),
    |host| host.path("state/keel-agent"),
];

/// What is done there.
type Deed = fn(&Host, &Path);

const DEEDS: [Deed; 5] = [
    // A program of somebody's.
    |host, path| {
        drop(fs::remove_file(path));
        plant(host, path);
    },
    // A link to one.
    |host, path| {
        drop(fs::remove_file(path));
        let evil = host.path("evil");
        plant(host, &evil);
        symlink(evil, path).unwrap();
    },
    // A link that leads nowhere, for root to write through.
    |host, path| {
        drop(fs::remove_file(path));
        symlink(host.path("was-run"), path).unwrap();
    },
    // A directory.
    |_, path| {
        drop(fs::remove_file(path));
        fs::create_dir(path).unwrap();
    },
    // A program of somebody's, with the right one's name, in a directory that everybody may write to.
    |host, path| {
        let bin = host.bin();
        let here = moved(&bin);
        fs::create_dir(&bin).unwrap();
        mode(&bin, 0o777);
        let name = path.file_name().unwrap();
        plant(host, &bin.join(name));
        drop(here);
    },
];

#[test]
fn what_was_planted_is_never_run_nor_written_through() {
    let mut count = 0;
    for (at, spot) in SPOTS.iter().enumerate() {
        for (which, deed) in DEEDS.iter().enumerate() {
            let host = Host::new(As::Root);
            assert_eq!(host.end(), "Unchanged");
            deed(&host, &spot(&host));
            let end = host.end();
            assert!(!host.path("was-run").exists(), "spot {at}, deed {which}: {end}");
            count += 1;
        }
    }
    assert_eq!(count, 20);
}
