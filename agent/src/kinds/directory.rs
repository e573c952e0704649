//! `directory`: a directory, its owner, group and mode, and on request what lies in it. It only decides; the engine acts.

use crate::kind::{Class, Kind};
use crate::parts::attributes::{Attributes, Owners, Part};
use crate::parts::copied::{Copied, Differs};
use crate::parts::ensure::Ensure;
use crate::parts::mode::{Mode, Target};
use crate::parts::place;
use crate::parts::reach::Reach;
use crate::parts::tree::{Found, MOST_REMOVED, Tree, below, removed};
use crate::system::{Entry, EntryKind, Look, System};
use model::{
    Claim, Failure, Gather, Globs, HostPath, Op, Principal, Problem, Segment, SourceTree, Step, Thing, Val,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// A directory: its owner, group and mode; with `source` what a directory of the site holds, copied into it; with `recurse` and
/// `purge` also what else lies in it. What is not asked for stays as it is. It comes after the directory above it, after its owner and group, and below `/etc/NAME/`, `/usr/share/NAME/`,
/// `/var/lib/NAME/`, `/var/log/NAME/` and `/var/cache/NAME/` also after package `NAME`, where the catalog has them.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Directory {
    #[serde(rename = "name")]
    #[schemars(skip)]
    path: HostPath,
    /// `"present"`: the directory is there. `"absent"`: it is not; one that is not empty is refused without `force`.
    #[serde(default)]
    ensure: Ensure,
    /// Owner: a name, or a number as a TOML integer. Left out, the owner stays; a new directory gets `root`. Example: `"www-data"`.
    owner: Option<Principal>,
    /// Group: a name, or a number as a TOML integer. Left out, the group stays; a new directory gets `root`.
    group: Option<Principal>,
    /// Mode in a string: three or four octal digits, which are exact, or clauses as of chmod(1) with umask 0, which change the
    /// mode found. Left out, the mode stays; a new directory gets `"0755"`. Examples: `"0750"`, `"u=rwx,g+rX,o="`.
    mode: Option<Mode>,
    /// A directory beside the declaration or in its folder `files/`. All that lies in it, at any depth, is to lie in this directory
    /// just so: directories, files with their bytes, links with what they lead to. `owner` and `group` hold for all of it but
    /// links, `mode` for its directories. Each of it is owned by this resource: another one that owns a path of it is a conflict.
    /// What else lies in the directory stays, without `purge`. Example: `"htdocs"`.
    #[schemars(extend("x-keel" = "tree"))]
    source: Option<String>,
    /// Mode of the files from `source`, as `mode`; one that may be executed in the site gets x as well, for whoever may read it.
    /// Left out, the mode stays but for x, which a file has where it has it in the site; a new file gets `"0644"`.
    file_mode: Option<Mode>,
    /// What lies in the directory that `source` names: the compiler puts it here.
    #[serde(default)]
    #[schemars(skip)]
    tree: Option<SourceTree>,
    /// True: `owner`, `group` and `mode` hold for all directories and files below as well, save those that another resource of
    /// the catalog owns, and what is in them. A file never gains x from it, save where it has x for somebody already, and never
    /// gains set-id or sticky bits. Links are neither changed nor followed; FIFOs, sockets and devices stay as they are.
    #[serde(default)]
    recurse: Reach,
    /// True: what lies in the directory, at any depth, and is neither matched by `exclude` nor owned by another resource of the
    /// catalog is removed, item by item, at most 10,000 items; never across a mount point. A directory below that is a resource
    /// of its own keeps what is in it.
    #[serde(default)]
    purge: Reach,
    /// Globs for what `purge` leaves and `source` does not copy, relative to the directory: `*` and `?` stop at a slash, `**` does
    /// not. A directory that matches is left with all that is in it. Example: `["*.local", "cache/**"]`.
    #[serde(default)]
    exclude: Vec<String>,
    /// True: what stands there and is no directory (a file, link, FIFO …) is removed first, as is what stands in place of something
    /// from `source`; and with `ensure = "absent"`, also what lies in the directory, item by item, at most 10,000 items.
    #[serde(default)]
    force: bool,
    /// True: directories above that are missing are made, as root:root with mode 0755.
    #[serde(default)]
    parents: bool,
}

/// What was found.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Seen {
    entry: Option<Entry>,
    owners: Owners,
    /// Directories above that are missing, the outermost first.
    missing: Vec<HostPath>,
    /// What lies in it, where that matters.
    tree: Tree,
    /// What of that from the site is not as it is to be, sorted by path.
    differs: Vec<Differs>,
}

impl Directory {
    fn attributes(&self) -> Attributes<'_> {
        Attributes { owner: self.owner.as_ref(), group: self.group.as_ref(), mode: self.mode.as_ref() }
    }

    /// What is copied into it.
    fn copied(&self) -> Option<Copied<'_>> {
        let directories = self.attributes();
        let files = Attributes { mode: self.file_mode.as_ref(), ..directories };
        let (top, force) = (&self.path, self.force.into());
        self.tree.as_ref().map(|tree| Copied { top, tree, directories, files, force })
    }

    /// The globs of `exclude`, or what is wrong with one of them.
    fn excluded(&self) -> Result<Globs, Vec<Problem>> {
        let (mut globs, mut problems) = (Globs::default(), Vec::new());
        for (at, text) in self.exclude.iter().enumerate() {
            match globs.add(text) {
                Ok(()) if text.starts_with('/') => problems.push(
                    glob_problem(at, format!("`{text}` is not relative"))
                        .help("write it as seen from the directory, such as \"*.local\""),
                ),
                Ok(()) => {}
                Err(error) => problems.push(glob_problem(at, error)),
            }
        }
        if problems.is_empty() { Ok(globs) } else { Err(problems) }
    }

    /// Directories above that are missing; an error where one of them is something else.
    fn missing(&self, system: &dyn System) -> Result<Vec<HostPath>, Failure> {
        let mut missing = Vec::new();
        for above in self.path.ancestors() {
            match system.look(&above, Look::Bare)? {
                None => missing.insert(0, above),
                Some(entry) if matches!(entry.kind, EntryKind::Directory | EntryKind::Symlink { .. }) => {
                    break;
                }
                Some(entry) => {
                    let why = format!("{above} is a {}, so that nothing can lie in it", entry.what());
                    return Err(Failure::refused(why, "remove it, or choose another place"));
                }
            }
        }
        Ok(missing)
    }

    fn make(&self, seen: &Seen) -> Result<Vec<Step>, Failure> {
        let absent = |op| Step::new(op).because("ensure", Val::Absent, "directory");
        let root = || Principal::Name("root".to_owned());
        let above = |path| Op::MakeDirectory { path, owner: root(), group: root(), mode: 0o755 };
        let (owner, group, mode) = self.attributes().fresh(0o755, Target::Directory);
        let own = Op::MakeDirectory { path: self.path.clone(), owner, group, mode };
        let mut steps: Vec<Step> = seen.missing.iter().cloned().map(above).chain([own]).map(absent).collect();
        steps.extend(self.copied().map(|copied| copied.all_anew()).transpose()?.into_iter().flatten());
        Ok(steps)
    }

    /// The steps for a directory that is there.
    fn keep(&self, entry: &Entry, seen: &Seen) -> Result<Vec<Step>, Failure> {
        let wanted = self.attributes();
        let mut steps = Vec::from_iter(wanted.step(&self.path, entry, &seen.owners, Part::Itself));
        let copied = self.copied();
        let globs = self.excluded().map_err(|_| Failure::unknown("exclude", "it holds what is no glob"))?;
        let spares = |path: &HostPath| {
            let mut up = below(path, &self.path).ancestors();
            let is_copied = copied.as_ref().is_some_and(|copied| copied.covers(path));
            is_copied
                || !self.purge.takes(path)
                || up.any(|part| !part.as_os_str().is_empty() && globs.is_match(&part.to_string_lossy()))
        };
        let surplus = seen.tree.removal(spares)?;
        let gone: BTreeSet<&HostPath> = surplus.iter().filter_map(removed_path).gather();
        let is_copied = |path: &HostPath| copied.as_ref().is_some_and(|copied| copied.covers(path));
        let reached = |found: &&Found| {
            self.recurse.takes(&found.path) && !gone.contains(&found.path) && !is_copied(&found.path)
        };
        for Found { path, entry } in seen.tree.entries.iter().filter(reached) {
            if let EntryKind::File { .. } | EntryKind::Directory = entry.kind {
                steps.extend(wanted.step(path, entry, &seen.owners, Part::Below));
            }
        }
        if let Some(copied) = &copied {
            steps.extend(copied.steps(&seen.differs, &seen.owners)?);
        }
        Ok(surplus.into_iter().chain(steps).collect())
    }

    fn remove(&self, entry: &Entry, seen: &Seen) -> Result<Vec<Step>, Failure> {
        if self.force || entry.kind != EntryKind::Directory {
            return place::clear(&self.path, entry, &seen.tree, self.force.into(), "directory");
        }
        if !seen.tree.entries.is_empty() {
            let why = format!("{} is not empty", self.path);
            return Err(Failure::refused(why, "set `force = true` to have all that is in it removed"));
        }
        seen.tree.refuse_mounted(&self.path)?;
        Ok(vec![removed(&self.path, entry)])
    }
}

fn removed_path(step: &Step) -> Option<&HostPath> {
    match &step.op {
        Op::Remove { path } => Some(path),
        _ => None,
    }
}

fn glob_problem(at: usize, message: String) -> Problem {
    let path = vec![Segment::Key("exclude".to_owned()), Segment::Index(at)];
    Problem { path, message, help: None }
}

impl Kind for Directory {
    const NAME: &'static str = "directory";
    const CLASS: Class = Class::Files;
    const CONFIG: bool = true;
    const EXAMPLE: &'static str = r#"[directory."/srv/www/site"]
owner   = "root"
group   = "root"
mode    = "0755"
parents = true

[directory."/srv/www/old"]
ensure = "absent"
force  = true
"#;
    type Seen = Seen;

    fn check(&self) -> Vec<Problem> {
        let mut problems: Vec<Problem> = self.attributes().problems().collect();
        problems.extend(self.file_mode.iter().filter_map(|mode| mode.problem("file_mode")));
        problems.extend(self.excluded().err().into_iter().flatten());
        let is_copied = self.source.is_some() || self.tree.is_some();
        if !self.exclude.is_empty() && !self.purge.is_asked() && !is_copied {
            let problem = Problem::at("exclude", "nothing is purged or copied that could be excluded");
            problems.push(problem.help("set `purge = true`, give a `source`, or leave `exclude` out"));
        }
        if is_copied && self.ensure == Ensure::Absent {
            let problem = Problem::at("tree", "what is to be gone has no source");
            problems.push(problem.help("leave out `source`, or `ensure`"));
        }
        if self.file_mode.is_some() && !is_copied {
            let problem = Problem::at("file_mode", "there are no files that could have it");
            problems.push(problem.help("give a `source`, or leave it out"));
        }
        if self.recurse.is_asked() && self.owner.is_none() && self.group.is_none() && self.mode.is_none() {
            let problem = Problem::at("recurse", "there is nothing that could hold for the whole tree");
            problems.push(problem.help("give `owner`, `group` or `mode`, or leave `recurse` out"));
        }
        let is_swept = self.ensure == Ensure::Absent || self.purge.is_asked() || self.recurse.is_asked();
        if self.path.parent().is_none() && is_swept {
            problems.push(Problem::whole("`/` can be neither removed, purged nor changed as a whole tree"));
        }
        problems
    }

    fn claims(&self) -> Vec<Claim> {
        let own = std::iter::once(self.path.clone());
        let copied = self.copied();
        let below = copied.iter().flat_map(|copied| copied.tree.leaves().iter().map(|leaf| copied.at(leaf)));
        own.chain(below).map(|path| self.ensure.claim(Thing::Path(path))).collect()
    }

    fn wants(&self) -> Vec<Thing> {
        place::wants(&self.path).chain(self.attributes().wants()).collect()
    }

    fn probe(&self, system: &dyn System) -> Result<Seen, Failure> {
        if self.source.is_some() && self.tree.is_none() {
            return Err(Failure::unknown(self.path.to_string(), "`source` was not compiled into a tree"));
        }
        let entry = system.look(&self.path, Look::Bare)?;
        let is_directory = entry.as_ref().is_some_and(|entry| entry.kind == EntryKind::Directory);
        let is_present = self.ensure == Ensure::Present;
        let is_tree_asked = !is_present || self.recurse.is_asked() || self.purge.is_asked();
        let tree =
            if is_directory && is_tree_asked { Tree::probe(system, &self.path)? } else { Tree::default() };
        let makes_parents = is_present && entry.is_none() && self.parents;
        let missing = if makes_parents { self.missing(system)? } else { Vec::new() };
        let owners = if is_present {
            Owners::probe(self.attributes(), entry.as_ref(), system)?
        } else {
            Owners::default()
        };
        let differs = match self.copied() {
            Some(copied) if is_directory => copied.probe(system, &owners)?,
            _ => Vec::new(),
        };
        Ok(Seen { entry, owners, missing, tree, differs })
    }

    fn plan(&self, seen: &Seen) -> Result<Vec<Step>, Failure> {
        match (self.ensure, &seen.entry) {
            (Ensure::Absent, None) => Ok(Vec::new()),
            (Ensure::Absent, Some(entry)) => self.remove(entry, seen),
            (Ensure::Present, None) => self.make(seen),
            (Ensure::Present, Some(entry)) if entry.kind == EntryKind::Directory => self.keep(entry, seen),
            (Ensure::Present, Some(entry)) => {
                let mut steps = place::clear(&self.path, entry, &seen.tree, self.force.into(), "directory")?;
                steps.extend(self.make(seen)?);
                Ok(steps)
            }
        }
    }

    /// One that is not empty fails to go, and stays as it is.
    fn removal(&self, seen: &Seen) -> Option<Vec<Step>> {
        match &seen.entry {
            None => Some(Vec::new()),
            Some(entry) if entry.kind == EntryKind::Directory => {
                let copied = self.copied().map(|copied| copied.removal(&seen.differs)).unwrap_or_default();
                let is_much = copied.len() > MOST_REMOVED;
                (!is_much).then(|| copied.into_iter().chain([removed(&self.path, entry)]).collect())
            }
            Some(_) => None,
        }
    }
}
