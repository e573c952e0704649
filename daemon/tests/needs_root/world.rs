//! A scratch host with one file, and the agent that keeps it.

use agent::os::lock::{Attempt, Holder, lock_within};
use agent::state::StateDir;
use daemon::status::{Status, told};
use daemon::{ControlLoop, Host, NoSite, Outside, Settings, Site, Source, settings};
use model::{Catalog, Common, Failure, Id, Node, OnDrift, Secrets};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use wire::{NoBlobs, Work};

/// A site with one file, which holds what `wanted` says.
pub struct OneFile {
    pub path: PathBuf,
    pub wanted: Mutex<String>,
    pub marker: PathBuf,
    pub on_drift: Option<OnDrift>,
    pub refused: Mutex<Option<String>>,
    /// A file beside it, which is to hold `one` as well.
    pub beside: Option<PathBuf>,
    /// What the file holds instead, where that is secret.
    pub secret: Mutex<Option<&'static str>>,
}

impl Source for OneFile {
    fn name(&self) -> String {
        "one file".to_owned()
    }

    fn renew(&self, _: &Settings, text: &str) -> Result<(), Failure> {
        let is_kept = !text.starts_with("# nobody keeps this");
        if is_kept { Ok(()) } else { Err(Failure::refused("there is no room", "make some")) }
    }

    fn site(&self) -> Result<Site, NoSite> {
        let mut secrets = Secrets::default();
        let content = match *self.secret.lock().unwrap() {
            Some(secret) => secrets.keep("s".to_owned(), secret.into()),
            None => json!(*self.wanted.lock().unwrap()),
        };
        let node = |id, content| Node {
            id,
            origins: Vec::new(),
            params: json!({ "content": content, "mode": "0644" }),
            common: Common { on_drift: self.on_drift, ..Common::default() },
        };
        let beside =
            self.beside.iter().map(|path| node(Id::new("file", path.display().to_string()), json!("one\n")));
        let nodes = [node(self.id(), content)].into_iter().chain(beside).collect();
        let catalog = Catalog::new(nodes, Vec::new()).unwrap();
        let (scope, command) = ("test".to_owned(), "agent".to_owned());
        let work = Work { catalog, scope, command, ..Work::default() };
        let files = vec![self.marker.clone()];
        let (blobs, warnings) = (Arc::new(NoBlobs), Vec::new());
        let refused = self.refused.lock().unwrap().clone();
        Ok(Site { work, secrets, blobs, files, warnings, bundle: None, refused })
    }

    fn is_outdated(&self) -> bool {
        *self.wanted.lock().unwrap() == "a newer program's"
    }
}

impl OneFile {
    pub fn id(&self) -> Id {
        Id::new("file", self.path.display().to_string())
    }

    /// Another site, as somebody would write it.
    pub fn want(&self, text: &str) {
        text.clone_into(&mut self.wanted.lock().unwrap());
        self.alter();
    }

    pub fn alter(&self) {
        std::fs::write(&self.marker, "changed").unwrap();
    }
}

pub struct World {
    pub dir: tempfile::TempDir,
    pub source: OneFile,
}

/// How often somebody asked what time it is.
pub static ASKED: AtomicU64 = AtomicU64::new(0);

pub fn clock() -> String {
    ASKED.fetch_add(1, Ordering::SeqCst);
    agent::os::clock::now()
}

/// What stands in the settings at first.
pub const TEXT: &str = "[source]\nfile = \"/x\"\n[reports]\njournal = false\n[fights]\ncorrections = 3\n";

impl World {
    pub fn new(on_drift: Option<OnDrift>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("etc")).unwrap();
        std::fs::write(dir.path().join("agent.toml"), TEXT).unwrap();
        let (path, marker) = (dir.path().join("etc/file"), dir.path().join("site.toml"));
        let (wanted, refused, secret) = (Mutex::new("one\n".into()), Mutex::default(), Mutex::default());
        let beside = None;
        Self { source: OneFile { path, wanted, marker, on_drift, refused, beside, secret }, dir }
    }

    pub fn state(&self) -> StateDir {
        StateDir::new(self.dir.path().join("state"))
    }

    pub fn reports(&self) -> String {
        std::fs::read_to_string(self.dir.path().join("state/agent/reports.jsonl")).unwrap_or_default()
    }

    pub fn status(&self) -> Status {
        told(&self.state(), 0).unwrap().status.unwrap_or_default()
    }

    /// Does something while nobody else works on the host: the agent may be looking at what it has just written itself.
    pub fn alone(&self, act: impl FnOnce()) {
        let (run, since, command) = ("7".to_owned(), clock(), "apply".to_owned());
        let by = Holder { pid: std::process::id(), run, since, command };
        let lock = lock_within(&self.dir.path().join("state/lock"), &by, Duration::from_secs(20)).unwrap();
        assert!(matches!(lock, Attempt::Taken(_)));
        act();
    }

    pub fn content(&self) -> String {
        std::fs::read_to_string(&self.source.path).unwrap_or_default()
    }

    /// The agent, by these settings.
    pub fn agent(&self, text: &str) -> ControlLoop<'_> {
        std::fs::write(self.dir.path().join("agent.toml"), text).unwrap();
        let host = Host {
            state: self.state(),
            settings: Some(self.dir.path().join("agent.toml")),
            name: "h".into(),
            machine_id: "m".into(),
            clock: &clock,
            outside: Outside::default(),
        };
        ControlLoop::new(settings::read("x", text).unwrap(), &self.source, host).unwrap()
    }

    /// Runs the agent while `act` goes on, and ends it.
    pub fn keep(&self, act: impl FnOnce() + Send) {
        self.keep_by(TEXT, act);
    }

    /// The same by other settings.
    pub fn keep_by(&self, text: &str, act: impl FnOnce() + Send) {
        let mut agent = self.agent(text);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                // A test that fails is to end as well, and to say what was told.
                let _ending = End(self.dir.path());
                soon("the first look", || self.reports().contains("\"cause\":\"start\""));
                act();
            });
            agent.run().unwrap();
        });
    }
}

/// Asks the agent to end as its unit would. Each test is a process of its own.
struct End<'a>(&'a Path);

impl Drop for End<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", std::fs::read_to_string(self.0.join("state/agent/reports.jsonl")).unwrap());
        }
        rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::TERM).unwrap();
    }
}

pub fn soon(what: &str, holds: impl Fn() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < Duration::from_secs(60), "{what} did not come");
        std::thread::sleep(Duration::from_millis(5));
    }
}

pub fn has_no_root() -> bool {
    !rustix::process::geteuid().is_root()
}
