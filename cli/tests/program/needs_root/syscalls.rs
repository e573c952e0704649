//! Each system call of a run that writes is the last one, or fails: what stood there is as it was or as it is to be, and
//! the next run arrives. One resource at a time, so that the calls come in one order.

use super::counts::{Sample, tell};
use super::order::assert_order;
use super::stage::{Looks, looks};
use super::tracer::{Call, Fault, Traced, traced};
use crate::scratch::{Scratch, walk};
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

type Host = BTreeMap<PathBuf, Looks>;

/// A resource that makes, changes or takes away one thing, and what `old` stands there before.
struct Case {
    name: &'static str,
    site: &'static str,
    old: fn(&Scratch),
}

fn nothing(_: &Scratch) {}

fn file(scratch: &Scratch) {
    let path = scratch.host("x");
    fs::write(&path, "a = 1\nold\n").expect("written");
    chown(&path, Some(12), Some(34)).expect("root may");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o604)).expect("root may");
}

fn directory(scratch: &Scratch) {
    fs::create_dir(scratch.host("x")).expect("made");
    fs::write(scratch.host("x/y"), "y").expect("written");
}

fn link(scratch: &Scratch) {
    symlink("old", scratch.host("x")).expect("made");
}

const CASES: [Case; 12] = [
    Case {
        name: "file made",
        site: "[file.\"HOST/x\"]\ncontent = \"new\\n\"\nmode = \"0640\"\n",
        old: nothing,
    },
    Case {
        name: "file changed",
        site: "[file.\"HOST/x\"]\ncontent = \"new\\n\"\nmode = \"0640\"\n",
        old: file,
    },
    Case { name: "file removed", site: "[file.\"HOST/x\"]\nensure = \"absent\"\n", old: file },
    Case {
        name: "directory made",
        site: "[directory.\"HOST/x\"]\nmode = \"0750\"\nowner = 12\n",
        old: nothing,
    },
    Case {
        name: "directory changed",
        site: "[directory.\"HOST/x\"]\nmode = \"0750\"\nowner = 12\nrecurse = true\n",
        old: directory,
    },
    Case {
        name: "directory removed",
        site: "[directory.\"HOST/x\"]\nensure = \"absent\"\nforce = true\n",
        old: directory,
    },
    Case { name: "symlink made", site: "[symlink.\"HOST/x\"]\ntarget = \"new\"\n", old: nothing },
    Case { name: "symlink changed", site: "[symlink.\"HOST/x\"]\ntarget = \"new\"\n", old: link },
    Case { name: "symlink removed", site: "[symlink.\"HOST/x\"]\nensure = \"absent\"\n", old: link },
    Case {
        name: "line made",
        site: "[line.l]\npath = \"HOST/x\"\nline = \"b = 2\"\ncreate = true\n",
        old: nothing,
    },
    Case {
        name: "line changed",
        site: "[line.l]\npath = \"HOST/x\"\nline = \"a = 2\"\nmatch = \"^a =\"\n",
        old: file,
    },
    Case {
        name: "line removed",
        site: "[line.l]\npath = \"HOST/x\"\nmatch = \"^a =\"\nensure = \"absent\"\n",
        old: file,
    },
];

impl Case {
    fn host(&self) -> Scratch {
        let scratch = Scratch::of(self.site);
        (self.old)(&scratch);
        scratch
    }

    /// The host before and after a run that nothing befell, and how many calls that took.
    fn ends(&self) -> (Host, Host, u64) {
        let scratch = self.host();
        let old = looks(&scratch);
        let Traced { ran, calls, .. } = traced(&scratch, "apply", &["--yes"], Fault::None);
        assert_eq!(ran.code, 0, "{}: {ran:?}", self.name);
        assert!(calls.len() > 15, "{}: only {} calls were seen", self.name, calls.len());
        assert_order(self.name, &calls);
        (old, looks(&scratch), calls.len() as u64)
    }
}

/// Temporary files of ours, on the host and in its state. A run that died before its journal had a name leaves what there was of
/// it in the run's own directory, which goes when old runs are forgotten.
fn temporary(scratch: &Scratch) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for top in [scratch.host(""), scratch.state("")].into_iter().filter(|top| top.exists()) {
        walk(&top, &mut |path, _| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let ours =
                name.contains(".keel-") || (name.starts_with('.') && path.starts_with(scratch.host("")));
            found.extend(ours.then(|| path.to_owned()));
        });
    }
    found
}

/// Everything is as it was or as it is to be, but for what a chain of steps has between the two.
#[track_caller]
fn assert_old_or_new(scratch: &Scratch, (old, new): (&Host, &Host), place: &str) {
    let now = looks(scratch);
    for name in old.keys().chain(new.keys()).chain(now.keys()) {
        let here = now.get(name);
        let top = name.as_os_str().is_empty();
        let ours = name.to_string_lossy().contains(".keel-");
        let [was, is] = [old, new].map(|host| host.get(name));
        let whole = here == was || here == is || is_on_the_way(here, was, is);
        assert!(top || ours || whole, "{place}: {name:?} is {here:?}");
    }
    assert!(temporary(scratch).len() <= 1, "{place}: {:?}", temporary(scratch));
}

/// A directory is made, or changes hands, by a call for its owner and another for its mode.
fn is_on_the_way(here: Option<&Looks>, was: Option<&Looks>, is: Option<&Looks>) -> bool {
    let (Some(here), Some(is)) = (here, is) else { return false };
    let of = |looks: &Looks| (looks.0, looks.1);
    let made = (0o040_700, (0, 0));
    let ((mode, owner), before, after) = (of(here), was.map_or(made, of), of(is));
    let only_attributes = was.is_none_or(|was| was.2 == is.2) && here.2 == is.2;
    only_attributes && [before.0, after.0].contains(&mode) && [before.1, after.1].contains(&owner)
}

/// The next run arrives, nothing temporary is left, and the one after it writes nothing.
#[track_caller]
fn assert_arrives(scratch: &Scratch, new: &Host, place: &str) {
    let next = scratch.keel("apply", &["--yes"]);
    assert_eq!(next.code, 0, "{place}: {next:?}");
    assert_eq!(looks(scratch), *new, "{place}");
    assert_eq!(temporary(scratch), Vec::<PathBuf>::new(), "{place}");
    let before = scratch.stamps();
    assert_eq!(scratch.keel("apply", &["--yes"]).code, 0, "{place}");
    assert_eq!(scratch.stamps(), before, "{place}");
}

/// Looks at a case, whose host is so before and so after, with this call hurt in this way.
type Check<'a> = &'a dyn Fn(&Case, (&Host, &Host), (u64, i32));

/// Calls `check` for what the sample takes of all that can befall the cases, and tells all that went wrong. How often.
fn each(sample: &mut Sample, errnos: &[i32], check: Check<'_>) -> u64 {
    let (mut count, mut wrong) = (0, Vec::new());
    for case in &CASES {
        let (old, new, calls) = case.ends();
        for (at, errno) in (1..=calls).flat_map(|at| errnos.iter().map(move |errno| (at, *errno))) {
            if !sample.takes() {
                continue;
            }
            count += 1;
            let one = AssertUnwindSafe(|| check(case, (&old, &new), (at, errno)));
            if catch_unwind(one).is_err() {
                wrong.push(format!("{}: call {at}, errno {errno}", case.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {count} went wrong, each told above: {wrong:#?}", wrong.len());
    count
}

#[test]
fn killed_before_any_call_that_writes() {
    let count = each(&mut Sample::new("F-01", 5), &[0], &|case, (old, new), (at, _)| {
        let scratch = case.host();
        let Traced { ran, hurt, .. } = traced(&scratch, "apply", &["--yes"], Fault::Kill(at));
        let place = format!("{}, killed before call {at}: {hurt:?}", case.name);
        assert_eq!(ran.code, 137, "{place}");
        assert_old_or_new(&scratch, (old, new), &place);
        assert_arrives(&scratch, new, &place);
    });
    tell("F-01", "killed before a call that writes", count);
}

/// ENOSPC, EIO, EROFS, EDQUOT, EMFILE, and what the system calls them.
const ERRNOS: [i32; 5] = [28, 5, 30, 122, 24];

/// The run told what failed and where, or made up for it: the log of events is for people, and its end is not the end of the
/// run; what could not be synced is written once more, and what could not be kept in one file with others has one of its own.
#[track_caller]
fn assert_told(traced: &Traced, (scratch, new): (&Scratch, &Host), (errno, place): (i32, &str)) {
    let (ran, hurt) = (&traced.ran, traced.hurt.as_ref().expect("it was hurt"));
    if ran.code == 0
        && (["events", "kept"].iter().any(|name| hurt.path.ends_with(name)) || hurt.name == "fsync")
    {
        return assert_eq!(looks(scratch), *new, "{place}: {ran:?}");
    }
    let (said, system) = (format!("{}{}", ran.out, ran.err), io::Error::from_raw_os_error(errno).to_string());
    let words = system.split(" (os").next().expect("words");
    assert_eq!(ran.code, 1, "{place}: {ran:?}");
    assert!(said.contains(words) && said.contains('/'), "{place}: {ran:?}");
}

#[test]
fn any_call_that_writes_fails() {
    let count = each(&mut Sample::new("F-08", 29), &ERRNOS, &|case, (old, new), (at, errno)| {
        let scratch = case.host();
        let traced = traced(&scratch, "apply", &["--yes"], Fault::Fail(at, errno));
        let place = format!("{}, errno {errno} at call {at}: {:?}", case.name, traced.hurt);
        assert_old_or_new(&scratch, (old, new), &place);
        assert_no_second_sync(&traced, &place);
        assert_told(&traced, (&scratch, new), (errno, &place));
        assert_arrives(&scratch, new, &place);
    });
    tell("F-08", "a call that writes fails, five errnos", count);
}

/// After a sync that failed nobody knows what is on the disk: it must not be tried again but on a file that is made anew.
#[track_caller]
fn assert_no_second_sync(traced: &Traced, place: &str) {
    let Some(hurt) = traced.hurt.as_ref().filter(|call| call.name.ends_with("sync")) else { return };
    let is_directory = fs::metadata(&hurt.path).is_ok_and(|meta| meta.is_dir());
    let same = |call: &&Call| call.path == hurt.path && (call.name == "openat" || call.name == hurt.name);
    let next = traced.after.iter().find(same);
    assert!(is_directory || next.is_none_or(|call| call.name == "openat"), "{place}: synced again: {next:?}");
}

/// Every sync of one run, whatever the sample is.
#[test]
fn a_sync_that_fails_is_not_tried_again() {
    let case = &CASES[1];
    let calls = traced(&case.host(), "apply", &["--yes"], Fault::None).calls;
    let syncs = (1_u64..).zip(&calls).filter(|(_, call)| call.name.ends_with("sync"));
    let mut count = 0;
    for (at, call) in syncs {
        let traced = traced(&case.host(), "apply", &["--yes"], Fault::Fail(at, 5));
        assert_no_second_sync(&traced, &format!("{}, call {at}: {call:?}", case.name));
        count += 1;
    }
    assert!(count > 5, "{count} syncs");
    tell("F-08", "a sync fails: written anew or failed, never synced again", count);
}
