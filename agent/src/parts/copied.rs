//! What a resource copies into its directory from one of the site: which of it differs on the host, and the steps that make it the
//! same. Pure but for `probe`; what nobody copies is not looked at.

use super::attributes::{Attributes, Owners, Part, for_readers};
use super::many::look_at_all;
use super::mode::Target;
use super::place::{self, Force};
use super::tree::Tree;
use crate::system::{Compared, Entry, EntryKind, Look, System};
use model::{Content, Failure, HostPath, Leaf, LeafKind, Op, Run, SourceTree, Step, Val};
use serde::{Deserialize, Serialize};
use std::ffi::OsStr;

/// A directory, and what is copied into it.
pub struct Copied<'a> {
    /// The directory.
    pub top: &'a HostPath,
    /// What lies in it in the site.
    pub tree: &'a SourceTree,
    /// What is wanted of directories below.
    pub directories: Attributes<'a>,
    /// What is wanted of files.
    pub files: Attributes<'a>,
    /// Whether what stands in the way may be removed.
    pub force: Force,
}

/// Something that is not as it is in the site.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Differs {
    /// Where, as seen from the directory.
    path: String,
    /// What stands there.
    entry: Option<Entry>,
    /// True where it is a file with just the wanted bytes.
    is_same: bool,
    /// What lies in the directory that is to go.
    tree: Tree,
}

impl Copied<'_> {
    /// What differs, in the order of the tree.
    ///
    /// # Errors
    /// Where that cannot be told of something.
    pub fn probe(&self, system: &dyn System, owners: &Owners) -> Result<Vec<Differs>, Failure> {
        look_at_all(self.tree.leaves(), |leaf| {
            let path = self.at(leaf);
            let found = self.look((leaf, &path), system)?;
            // A refusal is a difference: the plan tells it.
            let is_fine = self.steps_for((leaf, &path), &found, owners).is_ok_and(|steps| steps.is_empty());
            Ok((!is_fine).then(|| Differs { path: leaf.path.to_string(), ..found }))
        })
    }

    /// The path on the host.
    pub fn at(&self, leaf: &Leaf) -> HostPath {
        self.top.join(OsStr::new(&*leaf.path))
    }

    /// True where something that is copied stands at `path`, or has to stand in place of a directory above it.
    pub fn covers(&self, path: &HostPath) -> bool {
        let Ok(below) = path.as_path().strip_prefix(self.top.as_path()) else { return false };
        let mut up =
            below.ancestors().filter_map(|part| self.tree.get(part.to_str()?).map(|leaf| (part, leaf)));
        up.any(|(part, leaf)| part == below || leaf.kind != LeafKind::Directory)
    }

    /// The steps that make all that is in `differs` the same: directories first, then all else, of which each is for itself.
    ///
    /// # Errors
    /// Where what stands in the way may not be removed.
    pub fn steps(&self, differs: &[Differs], owners: &Owners) -> Result<Vec<Step>, Failure> {
        let (mut first, mut then) = (Vec::new(), Vec::new());
        for found in differs {
            let Some(leaf) = self.tree.get(&found.path) else { continue };
            for step in self.steps_for((leaf, &self.at(leaf)), found, owners)? {
                let is_content = matches!(step.op, Op::WriteFile { .. } | Op::MakeSymlink { .. });
                if is_content { then.push(step) } else { first.push(step) }
            }
        }
        Ok(first.into_iter().chain(then).collect())
    }

    /// The steps where nothing is there yet.
    ///
    /// # Errors
    /// None: nothing stands in the way.
    pub fn all_anew(&self) -> Result<Vec<Step>, Failure> {
        let missing = |leaf: &Leaf| Differs { path: leaf.path.to_string(), ..Differs::default() };
        let all: Vec<Differs> = self.tree.leaves().iter().map(missing).collect();
        self.steps(&all, &Owners::default())
    }

    /// The steps that remove what was copied, the innermost first. What is there and of another sort is somebody else's.
    pub fn removal(&self, differs: &[Differs]) -> Vec<Step> {
        let mut steps = Vec::new();
        for leaf in self.tree.leaves().iter().rev() {
            let found = differs.binary_search_by(|found| found.path.as_str().cmp(&leaf.path));
            let (what, is_other) = match found.map(|at| &differs[at].entry) {
                Ok(None) => continue,
                Ok(Some(entry)) => (entry.what(), !is_alike(&leaf.kind, &entry.kind)),
                Err(_) => (word(&leaf.kind), false),
            };
            if !is_other {
                let op = Op::Remove { path: self.at(leaf) };
                steps.push(Step::new(op).because("ensure", what, Val::Absent));
            }
        }
        steps
    }

    fn look(&self, (leaf, path): (&Leaf, &HostPath), system: &dyn System) -> Result<Differs, Failure> {
        let Compared { entry, is_same } = match leaf.content() {
            Some(wanted) => system.compare(path, &wanted)?,
            None => Compared { entry: system.look(path, Look::Bare)?, is_same: false },
        };
        let tree = match &entry {
            Some(Entry { kind: EntryKind::File { digest: None, .. }, .. })
                if !is_same && leaf.content().is_some() =>
            {
                return Err(Failure::unknown(path.to_string(), "its bytes could not be read"));
            }
            Some(Entry { kind: EntryKind::Directory, .. })
                if leaf.kind != LeafKind::Directory && self.force == Force::Yes =>
            {
                Tree::probe(system, path)?
            }
            _ => Tree::default(),
        };
        Ok(Differs { path: String::new(), entry, is_same, tree })
    }

    fn steps_for(
        &self,
        (leaf, path): (&Leaf, &HostPath),
        found: &Differs,
        owners: &Owners,
    ) -> Result<Vec<Step>, Failure> {
        let Some(entry) = &found.entry else { return Ok(vec![self.create(leaf)]) };
        let step = match (&leaf.kind, &entry.kind) {
            (LeafKind::Directory, EntryKind::Directory) => {
                self.directories.step(path, entry, owners, Part::Copied(Run::No))
            }
            (LeafKind::File { run, .. }, EntryKind::File { .. }) => {
                self.file((leaf, path), *run, (found, entry), owners)
            }
            (LeafKind::Symlink { target }, EntryKind::Symlink { target: present }) => {
                (**target != **present).then(|| self.link(leaf, target, Some(present.clone())))
            }
            (wanted, _) => {
                let mut steps = place::clear(path, entry, &found.tree, self.force, word(wanted))?;
                steps.push(self.create(leaf));
                return Ok(steps);
            }
        };
        Ok(step.into_iter().collect())
    }

    fn file(
        &self,
        (leaf, path): (&Leaf, &HostPath),
        run: Run,
        (found, entry): (&Differs, &Entry),
        owners: &Owners,
    ) -> Option<Step> {
        let (part, content) = (Part::Copied(run), leaf.content()?);
        let (EntryKind::File { size, digest: Some(digest) }, false) = (&entry.kind, found.is_same) else {
            return self.files.step(path, entry, owners, part);
        };
        let before = show(&Content::Stored(*digest, *size));
        let after = show(&content);
        let op = written(path.clone(), content, self.files.rewritten(entry, owners, part));
        Some(self.files.explain(Step::new(op).because("content", before, after), entry, owners, part))
    }

    fn create(&self, leaf: &Leaf) -> Step {
        let path = self.at(leaf);
        match &leaf.kind {
            LeafKind::Directory => {
                let (owner, group, mode) = self.directories.fresh(0o755, Target::Directory);
                let op = Op::MakeDirectory { path, owner, group, mode };
                Step::new(op).because("ensure", Val::Absent, "directory")
            }
            LeafKind::File { digest, size, run } => {
                let content = Content::Stored(*digest, *size);
                let (owner, group, mode) = self.files.fresh(0o644, Target::File);
                let mode = if *run == Run::Yes { for_readers(mode) } else { mode };
                let after = show(&content);
                Step::new(written(path, content, (owner, group, mode))).because("content", Val::Absent, after)
            }
            LeafKind::Symlink { target } => self.link(leaf, target, None),
        }
    }

    fn link(&self, leaf: &Leaf, target: &str, before: Option<String>) -> Step {
        let op = Op::MakeSymlink { path: self.at(leaf), target: target.to_owned() };
        Step::new(op).because("target", before, target)
    }
}

fn written(path: HostPath, content: Content, who: (model::Principal, model::Principal, u32)) -> Op {
    let (owner, group, mode) = who;
    Op::WriteFile { path, content, owner, group, mode, validate: Vec::new() }
}

fn show(content: &Content) -> Val {
    let (size, digest) = (content.size(), content.digest().to_string());
    let unit = if size == 1 { "byte" } else { "bytes" };
    if size == 0 { "empty".into() } else { format!("{size} {unit} sha256:{}", &digest[..12]).into() }
}

fn word(kind: &LeafKind) -> &'static str {
    match kind {
        LeafKind::Directory => "directory",
        LeafKind::File { .. } => "file",
        LeafKind::Symlink { .. } => "symlink",
    }
}

fn is_alike(wanted: &LeafKind, found: &EntryKind) -> bool {
    matches!(
        (wanted, found),
        (LeafKind::Directory, EntryKind::Directory)
            | (LeafKind::File { .. }, EntryKind::File { .. })
            | (LeafKind::Symlink { .. }, EntryKind::Symlink { .. })
    )
}
