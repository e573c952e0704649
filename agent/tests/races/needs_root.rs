//! The races, each of some seconds, or of a minute where everything is to be tried.
#![expect(clippy::disallowed_methods, reason = "sets up scratch directories and starts the attacker")]

use crate::counts::{is_full, tell};
use agent::kinds::ALL;
use agent::os::host::Host;
use agent::system::{Attempt, System};
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::Arc;
use std::time::{Duration, Instant};
use wire::NoBlobs;

const USER: u32 = 65534;

/// What must come to nobody's eyes.
const CANARY: &str = "canary-of-root";

/// Becomes the user; then, over and over: a directory against a link to one of root's, a file against a link to one of root's, a file
/// against a second name of one of root's, and everything back (renameat2(2), RENAME_EXCHANGE; its number is that of x86-64).
const ATTACK: &str = r#"
my ($home) = @ARGV; $( = 65534; $) = "65534 65534"; $< = 65534; $> = 65534; chdir $home or die "$!";
my ($d, $l, $f, $g) = ("d", "l", "f", "g");
for (my $n = 0; ; $n++) {
    syscall(316, -100, $d, -100, $l, 2); syscall(316, -100, $f, -100, $g, 2);
    if ($n % 64 == 0) { link("../outside/secret", "h") and rename("h", "f");
        unless (-e "f" || -l "f") { open(my $o, ">", "f") and print $o "mine\n"; }
        unless (-d "d" || -l "d" || -d "l") { mkdir "d"; }
        unless (-l "g" || -l "f") { symlink "../outside/secret", "g"; }
        unless (-l "l" || -l "d") { symlink "../outside", "l"; } }
}
"#;

/// Where the user has what rights.
#[derive(Clone, Copy)]
enum Place {
    /// A directory of his own.
    Home,
    /// One that everybody may write to, and take from it only what is one's own, as /tmp.
    Sticky,
}

/// Root's directory `outside`, and beside it `home` with things of the user's.
fn stage(place: Place) -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a directory");
    let mode =
        |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("root may");
    let (outside, home) = (dir.path().join("outside"), dir.path().join("home"));
    mode(dir.path(), 0o755);
    for path in [&outside, &home] {
        fs::create_dir(path).expect("made");
    }
    for name in ["secret", "x", "y", "gone"] {
        fs::write(outside.join(name), format!("{CANARY}\n")).expect("written");
        mode(&outside.join(name), 0o600);
    }
    fs::create_dir(home.join("d")).expect("made");
    fs::write(home.join("f"), "mine\n").expect("written");
    symlink("../outside", home.join("l")).expect("made");
    symlink("../outside/secret", home.join("g")).expect("made");
    for name in ["d", "f", "l", "g"] {
        std::os::unix::fs::lchown(home.join(name), Some(USER), Some(USER)).expect("root may");
    }
    match place {
        Place::Home => chown(&home, Some(USER), Some(USER)).expect("root may"),
        Place::Sticky => mode(&home, 0o1777),
    }
    dir
}

/// Owner, group, mode, names, time of change in seconds and nanoseconds, bytes.
type Looks = (u32, u32, u32, u64, i64, i64, Vec<u8>);

/// Everything about what is below.
fn listing(top: &Path) -> BTreeMap<PathBuf, Looks> {
    let mut found = BTreeMap::new();
    let mut todo = vec![top.to_owned()];
    while let Some(path) = todo.pop() {
        let meta = fs::symlink_metadata(&path).expect("it is there");
        if meta.is_dir() {
            todo.extend(
                fs::read_dir(&path).expect("a directory").map(|entry| entry.expect("an entry").path()),
            );
        }
        let bytes = if meta.is_file() { fs::read(&path).expect("root reads") } else { Vec::new() };
        let times = (meta.ctime(), meta.ctime_nsec());
        let links = meta.nlink();
        found.insert(path, (meta.uid(), meta.gid(), meta.mode(), links, times.0, times.1, bytes));
    }
    found
}

/// Applies the resources once. Whether all of it could be done: most often somebody was in the way.
fn apply(desired: &str) -> bool {
    let table: toml::Table = desired.parse().expect("TOML");
    let host = Host::new(Arc::new(NoBlobs));
    let one = |word: &str, name: &str, params: &toml::Value| {
        let kind = ALL.iter().find(|kind| kind.name() == word).expect("a kind");
        let resource = kind.decode(name, &serde_json::to_value(params).expect("JSON")).expect("it is valid");
        let steps = resource.plan(&host)?;
        let attempt = Attempt { tag: "race".to_owned(), timeout: None };
        steps.iter().try_for_each(|step| host.execute(&step.op, &attempt).map(|_| ()))
    };
    let all = table.iter().flat_map(|(word, named)| {
        named
            .as_table()
            .expect("KIND.NAME")
            .iter()
            .map(|(name, params)| one(word, name, params))
            .collect::<Vec<_>>()
    });
    all.filter(Result::is_err).count() == 0
}

/// Ends the attacker whatever comes.
struct Attacker(Child);

impl Drop for Attacker {
    fn drop(&mut self) {
        self.0.kill().expect("it is ours");
        self.0.wait().expect("it was started");
    }
}

fn race(what: &str, place: Place, desired: &str) {
    let dir = stage(place);
    let (outside, home) = (dir.path().join("outside"), dir.path().join("home"));
    let desired = desired.replace('@', &home.display().to_string());
    let before = listing(&outside);
    let attacker = Attacker(Command::new("perl").args(["-e", ATTACK]).arg(&home).spawn().expect("perl"));
    let until = Instant::now() + Duration::from_secs(if is_full() { 60 } else { 2 });
    let (mut tries, mut done) = (0, 0);
    while Instant::now() < until {
        tries += 1;
        done += u64::from(apply(&desired));
    }
    drop(attacker);
    let after = listing(&outside);
    // A second name of root's file that the user made himself, where the kernel lets him, is no doing of ours.
    let strip = |all: BTreeMap<PathBuf, _>| {
        let each =
            all.into_iter().map(|(path, (uid, gid, mode, _, _, _, bytes))| (path, (uid, gid, mode, bytes)));
        each.collect::<BTreeMap<_, _>>()
    };
    let linked = before.values().zip(after.values()).any(|(was, is)| was.3 != is.3);
    assert!(linked || before == after, "{what}: outside was {before:#?}\nis {after:#?}");
    assert_eq!(strip(before), strip(after), "{what}");
    for (path, looks) in listing(&home) {
        let leaked = String::from_utf8_lossy(&looks.6).contains(CANARY) && looks.3 == 1;
        assert!(!leaked, "{what}: what root alone may read is in {}", path.display());
    }
    assert!(tries > 10, "{what}: only {tries} tries, {done} came to an end");
    tell("T-01", "tries against a user who swaps what they go by", tries);
}

#[test]
fn a_file() {
    let desired = "[file]\n'@/d/x' = { content = 'new', mode = '0644' }\n'@/f' = { content = 'new', owner = 65534, mode = '0666' }\n\
                   '@/d/gone' = { ensure = 'absent' }\n";
    race("file", Place::Home, desired);
}

#[test]
fn a_directory_with_all_in_it() {
    let desired = "[directory]\n'@/d' = { owner = 65534, group = 65534, mode = '0777', recurse = true }\n'@/d/sub' = { owner = 65534 }\n";
    race("directory", Place::Home, desired);
}

#[test]
fn a_directory_that_goes() {
    let desired = "[directory]\n'@/d' = { ensure = 'absent', force = true }\n";
    race("directory removed", Place::Home, desired);
}

#[test]
fn a_home_that_is_handed_over() {
    let desired =
        "[directory]\n'@' = { owner = 65534, group = 65534, mode = 'u=rwX,go=rX', recurse = true }\n";
    race("home", Place::Home, desired);
}

#[test]
fn a_symlink() {
    let desired =
        "[symlink]\n'@/d/x' = { target = 'y', force = true }\n'@/f' = { target = 'd', force = true }\n";
    race("symlink", Place::Home, desired);
}

#[test]
fn a_line() {
    let desired = "[line]\na = { path = '@/f', line = 'added' }\nb = { path = '@/d/y', line = 'added', create = true }\n";
    race("line", Place::Home, desired);
}

#[test]
fn in_a_directory_like_tmp() {
    let desired = "[file]\n'@/f' = { content = 'new', mode = '0666' }\n'@/d/x' = { content = 'new' }\n\
                   [line]\na = { path = '@/f', line = 'added' }\n[directory]\n'@/d' = { mode = '0777', recurse = true }\n";
    race("sticky directory", Place::Sticky, desired);
}
