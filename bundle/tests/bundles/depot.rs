//! What a host takes, and what stays in force whatever else it is offered.

use crate::workshop::{NOW, bytes, digests, key, line, site};
use bundle::{Allowed, Depot, Directory, Limit, Policy, Refusal, Source, Taken, Turn};
use ssh_key::PrivateKey;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::Write;
use std::sync::Arc;

/// A place in memory, which somebody can tamper with.
#[derive(Default)]
struct Shelf(RefCell<BTreeMap<String, Vec<u8>>>);

impl Source for Shelf {
    fn place(&self) -> String {
        "shelf".to_owned()
    }

    fn get(&self, name: &str, most: Limit, to: &mut dyn Write) -> Result<Option<u64>, Refusal> {
        let held = self.0.borrow();
        let Some(bytes) = held.get(name) else { return Ok(None) };
        let size = bytes.len() as u64;
        if size > most {
            return Err(Refusal::TooLarge { size, most });
        }
        to.write_all(bytes).map_err(|error| Refusal::io("write", name, error))?;
        Ok(Some(size))
    }

    fn put(&self, name: &str, bytes: &[u8]) -> Result<(), Refusal> {
        self.0.borrow_mut().insert(name.to_owned(), bytes.to_vec());
        Ok(())
    }
}

impl Shelf {
    /// Changes what ends so.
    fn tamper(&self, ending: &str, change: impl Fn(&mut Vec<u8>)) {
        self.0
            .borrow_mut()
            .iter_mut()
            .filter(|(name, _)| name.ends_with(ending))
            .for_each(|(_, held)| change(held));
    }
}

fn publish(to: &dyn Source, key: &PrivateKey, (counter, turn): (u64, Turn)) -> Result<u64, String> {
    let bytes = bytes(&site(), counter);
    let signature = bundle::sign(key, &digests(&bytes)).expect("it signs");
    let published = bundle::publish(Arc::new(bytes), signature.as_bytes(), (to, turn));
    published.map(|published| published.manifest.counter).map_err(|refusal| refusal.to_string())
}

/// A host that believes the key 1.
struct Host(Depot, tempfile::TempDir);

impl Host {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        Self(Depot::new(dir.path().join("shop")), dir)
    }

    /// Takes what is there: what is new, else why not.
    fn take(&self, from: &dyn Source) -> Result<Option<u64>, String> {
        let allowed = Allowed::parse("allowed", &line("", &key(1))).expect("it is one");
        let policy = Policy { allowed: &allowed, site: None, now: NOW };
        match self.0.take(from, "shop", &policy) {
            Ok(Taken::New(record)) => Ok(Some(record.counter)),
            Ok(Taken::Same(_)) => Ok(None),
            Err(refusal) => Err(refusal.to_string()),
        }
    }

    fn in_force(&self) -> Option<u64> {
        self.0.in_force().expect("it can be told").map(|(_, bundle)| bundle.manifest().counter)
    }
}

#[test]
fn the_newest_is_taken_and_kept() {
    let (host, shelf) = (Host::new(), Shelf::default());
    assert_eq!(host.take(&shelf), Err("there is no bundle of the site `shop` at shelf".to_owned()));
    assert_eq!(host.in_force(), None);
    for (counter, taken) in [(7, Ok(Some(7))), (7, Ok(None)), (9, Ok(Some(9)))] {
        assert_eq!(publish(&shelf, &key(1), (counter, Turn::Forward)), Ok(counter));
        assert_eq!(host.take(&shelf), taken);
        assert_eq!(host.in_force(), Some(counter));
    }
    // The one before is gone, and so is what a power cut may have left.
    let names = |host: &Host| std::fs::read_dir(host.1.path().join("shop")).expect("there").count();
    assert_eq!(names(&host), 3);
}

#[test]
fn a_place_goes_back_only_if_told_and_a_host_never() {
    let (host, shelf) = (Host::new(), Shelf::default());
    assert_eq!(publish(&shelf, &key(1), (9, Turn::Forward)), Ok(9));
    assert_eq!(host.take(&shelf), Ok(Some(9)));
    let older = "the bundle has the counter 8, and one with 9 was here already: an older bundle is not taken";
    assert_eq!(publish(&shelf, &key(1), (8, Turn::Forward)), Err(older.to_owned()));
    assert_eq!(publish(&shelf, &key(1), (8, Turn::Back)), Ok(8));
    assert_eq!(host.take(&shelf), Err(older.to_owned()));
    // A pointer that lies about the counter does not help.
    shelf.tamper("latest", |text| {
        *text = String::from_utf8_lossy(text).replace("\"counter\": 8", "\"counter\": 99").into_bytes()
    });
    assert_eq!((host.take(&shelf), host.in_force()), (Err(older.to_owned()), Some(9)));
}

type Change = fn(&mut Vec<u8>);

/// What ends so, what is done to it, what is said of it.
const TAMPERED: [(&str, Change, &str); 7] = [
    (".bundle", |held| held[700] ^= 1, "gives something else than the bundle"),
    (".bundle", |held| held.truncate(4000), "the bundle is cut off: 4000 of "),
    (".bundle", Vec::clear, "the bundle is cut off: 0 of "),
    (".bundle", |held| held.extend([0; 512]), "are the most that is taken"),
    (".latest", |held| held.truncate(99), "shelf/shop.latest cannot be used: it is no pointer to a bundle"),
    (".latest", |held| *held = b"{\"format\":2}".to_vec(), "the bundle has the format 2"),
    (".latest", |held| held.resize(200_000, b' '), "the bundle has 200000 bytes, and 131072 are the most"),
];

#[test]
fn what_a_place_does_to_it_changes_nothing_on_the_host() {
    let (host, shelf) = (Host::new(), Shelf::default());
    assert_eq!(publish(&shelf, &key(1), (7, Turn::Forward)), Ok(7));
    assert_eq!(host.take(&shelf), Ok(Some(7)));
    for (ending, change, why) in TAMPERED {
        let shelf = Shelf::default();
        assert_eq!(publish(&shelf, &key(1), (8, Turn::Forward)), Ok(8));
        shelf.tamper(ending, change);
        let told = host.take(&shelf).expect_err(why);
        assert!(told.contains(why), "{told}");
        assert_eq!(host.in_force(), Some(7));
    }
}

#[test]
fn a_stranger_and_another_with_the_same_counter_are_refused() {
    let (host, shelf) = (Host::new(), Shelf::default());
    assert_eq!(publish(&shelf, &key(1), (7, Turn::Forward)), Ok(7));
    assert_eq!(host.take(&shelf), Ok(Some(7)));
    assert_eq!(publish(&shelf, &key(2), (8, Turn::Forward)), Ok(8));
    let told = host.take(&shelf).expect_err("it is a stranger's");
    assert!(told.ends_with(", which is not in allowed"), "{told}");
    let other = bytes(&site().with("files/motd", "other"), 7);
    let signature = bundle::sign(&key(1), &digests(&other)).expect("it signs");
    bundle::publish(Arc::new(other), signature.as_bytes(), (&shelf, Turn::Back)).expect("it is told to");
    let told = host.take(&shelf).expect_err("it has the same counter");
    assert!(told.contains("has the counter 7 like the one in force, and is another"), "{told}");
    assert_eq!(host.in_force(), Some(7));
}

#[test]
fn of_a_stranger_nothing_is_fetched() {
    let (host, shelf) = (Host::new(), Shelf::default());
    assert_eq!(publish(&shelf, &key(2), (8, Turn::Forward)), Ok(8));
    shelf.0.borrow_mut().retain(|name, _| name.ends_with(".latest"));
    let told = host.take(&shelf).expect_err("it is a stranger's");
    assert!(told.ends_with(", which is not in allowed"), "{told}");
}

#[test]
fn what_somebody_left_who_was_ended_goes() {
    let (host, shelf) = (Host::new(), Shelf::default());
    assert_eq!(publish(&shelf, &key(1), (7, Turn::Forward)), Ok(7));
    assert_eq!(host.take(&shelf), Ok(Some(7)));
    let left = host.1.path().join("shop/.incoming-x");
    std::fs::write(&left, "half of one").expect("written");
    assert_eq!((host.take(&shelf), left.exists(), host.in_force()), (Ok(None), false, Some(7)));
}

#[test]
fn what_is_damaged_on_the_host_is_told_and_fetched_again() {
    let (host, shelf) = (Host::new(), Shelf::default());
    assert_eq!(publish(&shelf, &key(1), (7, Turn::Forward)), Ok(7));
    assert_eq!(host.take(&shelf), Ok(Some(7)));
    let entries = std::fs::read_dir(host.1.path().join("shop")).expect("there");
    let paths: Vec<_> = entries.map(|entry| entry.expect("there").path()).collect();
    let end =
        |ending: &str| paths.iter().find(|path| path.to_string_lossy().ends_with(ending)).expect(ending);
    std::fs::write(end(".bundle"), "damaged").expect("written");
    assert!(
        host.0
            .in_force()
            .err()
            .is_some_and(|refusal| refusal.to_string().starts_with("the bundle is damaged"))
    );
    assert_eq!((host.take(&shelf), host.in_force()), (Ok(Some(7)), Some(7)));
    // Without its record the counter would be lost: nothing is taken.
    std::fs::write(end(".json"), "{").expect("written");
    assert!(host.take(&shelf).expect_err("it is damaged").contains("in-force.json: it is damaged"));
}

#[test]
fn a_directory_is_a_place() {
    let dir = tempfile::tempdir().expect("a directory");
    let (host, place) = (Host::new(), Directory::new(dir.path().join("made/here")));
    assert_eq!(publish(&place, &key(1), (7, Turn::Forward)), Ok(7));
    assert_eq!((host.take(&place), host.take(&place)), (Ok(Some(7)), Ok(None)));
    let mut names: Vec<_> = std::fs::read_dir(dir.path().join("made/here"))
        .expect("there")
        .map(|entry| entry.expect("there").file_name())
        .collect();
    names.sort();
    assert!(
        names.len() == 2 && names[1] == "shop.latest" && names[0].to_string_lossy().starts_with("sha256-")
    );
}

#[test]
fn what_is_of_no_use_here_is_not_put_in_force() {
    let (host, shelf) = (Host::new(), Shelf::default());
    assert_eq!(publish(&shelf, &key(1), (7, Turn::Forward)), Ok(7));
    assert_eq!(host.take(&shelf), Ok(Some(7)));
    assert_eq!(publish(&shelf, &key(1), (8, Turn::Forward)), Ok(8));
    let allowed = Allowed::parse("allowed", &line("", &key(1))).expect("it is one");
    let policy = Policy { allowed: &allowed, site: None, now: NOW };
    let told = host.0.take_if(&shelf, "shop", &policy, &|_| Err("no".to_owned()));
    let told = told.expect_err("it is of no use").to_string();
    assert_eq!(told, "the bundle with the counter 8 is of no use on this host: no");
    assert_eq!(host.in_force(), Some(7));
    // The counter was not used up by it.
    assert_eq!(host.take(&shelf), Ok(Some(8)));
}
