//! `symlink`: a symbolic link. It only decides; the engine acts.

use crate::kind::{Class, Kind};
use crate::parts::ensure::Ensure;
use crate::parts::place;
use crate::parts::tree::{Tree, removed};
use crate::system::{Entry, EntryKind, Look, System};
use model::{Claim, Failure, HostPath, Op, Problem, Step, Thing};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Longest target that Linux takes, in bytes (PATH_MAX with its NUL).
const LONGEST: usize = 4095;

/// A symbolic link. It is made by root, and turned to another target in one step, so that there is no moment without it. It
/// comes after the directory above it, and below `/etc/NAME/` and its like after package `NAME`, where the catalog has them.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Symlink {
    #[serde(rename = "name")]
    #[schemars(skip)]
    path: HostPath,
    /// `"present"`: the link is there. `"absent"`: it is not; what it points to stays.
    #[serde(default)]
    ensure: Ensure,
    /// What the link points to, kept as it is written: absolute, or relative to the directory of the link. It need not exist.
    /// Left out only with `ensure = "absent"`. Examples: `"/srv/app/releases/42"`, `"../sites-available/site.conf"`.
    target: Option<String>,
    /// True: what stands there and is no link (a file, FIFO, or a directory with all that is in it) is removed first, item by
    /// item, at most 10,000 items. Without it that is refused.
    #[serde(default)]
    force: bool,
}

/// What was found.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Seen {
    entry: Option<Entry>,
    /// What lies in the directory that is to go.
    tree: Tree,
}

impl Symlink {
    fn link(&self, before: Option<&str>) -> Option<Step> {
        let target = self.target.clone()?;
        let step = Step::new(Op::MakeSymlink { path: self.path.clone(), target: target.clone() });
        Some(step.because("target", before.map(str::to_owned), target))
    }
}

impl Kind for Symlink {
    const NAME: &'static str = "symlink";
    const CLASS: Class = Class::Files;
    const CONFIG: bool = true;
    const EXAMPLE: &'static str = r#"[symlink."/srv/app/current"]
target = "releases/42"

[directory."/srv/app"]
parents = true
"#;
    type Seen = Seen;

    fn check(&self) -> Vec<Problem> {
        let wrong = match &self.target {
            None if self.ensure == Ensure::Absent => None,
            None => {
                let problem = Problem::whole("a link needs a `target`");
                return vec![problem.help("write target = \"/where/it/points\", or ensure = \"absent\"")];
            }
            Some(target) if target.is_empty() => Some("a target cannot be empty".to_owned()),
            Some(target) if target.len() > LONGEST => Some(format!("a target is at most {LONGEST} bytes")),
            Some(target) if target.chars().any(char::is_control) => {
                Some("the target holds a control character".to_owned())
            }
            Some(_) => None,
        };
        wrong.map(|message| Problem::at("target", message)).into_iter().collect()
    }

    fn claims(&self) -> Vec<Claim> {
        vec![self.ensure.claim(Thing::Path(self.path.clone()))]
    }

    fn wants(&self) -> Vec<Thing> {
        place::wants(&self.path).collect()
    }

    fn probe(&self, system: &dyn System) -> Result<Seen, Failure> {
        let entry = system.look(&self.path, Look::Bare)?;
        let is_directory = entry.as_ref().is_some_and(|entry| entry.kind == EntryKind::Directory);
        let tree =
            if is_directory && self.force { Tree::probe(system, &self.path)? } else { Tree::default() };
        Ok(Seen { entry, tree })
    }

    fn plan(&self, seen: &Seen) -> Result<Vec<Step>, Failure> {
        let is_present = self.ensure == Ensure::Present;
        let found = seen.entry.as_ref().map(|entry| (entry, &entry.kind));
        match found {
            None if is_present => Ok(self.link(None).into_iter().collect()),
            None => Ok(Vec::new()),
            Some((_, EntryKind::Symlink { target })) if is_present => {
                let is_other = self.target.as_ref() != Some(target);
                Ok(is_other.then(|| self.link(Some(target))).flatten().into_iter().collect())
            }
            Some((entry, EntryKind::Symlink { .. })) => Ok(vec![removed(&self.path, entry)]),
            Some((entry, _)) => {
                let mut steps = place::clear(&self.path, entry, &seen.tree, self.force.into(), "symlink")?;
                steps.extend(if is_present { self.link(None) } else { None });
                Ok(steps)
            }
        }
    }

    fn removal(&self, seen: &Seen) -> Option<Vec<Step>> {
        match &seen.entry {
            None => Some(Vec::new()),
            Some(entry) if matches!(entry.kind, EntryKind::Symlink { .. }) => {
                Some(vec![removed(&self.path, entry)])
            }
            Some(_) => None,
        }
    }
}
