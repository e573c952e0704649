//! The directory: a file for each host that has a run which goes on, named by a digest of where the host is. Nothing that a host says becomes a
//! path.

use super::entry::Entry;
use super::record::{Lost, Record};
use crate::endpoint::Endpoint;
use model::Digest;
use std::fs::{DirBuilder, read_dir};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

/// Where it is kept which runs go on.
#[derive(Clone, Debug)]
pub struct Runs {
    dir: PathBuf,
}

impl Runs {
    /// In this directory. Nothing is read or made yet.
    pub fn new(dir: &Path) -> Self {
        Self { dir: dir.to_owned() }
    }

    /// The run on this host that was lost sight of; `None` where there is none, or a call that is under way watches it.
    ///
    /// # Errors
    /// It cannot be told, in words.
    pub fn lost(&self, endpoint: &Endpoint) -> Result<Option<Lost>, String> {
        let path = self.path(endpoint);
        if path.exists() { read(&path) } else { Ok(None) }
    }

    /// All of them, on whatever host; and what cannot be read, in words.
    pub fn all_lost(&self) -> (Vec<Lost>, Vec<String>) {
        let mut paths = match paths(&self.dir) {
            Ok(paths) => paths,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Default::default(),
            Err(error) => {
                return (Vec::new(), vec![format!("{} cannot be read: {error}", self.dir.display())]);
            }
        };
        paths.sort();
        let (mut lost, mut wrong) = (Vec::new(), Vec::new());
        for path in paths {
            match read(&path) {
                Ok(found) => lost.extend(found),
                Err(because) => wrong.push(because),
            }
        }
        (lost, wrong)
    }

    /// Begins to keep a run on this host; `None` while another call does.
    ///
    /// # Errors
    /// In words.
    pub(crate) fn enter(&self, endpoint: &Endpoint) -> Result<Option<Entry>, String> {
        let path = self.path(endpoint);
        let made = DirBuilder::new().recursive(true).mode(0o700).create(&self.dir);
        let opened = made.and_then(|()| Entry::open(&path));
        opened.map_err(|error| format!("{} cannot be written: {error}", path.display()))
    }

    fn path(&self, endpoint: &Endpoint) -> PathBuf {
        let place = |endpoint: &Endpoint| format!("{}\0{}\0", endpoint.host, endpoint.port);
        let whole: String = endpoint.jumps.iter().chain([endpoint]).map(place).collect();
        self.dir.join(format!("{}.json", Digest::of(whole.as_bytes())))
    }
}

fn paths(dir: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = read_dir(dir)?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    Ok(entries.into_iter().filter(|path| path.extension().is_some_and(|end| end == "json")).collect())
}

fn read(path: &Path) -> Result<Option<Lost>, String> {
    let wrong = |error: &dyn std::fmt::Display| format!("{} cannot be read: {error}", path.display());
    let Some(mut entry) = Entry::open(path).map_err(|error| wrong(&error))? else { return Ok(None) };
    let text = entry.text().map_err(|error| wrong(&error))?;
    if text.is_empty() {
        return entry.remove().map(|()| None);
    }
    Record::read(&text).map(|record| Some(Lost(record))).map_err(|error| {
        format!("{} is damaged, and what went on there is not known: {error}; remove it", path.display())
    })
}

#[cfg(test)]
mod tests {
    use super::Runs;
    use crate::config::{Asked, SshFiles, Surroundings, resolve};
    use crate::endpoint::Endpoint;
    use crate::runs::Record;
    use crate::watch::{Mark, Seen};
    use std::path::Path;

    fn endpoint(name: &str) -> Endpoint {
        let (home, variables) = (Path::new("/home/ada"), Default::default());
        let (user, machine) = ("ada".to_owned(), "desk".to_owned());
        let surroundings = Surroundings { home: home.into(), user, uid: 1000, machine, variables };
        let files = SshFiles { instead: Some("/dev/null".into()), ..SshFiles::usual(home) };
        resolve(&Asked { name: name.into(), ..Asked::default() }, &files, &surroundings).unwrap()
    }

    fn seen() -> Seen {
        let last = Some(Mark { seq: 6, at: "t6".to_owned() });
        Seen { run: Some(3), next: 7, last, window: Some(60), reboot: None }
    }

    #[test]
    fn a_run_is_lost_when_nobody_watches_it_and_its_end_was_not_seen() {
        let dir = tempfile::tempdir().unwrap();
        let runs = Runs::new(&dir.path().join("evenkeel"));
        let (web, db) = (endpoint("web"), endpoint("db"));
        assert_eq!(runs.all_lost(), (vec![], vec![]));
        let mut entry = runs.enter(&web).unwrap().unwrap();
        entry.write(&Record::new("web1", "apply web1", &seen())).unwrap();
        assert_eq!(runs.lost(&web), Ok(None), "it is watched");
        assert!(runs.enter(&web).unwrap().is_none(), "it is watched");
        drop(entry);
        let lost = runs.lost(&web).unwrap().unwrap();
        assert_eq!(
            (lost.host(), lost.command(), lost.run(), lost.next()),
            ("web1", "apply web1", Some(3), 7)
        );
        assert_eq!(lost.seen(), seen());
        assert_eq!(runs.lost(&db), Ok(None));
        assert_eq!(runs.all_lost(), (vec![lost], vec![]));
        runs.enter(&web).unwrap().unwrap().remove().unwrap();
        assert_eq!(runs.all_lost(), (vec![], vec![]));
    }

    #[expect(clippy::disallowed_methods, reason = "damages a file of its own")]
    #[test]
    fn only_its_owner_reads_it_and_a_damaged_record_is_said() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        let (place, web) = (dir.path().join("evenkeel"), endpoint("web"));
        let runs = Runs::new(&place);
        let entry = runs.enter(&web).unwrap().unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&place), mode(&runs.path(&web))), (0o700, 0o600));
        drop(entry);
        for (text, expected) in
            [("", None), ("{\"version\":1", Some("is damaged")), ("\0\0", Some("is damaged"))]
        {
            std::fs::write(runs.path(&web), text).unwrap();
            let found = runs.lost(&web);
            assert_eq!(
                found.as_ref().err().map(|because| because.contains(expected.unwrap_or("?"))),
                expected.map(|_| true)
            );
        }
        let later = "{\"version\":2,\"host\":\"\",\"command\":\"\",\"run\":null,\"next\":0,\"last\":null,\"window\":null}";
        std::fs::write(runs.path(&web), later).unwrap();
        assert!(runs.lost(&web).unwrap_err().contains("version 2"));
        std::fs::write(place.join("x"), "").unwrap();
        assert!(Runs::new(&place.join("x")).enter(&web).is_err(), "no directory");
    }
}
