//! A scratch directory with a host's files and its state, where the agent stands as a push would have put it.

use crate::peer::Peer;
use model::{Catalog, Common, Content, Digest, Id, Node};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use wire::{Order, Work};

/// A scratch host.
pub struct Host {
    dir: tempfile::TempDir,
}

impl Host {
    pub fn new() -> Self {
        let host = Self { dir: tempfile::tempdir().unwrap() };
        for dir in ["files", "state/bin"] {
            std::fs::create_dir_all(host.dir.path().join(dir)).unwrap();
        }
        let built = env!("CARGO_BIN_EXE_keel-agent");
        if std::fs::hard_link(built, host.agent()).is_err() {
            std::fs::copy(built, host.agent()).unwrap();
        }
        host
    }

    pub fn agent(&self) -> PathBuf {
        self.state("bin").join(format!("keel-agent-{}", "a".repeat(64)))
    }

    /// A path of the host.
    pub fn file(&self, name: &str) -> PathBuf {
        self.dir.path().join("files").join(name)
    }

    /// A path of its state.
    pub fn state(&self, name: &str) -> PathBuf {
        self.dir.path().join("state").join(name)
    }

    pub fn command(&self) -> Command {
        let mut command = Command::new(self.agent());
        command.arg("serve").env_clear().stdin(Stdio::piped()).stdout(Stdio::piped());
        command.stderr(Stdio::piped());
        command
    }

    /// Starts the agent.
    pub fn start(&self) -> Peer {
        Peer::start(&mut self.command())
    }

    /// Files by name and content, as a catalog in which each stands alone.
    pub fn work(&self, files: &[(&str, &[u8])]) -> Work {
        let node = |(name, bytes): &(&str, &[u8])| {
            let reference = Content::reference(Digest::of(bytes), bytes.len() as u64);
            self.node("file", name, serde_json::json!({ "content": reference }))
        };
        self.work_of(files.iter().map(node).collect())
    }

    pub fn node(&self, kind: &str, name: &str, params: serde_json::Value) -> Node {
        let name = if kind == "exec" { name.to_owned() } else { self.file(name).display().to_string() };
        Node { id: Id::new(kind, name), origins: Vec::new(), params, common: Common::default() }
    }

    pub fn link(&self, name: &str) -> Node {
        self.node("symlink", name, serde_json::json!({ "target": "t" }))
    }

    pub fn work_of(&self, nodes: Vec<Node>) -> Work {
        let catalog = Catalog::new(nodes, Vec::new()).unwrap();
        Work { catalog, scope: "test".into(), command: "apply".into(), ..Work::default() }
    }

    /// Applies `work` and wants it to end well.
    pub fn apply(&self, work: &Work, contents: &[&[u8]]) {
        let order = Order::Apply(work.clone());
        let talk = self.start().talk(&order, contents, true);
        assert!(talk.ending().is_some_and(|it| *it == wire::Ending::Changed), "{talk:?}");
    }

    /// True where no run has been, and nothing that came for one is kept.
    pub fn is_untouched(&self) -> bool {
        let empty = |dir: &Path| dir.read_dir().map_or(0, Iterator::count) == 0;
        ["runs", "blobs/sha256"].iter().all(|dir| empty(&self.state(dir))) && empty(&self.file(""))
    }
}
