//! Many files at once: what several workers do together keeps the order that each file needs, and a run that is killed in the
//! middle of it leaves each of them old or new.

use super::counts::{Sample, tell};
use super::tracer::{Call, Fault, Traced, traced};
use crate::scratch::Scratch;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// So many files, in two directories, of which every third is new.
const FILES: usize = 12;

fn name(number: usize) -> String {
    format!("{}/{number}", ["a", "b"][number % 2])
}

fn old(number: usize) -> Option<String> {
    (!number.is_multiple_of(3)).then(|| format!("old {number}\n"))
}

fn host() -> Scratch {
    let file = |number| format!("[file.\"HOST/{}\"]\ncontent = \"new {number}\\n\"\n", name(number));
    let scratch = Scratch::of(&(0..FILES).map(file).collect::<String>());
    ["a", "b"].iter().for_each(|dir| fs::create_dir(scratch.host(dir)).expect("made"));
    for number in 0..FILES {
        if let Some(text) = old(number) {
            fs::write(scratch.host(&name(number)), text).expect("written");
        }
    }
    scratch
}

/// The calls of one run, with what they say of each op.
struct Run<'a>(&'a [Call]);

/// A call, and its place among all.
type At<'a> = (usize, &'a Call);

impl<'a> Run<'a> {
    fn all(&self, is: impl Fn(&Call) -> bool) -> Vec<At<'a>> {
        self.0.iter().enumerate().filter(|(_, call)| is(call)).collect()
    }

    #[track_caller]
    fn one(&self, what: &str, is: impl Fn(&Call) -> bool) -> At<'a> {
        let all = self.all(is);
        assert_eq!(all.len(), 1, "{what}: {all:?}\nof {:#?}", self.0);
        all[0]
    }

    /// The places at which the journal gets records, by kind of record and number.
    fn records(&self) -> BTreeMap<(String, u64), (At<'a>, Value)> {
        let mut records = BTreeMap::new();
        for (at, call) in self.all(|call| call.name == "write" && is_journal(&call.path)) {
            let record: Value = serde_json::from_slice(&call.bytes[8..]).expect("one record");
            for (kind, inner) in record.as_object().into_iter().flatten() {
                if let Some(seq) = inner["seq"].as_u64() {
                    records.insert((kind.clone(), seq), ((at, call), inner.clone()));
                }
            }
        }
        records
    }

    /// Something synced `path` from its beginning to its end between the two calls.
    #[track_caller]
    fn synced(&self, path: impl Fn(&Path) -> bool, (after, before): (At<'_>, At<'_>), what: &str) {
        let between = |at: usize, call: &Call| at >= after.1.ended && call.ended <= before.0;
        let is_sync = |call: &Call| call.name.ends_with("sync") && path(&call.path);
        let syncs = self.all(is_sync);
        let found = syncs.iter().any(|(at, call)| between(*at, call));
        assert!(found, "{what}: between {after:?} and {before:?}\n{syncs:?}\nof {:#?}", self.0);
    }
}

fn is_journal(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name == "journal")
}

fn above(path: &Path) -> PathBuf {
    path.parent().expect("it is below the root").to_owned()
}

fn byte(hex: &str) -> u8 {
    u8::from_str_radix(hex, 16).expect("hexadecimal digits")
}

/// Bytes before names, names before `done`; the before-image and the intent before all of them.
#[track_caller]
fn assert_order(run: &Run<'_>) {
    let records = run.records();
    for seq in 1..=FILES as u64 {
        let (intent, said) = &records[&("intent".to_owned(), seq)];
        let (done, _) = &records[&("done".to_owned(), seq)];
        let ending = format!("-{seq}");
        let is_temp = |path: &Path| {
            let temp = path.to_string_lossy();
            temp.contains("/host/") && temp.contains(".keel-") && temp.ends_with(&ending)
        };
        let made = run.one("made", |call| call.name == "openat" && is_temp(&call.path));
        let renamed = run.one("renamed", |call| call.name == "renameat" && is_temp(&call.path));
        let written = run.all(|call| call.name == "write" && is_temp(&call.path));
        run.synced(is_journal, (*intent, made), "the intent");
        run.synced(is_temp, (*written.last().expect("it was written"), renamed), "the new content");
        let dir = above(&renamed.1.path);
        run.synced(|path| path == dir, (renamed, *done), "the directory");
        if let Some(kept) = said["before"][0][1]["path"]["file"]["content"]["plain"].as_str() {
            let digest: Vec<u8> = (0..64).step_by(2).map(|at| byte(&kept[at..at + 2])).collect();
            let is_pack = |path: &Path| path.file_name().is_some_and(|name| name == "kept");
            let holds = |call: &Call| call.bytes.windows(32).any(|bytes| bytes == digest);
            let kept = run.one("kept", |call| call.name == "write" && is_pack(&call.path) && holds(call));
            run.synced(is_pack, (kept, *intent), "the before-image");
        } else {
            assert!(said["before"].to_string().contains("absent"), "{said}");
        }
    }
}

#[test]
fn each_of_many_files_keeps_its_order() {
    let Traced { ran, calls, .. } = traced(&host(), "apply", &["--yes"], Fault::None);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_order(&Run(&calls));
}

#[track_caller]
fn assert_old_or_new(scratch: &Scratch, place: &str) {
    for number in 0..FILES {
        let now = fs::read_to_string(scratch.host(&name(number))).ok();
        assert!(now == old(number) || now == Some(format!("new {number}\n")), "{place}: {number}: {now:?}");
    }
}

#[track_caller]
fn assert_arrives(scratch: &Scratch, place: &str) {
    let next = scratch.keel("apply", &["--yes"]);
    assert_eq!(next.code, 0, "{place}: {next:?}");
    for dir in ["a", "b"] {
        let names = fs::read_dir(scratch.host(dir)).expect("it is there");
        assert_eq!(names.count(), FILES / 2, "{place}: nothing is left in {dir}");
    }
    let is_new =
        |number| fs::read_to_string(scratch.host(&name(number))).ok() == Some(format!("new {number}\n"));
    assert!((0..FILES).all(is_new), "{place}");
}

#[test]
fn killed_while_many_files_change() {
    let calls = traced(&host(), "apply", &["--yes"], Fault::None).calls.len() as u64;
    let (mut sample, mut count) = (Sample::new("F-01", 23), 0);
    for at in (1..calls).filter(|_| sample.takes()) {
        let scratch = host();
        let traced = traced(&scratch, "apply", &["--yes"], Fault::Kill(at));
        // Workers share what they wait for, now more and now less: a late call may never come.
        let place = format!("killed before call {at}: {:?}", traced.hurt);
        assert!([0, 137].contains(&traced.ran.code), "{place}: {:?}", traced.ran);
        assert_old_or_new(&scratch, &place);
        assert_arrives(&scratch, &place);
        count += u64::from(traced.ran.code == 137);
    }
    assert!(count > 5, "{count}");
    tell("F-01", "killed while many files change", count);
}

#[test]
fn a_sync_that_fails_while_many_files_change_is_told() {
    let calls = traced(&host(), "apply", &["--yes"], Fault::None).calls;
    let (mut sample, mut count) = (Sample::new("F-08", 7), 0);
    let syncs = (1_u64..).zip(&calls).filter(|(_, call)| call.name.ends_with("sync"));
    for (at, _) in syncs.filter(|_| sample.takes()) {
        let scratch = host();
        let Traced { ran, hurt, .. } = traced(&scratch, "apply", &["--yes"], Fault::Fail(at, 5));
        let place = format!("call {at} fails: {hurt:?}");
        // A temporary file is written anew; another call may have come in the place of the one that was to fail.
        assert!([0, 1].contains(&ran.code), "{place}: {ran:?}");
        assert_old_or_new(&scratch, &place);
        assert_arrives(&scratch, &place);
        count += 1;
    }
    tell("F-08", "a sync fails while many files change", count);
}
