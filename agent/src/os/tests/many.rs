//! Writing several files at once: all are as they are to be, and one that fails leaves the others alone.

use std::ffi::{OsStr, OsString};
use std::io::Cursor;
use std::path::Path;

use super::stage::{content, names, put, target};
use crate::failpoint::{Action, When, set_here};
use crate::os::atomic_write::{Target, WhenBusy};
use crate::os::parent::Parents;
use crate::os::write_many::{Item, write_many};

const EIO: i32 = 5;
const EBUSY: i32 = 16;

fn item<'a>(path: &'a Path, temp: &'a OsStr, parents: &mut Parents) -> Item<'a> {
    let target = Target { busy: WhenBusy::WriteInPlace, ..target(path, temp) };
    let parent = parents.open(path).unwrap();
    let found = parent.look().unwrap();
    Item { target, parent, found, content: Box::new(Cursor::new(b"new".to_vec())) }
}

/// Three files in two directories, of which the first two are there: which of them were written, and what each holds. Nothing else is
/// left.
fn three() -> (Vec<bool>, Vec<String>) {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("below")).unwrap();
    let paths = ["a", "b", "below/c"].map(|name| dir.path().join(name));
    paths[..2].iter().for_each(|path| put(path, "old"));
    let temps = ["a", "b", "c"].map(|name| OsString::from(format!(".{name}.temp")));
    let mut parents = Parents::default();
    let mut items: Vec<Item<'_>> =
        paths.iter().zip(&temps).map(|(path, temp)| item(path, temp, &mut parents)).collect();
    let written = write_many(&mut items).iter().map(Result::is_ok).collect();
    let held: Vec<String> =
        paths.iter().map(|path| if path.exists() { content(path) } else { "none".to_owned() }).collect();
    let there = names(dir.path()).len() + names(&dir.path().join("below")).len();
    assert_eq!(there, 3 + usize::from(held[2] != "none"), "{held:?}");
    (written, held)
}

#[test]
fn all_are_written() {
    assert_eq!(three(), (vec![true; 3], vec!["new".to_owned(); 3]));
}

#[test]
fn one_that_fails_fails_alone_and_is_as_it_was() {
    for point in ["write.create", "write.created", "write.written", "write.synced", "write.rename"] {
        for at in 0..3 {
            let broken = set_here(point, When::Nth(at as u64 + 1), Action::Error(EIO));
            let (written, held) = three();
            drop(broken);
            for (number, (written, held)) in written.into_iter().zip(held).enumerate() {
                let old = if number < 2 { "old" } else { "none" };
                let wanted = if number == at { (false, old) } else { (true, "new") };
                assert_eq!((written, held.as_str()), wanted, "{point} of {at}: {number}");
            }
        }
    }
}

#[test]
fn what_is_not_durable_is_not_said_to_be() {
    for point in ["write.renamed", "write.done"] {
        let broken = set_here(point, When::Nth(2), Action::Error(EIO));
        assert_eq!(three().0, [true, false, true], "{point}");
        drop(broken);
    }
}

#[test]
fn what_does_not_go_the_usual_way_goes_by_itself() {
    for (point, errno, at) in [("write.fsync", EIO, 2), ("write.rename", EBUSY, 1)] {
        let broken = set_here(point, When::Nth(at), Action::Error(errno));
        assert_eq!(three(), (vec![true; 3], vec!["new".to_owned(); 3]), "{point}");
        drop(broken);
    }
    // A disk that can sync nothing: the old ones stay.
    let broken = set_here("write.fsync", When::From(1), Action::Error(EIO));
    assert_eq!(three(), (vec![false; 3], ["old", "old", "none"].map(str::to_owned).to_vec()));
    drop(broken);
}
