//! Changes together on a real file system; without root links of root and namespaces cannot be had, and then nothing may change.

use crate::failpoint::{Action, When, set_here};
use crate::os::host::Host;
use crate::system::{Attempt, System};
use model::{Check, Command, Content, Failure, HostPath, Op, Principal, Secret, Text, Together};
use std::collections::BTreeMap;
use std::os::unix::fs::symlink;
use std::sync::Arc;
use wire::NoBlobs;

struct Here {
    dir: tempfile::TempDir,
    host: Host<'static>,
}

type Tree = BTreeMap<String, String>;

impl Here {
    /// Two files, one of them in a directory below, a link to the first, and a file that is to go.
    fn new(host: Host<'static>) -> Self {
        let here = Self { dir: tempfile::tempdir().unwrap(), host };
        std::fs::create_dir(here.dir.path().join("sites")).unwrap();
        for (name, text) in [("main", "old"), ("sites/one", "old"), ("sites/stale", "old")] {
            std::fs::write(here.dir.path().join(name), text).unwrap();
        }
        symlink("old", here.dir.path().join("link")).unwrap();
        here
    }

    fn running() -> Self {
        Self::new(Host::new(Arc::new(NoBlobs)))
    }

    fn at(&self, name: &str) -> HostPath {
        HostPath::new(self.dir.path().join(name)).unwrap()
    }

    fn write(&self, name: &str, content: Content) -> Op {
        let (owner, group) = (
            Principal::Number(rustix::process::geteuid().as_raw()),
            Principal::Number(rustix::process::getegid().as_raw()),
        );
        Op::WriteFile { path: self.at(name), content, owner, group, mode: 0o640, validate: Vec::new() }
    }

    /// `main` and `sites/new` come, `link` turns to `main`, and `sites/stale` goes, once `script` passes in the directory.
    fn op(&self, script: &str) -> Op {
        let changes = vec![
            self.write("main", Content::held(*b"new")),
            self.write("sites/new", Content::Hidden(Secret::new(b"hush-hush-hush".as_slice().into()))),
            Op::MakeSymlink { path: self.at("link"), target: "main".to_owned() },
            Op::Remove { path: self.at("sites/stale") },
        ];
        let script = format!("cd {}; {script}", self.dir.path().display());
        let argv = ["sh", "-euc", &script].map(|word| Text::Plain(word.to_owned())).to_vec();
        let check = Check { unit: "x.service".to_owned(), command: Command { argv, ..Command::default() } };
        Op::Together(Together { changes, checks: vec![check] })
    }

    fn run(&self, op: &Op) -> Result<(), Failure> {
        let attempt = Attempt { tag: "7-1".to_owned(), timeout: None };
        self.host.execute(op, &attempt).map(drop)
    }

    /// Everything there is, temporary names too.
    fn tree(&self) -> Tree {
        let mut tree = Tree::new();
        for dir in ["", "sites"] {
            for entry in std::fs::read_dir(self.dir.path().join(dir)).unwrap() {
                let path = entry.unwrap().path();
                let name = path.strip_prefix(self.dir.path()).unwrap().display().to_string();
                if let Ok(target) = std::fs::read_link(&path) {
                    tree.insert(name, format!("-> {}", target.display()));
                } else if path.is_file() {
                    tree.insert(name, std::fs::read_to_string(&path).unwrap());
                }
            }
        }
        tree
    }
}

fn tree(pairs: &[(&str, &str)]) -> Tree {
    pairs.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
}

fn old() -> Tree {
    tree(&[("link", "-> old"), ("main", "old"), ("sites/one", "old"), ("sites/stale", "old")])
}

fn new() -> Tree {
    tree(&[("link", "-> main"), ("main", "new"), ("sites/new", "hush-hush-hush"), ("sites/one", "old")])
}

/// Passes where everything is at its place, with its mode, and nothing else is to be seen.
const SEEN: &str = "test $(cat main)$(cat link) = newnew; test $(cat sites/new) = hush-hush-hush; ! test -e sites/stale; \
                    test $(cat sites/one) = old; test $(stat -c %a main) = 640; test -z \"$(find . -name '.*keel*')\"";

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

#[test]
fn the_check_sees_all_in_place_before_anybody_else_does() {
    let here = Here::running();
    let elsewhere = here.dir.path().join("main");
    let script =
        format!("{SEEN}; test \"$(cat /proc/{}/root{})\" = old", std::process::id(), elsewhere.display());
    let ran = here.run(&here.op(&script));
    if !is_root() {
        assert!(ran.is_err(), "{ran:?}");
        return assert_eq!(here.tree(), old());
    }
    ran.unwrap();
    assert_eq!(here.tree(), new());
}

#[test]
fn what_a_check_rejects_was_never_there_and_its_words_hold_no_secret() {
    let here = Here::running();
    let failure = here.run(&here.op("cat sites/new >&2; echo bad directive >&2; exit 1")).unwrap_err();
    assert_eq!(here.tree(), old());
    let told = failure.to_string();
    assert!(!is_root() || told.ends_with("<secret>bad directive"), "{told}");
}

/// Without root no link of root's can be made: nothing is to be seen then.
fn throwaway() -> Option<Here> {
    is_root().then(|| Here::new(Host::offline(Arc::new(NoBlobs), BTreeMap::new())))
}

#[test]
fn in_a_throwaway_root_what_is_rejected_is_put_back() {
    let Some(here) = throwaway() else { return };
    assert!(here.run(&here.op("exit 1")).is_err());
    assert_eq!(here.tree(), old());
    let seen = SEEN.rsplit_once(';').unwrap().0;
    here.run(&here.op(seen)).unwrap();
    assert_eq!(here.tree(), new());
}

#[test]
fn one_that_cannot_take_its_place_has_all_put_back() {
    for (point, times) in [("swap.staged", 1), ("swap.place", 4)] {
        for nth in 1..=times {
            let Some(here) = throwaway() else { return };
            let _set = set_here(point, When::Nth(nth), Action::Error(5));
            assert!(here.run(&here.op("true")).is_err(), "{point} {nth}");
            assert_eq!(here.tree(), old(), "{point} {nth}");
        }
    }
}

#[test]
fn nothing_that_was_not_looked_at_is_replaced() {
    let Some(here) = throwaway() else { return };
    std::fs::remove_file(here.dir.path().join("link")).unwrap();
    std::fs::create_dir(here.dir.path().join("link")).unwrap();
    let failure = here.run(&here.op("true")).unwrap_err();
    assert!(failure.to_string().contains("is a directory, which cannot be changed together"), "{failure}");
    assert_eq!(here.tree().get("main").map(String::as_str), Some("old"));
    assert!(here.tree().keys().all(|name| !name.contains("keel")));
}

#[test]
fn what_a_run_that_died_left_is_taken_away() {
    let here = Here::running();
    let op = here.op("true");
    for name in
        [".main.keel-7-1-0", ".main.keel-7-1-0-old", "sites/.stale.keel-7-1-3-old", ".link.keel-7-1-2"]
    {
        std::fs::write(here.dir.path().join(name), "half").unwrap();
    }
    here.host.clean(&op, "7-1").unwrap();
    assert_eq!(here.tree(), old());
}
