//! Which files belong into the bundle of a site: `keel.toml`, `hosts.toml`, roles, the modules that are used, wherever they are, with files,
//! templates and tests, and the sealed secrets. Nothing else of the directory is looked at, so nothing else gets out.

use crate::manifest::Entry;
use crate::name::{Name, is_site_name};
use crate::refusal::Refusal;
use dsl::{Loader, Request, Used};
use model::{LeafKind, Run};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Where the parts are in a bundle.
pub const SITE: &str = "site";
const ELSEWHERE: &str = "modules";
/// The library that `keel` carries: as much of it as the site uses, so that a later `keel` changes nothing.
pub const LIBRARY: &str = "library";

/// What a site, and a module, may have beside its texts.
const TREES: [&str; 3] = ["files", "templates", "tests"];
/// Nobody's contents.
const LEFT_OUT: &str = ".git";

/// A site.
pub struct Wanted<'a> {
    /// The request that compiles it for no host, with all roles that are known.
    pub request: &'a Request<'a>,
    /// The directory that holds `keel.toml`.
    pub root: &'a Path,
}

/// The files of a bundle.
#[derive(Debug, Default)]
pub struct Contents {
    /// What the site calls itself.
    pub site: String,
    /// Directories of modules outside the site, as `keel.toml` names them, and where they are in the bundle.
    pub elsewhere: BTreeMap<String, Name>,
    /// Each file by its name in the bundle: where it is, and what it holds.
    pub files: BTreeMap<Name, (PathBuf, Entry)>,
    /// Links that lead to no file, and where they lead.
    pub links: BTreeMap<Name, String>,
    /// Directories with nothing in them.
    pub empty: BTreeSet<Name>,
}

impl Contents {
    /// As the manifest has them.
    pub fn entries(&self) -> BTreeMap<Name, Entry> {
        self.files.iter().map(|(name, (_, entry))| (name.clone(), entry.clone())).collect()
    }
}

/// Finds them.
///
/// # Errors
/// Where the site does not compile, has no name, or holds what no bundle can.
pub fn collect(wanted: &Wanted<'_>) -> Result<Contents, Refusal> {
    let used = dsl::used(wanted.request).map_err(Refusal::Wrong)?;
    let site = used.project.clone().filter(|name| is_site_name(name)).ok_or_else(|| Refusal::Unfit {
        what: "a site without a name".to_owned(),
        why: "give it one in keel.toml, of letters, digits, `-`, `_` and `.`: [project] name = \"shop\""
            .to_owned(),
    })?;
    let mut collector = Collector {
        loader: wanted.request.loader,
        root: wanted.root,
        places: places(wanted, &used)?,
        contents: Contents { site, ..Contents::default() },
    };
    collector.site()?;
    used.roles.iter().try_for_each(|role| collector.file(role))?;
    used.modules.iter().try_for_each(|module| collector.module(module))?;
    let outside = used.search.iter().filter(|dir| Name::new(dir.as_str()).is_err());
    for (dir, at) in outside.zip(0..) {
        collector.contents.elsewhere.insert(dir.clone(), elsewhere(at)?);
    }
    Ok(collector.contents)
}

/// Directories on this machine, and where they are in the bundle; the first that fits holds.
type Places = Vec<(PathBuf, String)>;

fn places(wanted: &Wanted<'_>, used: &Used) -> Result<Places, Refusal> {
    let mut places = Places::new();
    let outside = used.search.iter().filter(|dir| Name::new(dir.as_str()).is_err());
    for (dir, at) in outside.zip(0..) {
        places.push((wanted.root.join(dir), elsewhere(at)?.to_string()));
    }
    places.extend(wanted.request.library.iter().map(|dir| (dir.clone(), LIBRARY.to_owned())));
    places.push((wanted.root.to_owned(), SITE.to_owned()));
    Ok(places)
}

fn elsewhere(at: usize) -> Result<Name, Refusal> {
    let name = format!("{ELSEWHERE}/{at}");
    Name::new(name.as_str()).map_err(|why| Refusal::Unfit { what: name, why })
}

struct Collector<'a> {
    loader: &'a dyn Loader,
    root: &'a Path,
    places: Places,
    contents: Contents,
}

impl Collector<'_> {
    fn site(&mut self) -> Result<(), Refusal> {
        self.file(&self.root.join("keel.toml"))?;
        self.file_if_there(&self.root.join("hosts.toml"))?;
        for tree in TREES {
            self.tree(&self.root.join(tree))?;
        }
        let secrets = self.root.join("secrets");
        for name in self.list(&secrets)? {
            let path = secrets.join(&name);
            if name.ends_with(dsl::SECRET_ENDING) {
                self.sealed(&path)?;
            } else if name == "recipients" {
                self.file(&path)?;
            }
        }
        Ok(())
    }

    fn module(&mut self, dir: &Path) -> Result<(), Refusal> {
        self.file(&dir.join("module.toml"))?;
        TREES.iter().try_for_each(|tree| self.tree(&dir.join(tree)))
    }

    /// What only looks like a sealed secret may be one in clear.
    fn sealed(&mut self, path: &Path) -> Result<(), Refusal> {
        let unfit = |why: String| Refusal::Unfit { what: path.display().to_string(), why };
        let bytes = self.loader.read(path).map_err(&unfit)?.unwrap_or_default();
        let begins = ["-----BEGIN AGE ENCRYPTED FILE-----", "age-encryption.org/v1\n"];
        if !begins.iter().any(|begin| bytes.trim_ascii_start().starts_with(begin.as_bytes())) {
            return Err(unfit("it is not sealed: `keel secret create` seals what belongs there".to_owned()));
        }
        self.file(path)
    }

    fn tree(&mut self, dir: &Path) -> Result<(), Refusal> {
        let unfit = |why: String| Refusal::Unfit { what: dir.display().to_string(), why };
        let is_left_out = |path: &str| path.rsplit('/').next() == Some(LEFT_OUT);
        let Some(tree) = self.loader.tree(dir, &is_left_out).map_err(unfit)? else { return Ok(()) };
        let mut full: BTreeSet<&str> = BTreeSet::new();
        for leaf in tree.leaves() {
            full.extend(leaf.path.rsplit_once('/').map(|(above, _)| above));
        }
        for leaf in tree.leaves() {
            let path = dir.join(&*leaf.path);
            let name = self.name(&path)?;
            match &leaf.kind {
                LeafKind::Directory if full.contains(&*leaf.path) => {}
                LeafKind::Directory => drop(self.contents.empty.insert(name)),
                LeafKind::File { digest, size, run } => {
                    let entry = Entry { sha256: *digest, size: *size, run: *run == Run::Yes, link: None };
                    self.contents.files.insert(name, (path, entry));
                }
                LeafKind::Symlink { target } => self.link(name, path, target.to_string())?,
            }
        }
        Ok(())
    }

    /// What it leads to is packed with it where that is a file: the compiler reads it by this name. Else that it is there is all.
    fn link(&mut self, name: Name, path: PathBuf, target: String) -> Result<(), Refusal> {
        match self.loader.digest(&path) {
            Ok(Some(_)) if self.leads_out(&path) => {
                let why = format!(
                    "it leads out of the site, to {target}: put a copy there, if everybody may have it"
                );
                return Err(Refusal::Unfit { what: path.display().to_string(), why });
            }
            Ok(Some((sha256, size))) => {
                let entry = Entry { sha256, size, run: false, link: Some(target) };
                self.contents.files.insert(name, (path, entry));
            }
            Ok(None) | Err(_) => drop(self.contents.links.insert(name, target)),
        }
        Ok(())
    }

    /// Whether a link ends in a file of this machine that is no part of the site: a key, for one.
    fn leads_out(&self, path: &Path) -> bool {
        // The empty path is the directory that we are in.
        let is_within = |whole: &Path, dir: &Path| {
            Path::new(".").join(dir).canonicalize().is_ok_and(|dir| whole.starts_with(dir))
        };
        let end = path.canonicalize();
        end.is_ok_and(|whole| !self.places.iter().any(|(dir, _)| is_within(&whole, dir)))
    }

    fn file(&mut self, path: &Path) -> Result<(), Refusal> {
        match self.file_if_there(path)? {
            true => Ok(()),
            false => {
                let why = "it is neither a file nor a directory, or leads nowhere".to_owned();
                Err(Refusal::Unfit { what: path.display().to_string(), why })
            }
        }
    }

    fn file_if_there(&mut self, path: &Path) -> Result<bool, Refusal> {
        let unfit = |why: String| Refusal::Unfit { what: path.display().to_string(), why };
        let Some((sha256, size)) = self.loader.digest(path).map_err(unfit)? else { return Ok(false) };
        let entry = Entry { sha256, size, run: false, link: None };
        self.contents.files.insert(self.name(path)?, (path.to_owned(), entry));
        Ok(true)
    }

    /// The name in the bundle.
    fn name(&self, path: &Path) -> Result<Name, Refusal> {
        let unfit = |why: String| Refusal::Unfit { what: path.display().to_string(), why };
        let within = |(dir, place): &(PathBuf, String)| {
            Some(format!("{place}/{}", path.strip_prefix(dir).ok()?.to_str()?))
        };
        let name = self.places.iter().find_map(within);
        Name::new(name.ok_or_else(|| unfit("it lies outside the site".to_owned()))?).map_err(unfit)
    }

    fn list(&self, dir: &Path) -> Result<Vec<String>, Refusal> {
        self.loader.list(dir).map_err(|why| Refusal::io("list", dir.display(), why))
    }
}
