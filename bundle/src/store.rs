//! A bundle as the place that the compiler reads a site from: nothing is unpacked. Paths are those of the site's own directory, `elsewhere`
//! and the library are found by the names they had where the bundle was made.

use crate::archive::Bundle;
use crate::collect::{LIBRARY, SITE};
use crate::manifest::Entry;
use crate::name::Name;
use dsl::{LeavesOut, Loader};
use model::{Digest, Leaf, LeafKind, SourceTree};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::path::{Component, Path, PathBuf};

/// Where the library that the bundle brings seems to be; the place of `dsl::Request::library`.
pub const LIBRARY_ROOT: &str = "library:";

impl Bundle {
    /// The directories for `dsl::Request::library`. The root of the site is the empty path.
    pub fn library() -> Vec<PathBuf> {
        vec![PathBuf::from(LIBRARY_ROOT)]
    }

    /// The name of a file that the compiler knows by a path; `None` where no file of a bundle is meant.
    fn name(&self, path: &Path) -> Option<String> {
        let elsewhere = self.manifest().elsewhere.iter();
        let elsewhere = elsewhere.map(|(dir, name)| (Path::new(dir.as_str()), name.as_str()));
        let places = elsewhere.chain([(Path::new(LIBRARY_ROOT), LIBRARY), (Path::new(""), SITE)]);
        let (rest, place) =
            places.into_iter().find_map(|(dir, place)| Some((path.strip_prefix(dir).ok()?, place)))?;
        let mut name = place.to_owned();
        for part in rest.components() {
            let Component::Normal(part) = part else { return None };
            name.push('/');
            name.push_str(part.to_str()?);
        }
        Some(name)
    }
}

impl Loader for Bundle {
    fn read(&self, path: &Path) -> Result<Option<Vec<u8>>, String> {
        let Some(name) = self.name(path) else { return Ok(None) };
        Bundle::read(self, &name).map_err(|refusal| refusal.to_string())
    }

    fn digest(&self, path: &Path) -> Result<Option<(Digest, u64)>, String> {
        let entry = self.name(path).and_then(|name| self.manifest().files.get(name.as_str()));
        Ok(entry.map(|entry| (entry.sha256, entry.size)))
    }

    fn list(&self, dir: &Path) -> Result<Vec<String>, String> {
        let names =
            self.below(dir).into_iter().filter_map(|(path, _)| path.split('/').next().map(str::to_owned));
        let names: BTreeSet<String> = names.collect();
        Ok(names.into_iter().collect())
    }

    fn tree(&self, dir: &Path, leaves_out: LeavesOut<'_>) -> Result<Option<SourceTree>, String> {
        let is_empty = self.name(dir).is_some_and(|name| self.manifest().empty.contains(name.as_str()));
        let below = self.below(dir);
        if below.is_empty() && !is_empty {
            return Ok(None);
        }
        let mut leaves: BTreeMap<&str, LeafKind> = BTreeMap::new();
        for (path, kind) in below {
            let ends = path.match_indices('/').map(|(at, _)| at).chain([path.len()]);
            let steps: Vec<&str> = ends.filter_map(|at| path.get(..at)).collect();
            if steps.iter().any(|step| leaves_out(step)) {
                continue;
            }
            leaves.extend(steps.into_iter().map(|step| (step, LeafKind::Directory)));
            leaves.insert(path, kind);
        }
        let leaves = leaves.into_iter().map(|(path, kind)| Leaf { path: path.into(), kind });
        SourceTree::new(leaves.collect()).map(Some)
    }
}

impl Bundle {
    /// Everything below a directory, by its path from there.
    fn below(&self, dir: &Path) -> Vec<(&str, LeafKind)> {
        let Some(name) = self.name(dir) else { return Vec::new() };
        let (prefix, manifest) = (format!("{name}/"), self.manifest());
        let file = |entry: &Entry| match &entry.link {
            Some(target) => LeafKind::Symlink { target: target.as_str().into() },
            None => LeafKind::File { digest: entry.sha256, size: entry.size, run: entry.run() },
        };
        let link = |target: &String| LeafKind::Symlink { target: target.as_str().into() };
        let from = (Bound::Included(prefix.as_str()), Bound::Unbounded);
        let rest = |name: &Name| name.as_str().starts_with(prefix.as_str());
        let files = manifest.files.range::<str, _>(from).take_while(|(name, _)| rest(name));
        let links = manifest.links.range::<str, _>(from).take_while(|(name, _)| rest(name));
        let empty = manifest.empty.range::<str, _>(from).take_while(|name| rest(name));
        let all = files.map(|(name, entry)| (name, file(entry)));
        let all = all.chain(links.map(|(name, target)| (name, link(target))));
        let all = all.chain(empty.map(|name| (name, LeafKind::Directory)));
        all.filter_map(|(name, kind)| Some((name.as_str().get(prefix.len()..)?, kind))).collect()
    }
}
