//! What wakes what: from the things that a catalog claims to directories, names in them and units, and from what happened there to
//! the nodes concerned. It looks at nothing itself; `watch` does.
//!
//! Every directory on the way to a path is watched for the next name on that way, so that one that comes, goes or is put in the
//! place of another is noticed wherever on the way it stands.

use agent::engine::{Graph, Vertex};
use agent::parts::fstab::FSTAB;
use model::{Catalog, Runtime, Thing, sysctl_key};
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::ops::Bound;
use std::path::{Path, PathBuf};

/// Whom something concerns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Who {
    /// A node, by its position in the catalog.
    Node(u32),
    /// Whoever compiles: the site itself changed.
    Site,
    /// Whoever reads the agent's settings.
    Settings,
    /// Whoever keeps the agent's own orders: it is paused, or goes on.
    Orders,
    /// Whoever minds what people have locked on the host.
    Locks,
}

/// Somebody, and how many milliseconds are waited for more before he is looked at.
pub type Hit = (Who, u16);

/// A file: what replaces one comes in one piece.
const FILES: u16 = 4;
/// Account tools write several files.
const ACCOUNTS: u16 = 100;
/// The service manager starts again by itself what it was told to, in this time unless said otherwise.
const UNITS: u16 = 250;
/// dpkg writes its status many times.
const PACKAGES: u16 = 2000;
/// Editors and checkouts write several files.
const SITE: u16 = 300;

/// Where packages are written down.
const STATUS: &str = "/var/lib/dpkg/status";
/// Where accounts are.
const ACCOUNT_FILES: [&str; 4] = ["/etc/passwd", "/etc/group", "/etc/shadow", "/etc/gshadow"];
/// Where an administrator's units are, and whether they start at boot (systemd.unit(5)).
const UNIT_DIRS: [&str; 2] = ["/etc/systemd/system", "/etc/systemd/system/multi-user.target.wants"];

/// What mounts is still at work when the kernel tells of it.
const MOUNTS: u16 = 20;

/// How something happened to a name in a directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// What it holds, or its attributes.
    Within,
    /// The name came, went, or stands for something else.
    Name,
}

/// What is watched, and for whom.
#[derive(Debug, Default)]
pub struct Interests {
    dirs: BTreeMap<PathBuf, Names>,
    units: BTreeMap<String, BTreeSet<u32>>,
    values: BTreeMap<PathBuf, BTreeSet<u32>>,
    mounts: BTreeMap<PathBuf, BTreeSet<u32>>,
    unwatched: BTreeMap<PathBuf, String>,
}

/// The directories in a directory, at any depth; `None` where it is none itself.
pub type Below<'a> = &'a dyn Fn(&Path) -> Option<Found>;

/// The directories in a directory.
#[derive(Debug, Default)]
pub struct Found {
    /// At any depth.
    pub dirs: Vec<PathBuf>,
    /// Those of it in which not all are known, and why.
    pub unwatched: BTreeMap<PathBuf, String>,
}

impl Found {
    /// Nothing is known of this one.
    pub fn without(dir: &Path, why: String) -> Self {
        Self { dirs: Vec::new(), unwatched: [(dir.to_owned(), why)].into() }
    }
}

/// Why not all directories of a tree are watched.
pub const TOO_MANY: &str = "there are more directories than are watched";

/// So many directories are watched, where more of them come by and by.
const MOST: usize = 10_000;

/// The names of a directory that matter.
#[derive(Debug, Default)]
struct Names {
    own: BTreeMap<OsString, BTreeSet<Hit>>,
    any: BTreeSet<Hit>,
}

/// What something that happened amounts to.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Concerned {
    /// Who is.
    pub hits: BTreeSet<Hit>,
    /// A directory on the way to others that may be another one now: what is below it has to be watched anew.
    pub anew: Option<PathBuf>,
}

impl Interests {
    /// Those of a catalog. `below` tells the directories in a directory, at any depth.
    pub fn of(graph: &Graph<'_>, below: Below<'_>) -> Self {
        let mut all = Self::default();
        for (at, vertex) in graph.vertices().iter().enumerate() {
            // A catalog with more nodes does not fit into memory.
            let at = u32::try_from(at).unwrap_or(u32::MAX);
            all.take(at, vertex, below);
        }
        all
    }

    fn take(&mut self, at: u32, vertex: &Vertex<'_>, below: Below<'_>) {
        let footprint = vertex.resource.footprint();
        let mut things: Vec<Thing> = footprint.claims.into_iter().map(|claim| claim.thing).collect();
        // A line claims no file, and is in one. Of what a command is about, this is all that can be told.
        if things.is_empty() {
            things = footprint.wants.into_iter().filter(|thing| matches!(thing, Thing::Path(_))).collect();
        }
        let is_deep = reaches_below(vertex);
        for thing in things {
            match thing {
                Thing::Path(path) => {
                    self.path(path.as_path(), (Who::Node(at), FILES));
                    if sysctl_key(&path).is_some() {
                        self.values.entry(path.as_path().to_owned()).or_default().insert(at);
                    }
                    if is_deep {
                        self.tree(path.as_path(), (Who::Node(at), FILES), below);
                    }
                }
                Thing::Package(_) => self.path(STATUS.as_ref(), (Who::Node(at), PACKAGES)),
                Thing::User(_) | Thing::Group(_) => {
                    for file in ACCOUNT_FILES {
                        self.path(file.as_ref(), (Who::Node(at), ACCOUNTS));
                    }
                }
                Thing::Unit(name) => {
                    self.units.entry(name.clone()).or_default().insert(at);
                    for dir in UNIT_DIRS {
                        self.path(&Path::new(dir).join(&name), (Who::Node(at), UNITS));
                    }
                }
                Thing::Mount(path) => {
                    self.path(FSTAB.as_ref(), (Who::Node(at), FILES));
                    self.mounts.entry(path.as_path().to_owned()).or_default().insert(at);
                }
                Thing::UnitFile(_) => {}
            }
        }
    }

    /// Watches one path for somebody.
    pub fn path(&mut self, path: &Path, hit: Hit) {
        let mut path = path;
        let mut own = Some(hit);
        while let (Some(parent), Some(name)) = (path.parent(), path.file_name()) {
            let names = self.dirs.entry(parent.to_owned()).or_default();
            if let Some(hit) = own.take() {
                names.own.entry(name.to_owned()).or_default().insert(hit);
            }
            path = parent;
        }
    }

    /// Watches all that is in a directory.
    pub fn tree(&mut self, dir: &Path, hit: Hit, below: Below<'_>) {
        self.path(dir, hit);
        // What is no directory has none in it.
        let Found { dirs, unwatched } = below(dir).unwrap_or_default();
        self.unwatched.extend(unwatched);
        for dir in dirs.into_iter().chain([dir.to_owned()]) {
            self.dirs.entry(dir).or_default().any.insert(hit);
        }
    }

    /// Watches a directory that came to be within such a tree, and all that is in it, for the same; true where any of that is new.
    pub fn grow(&mut self, dir: &Path, below: Below<'_>) -> bool {
        let Some(around) = dir.parent().and_then(|parent| self.dirs.get(parent)) else { return false };
        // Of the site it is known what was looked at.
        let hits: Vec<Hit> =
            around.any.iter().filter(|(who, _)| matches!(who, Who::Node(_))).copied().collect();
        if hits.is_empty() || below(dir).is_none() {
            return false;
        }
        let before = self.dirs.len();
        if before >= MOST {
            self.unwatched.insert(dir.parent().unwrap_or(dir).to_owned(), TOO_MANY.to_owned());
            return false;
        }
        hits.into_iter().for_each(|hit| self.tree(dir, hit, below));
        self.dirs.len() > before
    }

    /// The directories in which not all are watched, and why.
    pub fn unwatched(&self) -> impl Iterator<Item = (&Path, &str)> {
        self.unwatched.iter().map(|(dir, why)| (dir.as_path(), why.as_str()))
    }

    /// Watches what the site was made from: files, and directories with all that is right in them.
    pub fn site(&mut self, files: &[PathBuf], is_dir: impl Fn(&Path) -> bool) {
        for path in files {
            match is_dir(path) {
                true => self.tree(path, (Who::Site, SITE), &|_| None),
                false => self.path(path, (Who::Site, SITE)),
            }
        }
    }

    /// The directories to watch.
    pub fn directories(&self) -> impl Iterator<Item = &Path> {
        self.dirs.keys().map(PathBuf::as_path)
    }

    /// Those of them that are `dir` or below it.
    pub fn below<'a>(&'a self, dir: &'a Path) -> impl Iterator<Item = &'a Path> {
        let from = self.dirs.range::<Path, _>((Bound::Included(dir), Bound::Unbounded));
        from.map(|(path, _)| path.as_path()).take_while(move |path| path.starts_with(dir))
    }

    /// The units that are claimed.
    pub fn units(&self) -> impl Iterator<Item = &str> {
        self.units.keys().map(String::as_str)
    }

    /// Whom a unit concerns.
    pub fn of_unit(&self, name: &str) -> impl Iterator<Item = Hit> {
        self.units.get(name).into_iter().flatten().map(|at| (Who::Node(*at), UNITS))
    }

    /// The values of the kernel that are claimed, by their files.
    pub fn values(&self) -> impl Iterator<Item = &Path> {
        self.values.keys().map(PathBuf::as_path)
    }

    /// The places where something is to be mounted, or nothing.
    pub fn mounts(&self) -> impl Iterator<Item = &Path> {
        self.mounts.keys().map(PathBuf::as_path)
    }

    /// Whom such a place concerns.
    pub fn of_mount(&self, path: &Path) -> impl Iterator<Item = Hit> {
        self.mounts.get(path).into_iter().flatten().map(|at| (Who::Node(*at), MOUNTS))
    }

    /// Whom such a value concerns.
    pub fn of_value(&self, path: &Path) -> impl Iterator<Item = Hit> {
        self.values.get(path).into_iter().flatten().map(|at| (Who::Node(*at), FILES))
    }

    /// Whom it concerns that something happened to a name in a directory.
    pub fn happened(&self, dir: &Path, name: &OsStr, change: Change) -> Concerned {
        let mut concerned = Concerned::default();
        let Some(names) = self.dirs.get(dir) else { return concerned };
        concerned.hits.extend(names.any.iter().chain(names.own.get(name).into_iter().flatten()));
        let path = dir.join(name);
        if change == Change::Name && self.dirs.contains_key(&path) {
            concerned.hits.extend(self.all_below(&path));
            concerned.anew = Some(path);
        }
        concerned
    }

    /// Everybody with something in `dir` or below it.
    pub fn all_below(&self, dir: &Path) -> BTreeSet<Hit> {
        let names = self.below(dir).filter_map(|dir| self.dirs.get(dir));
        names.flat_map(|names| names.own.values().flatten().chain(&names.any)).copied().collect()
    }
}

/// The nodes themselves and all that come after one of them: positions, as in the catalog.
pub fn with_dependants(catalog: &Catalog, nodes: &BTreeSet<u32>) -> BTreeSet<u32> {
    let mut all = nodes.clone();
    // Edges run forward and are sorted by where they begin: one pass reaches everybody.
    for edge in catalog.edges() {
        if let (Ok(from), Ok(to)) = (u32::try_from(edge.from), u32::try_from(edge.to))
            && all.contains(&from)
        {
            all.insert(to);
        }
    }
    all
}

/// True where the resource is about what lies below its path as well: its kind has a key for that, and it is given.
fn reaches_below(vertex: &Vertex<'_>) -> bool {
    let Some(kind) = agent::kinds::ALL.iter().find(|kind| kind.name() == vertex.node.id.kind()) else {
        return false;
    };
    let given =
        |name: &str| {
            vertex.node.params.get(name).is_some_and(|value| {
                !matches!(value, serde_json::Value::Bool(false) | serde_json::Value::Null)
            })
        };
    kind.fields().iter().any(|field| field.runtime == Runtime::Claims && given(&field.name))
}

#[cfg(test)]
mod tests {
    use super::{ACCOUNTS, Change, FILES, Found, Interests, MOUNTS, PACKAGES, UNITS, Who, with_dependants};
    use agent::engine::Graph;
    use model::{Catalog, Common, Edge, EdgeKind, Id, Node, Secrets};
    use serde_json::{Value, json};
    use std::collections::BTreeSet;
    use std::path::{Path, PathBuf};

    fn node(id: &str, params: Value) -> Node {
        Node { id: Id::parse(id).unwrap(), origins: Vec::new(), params, common: Common::default() }
    }

    fn catalog() -> Catalog {
        let nodes = vec![
            node("file./etc/app/a.conf", json!({"content": "a"})),
            node("directory./srv/www", json!({"purge": []})),
            node("package.nginx", json!({})),
            node("user.ann", json!({})),
            node("service.nginx", json!({"running": true})),
            node("line./etc/hosts", json!({"path": "/etc/hosts", "line": "x"})),
            node("sysctl.net.ipv4.ip_forward", json!({"value": 1})),
            node("mount./srv/scratch", json!({"device": "tmpfs", "fstype": "tmpfs"})),
        ];
        Catalog::new(nodes, Vec::new()).unwrap()
    }

    fn interests() -> Interests {
        let catalog = catalog();
        let graph = Graph::load(&catalog, &Secrets::default(), agent::kinds::LIVE).unwrap();
        Interests::of(&graph, &|dir| match dir == Path::new("/srv/www") {
            true => {
                Some(Found { dirs: vec![PathBuf::from("/srv/www/sub")], ..Found::without(dir, "x".into()) })
            }
            false => None,
        })
    }

    #[test]
    fn each_thing_wakes_those_whom_it_concerns() {
        let all = interests();
        for (path, change, node, delay) in [
            ("/etc/app/a.conf", Change::Within, 0, FILES),
            ("/etc/app/a.conf", Change::Name, 0, FILES),
            ("/etc/app", Change::Name, 0, FILES),
            ("/etc", Change::Name, 0, FILES),
            ("/srv/www/stranger", Change::Name, 1, FILES),
            ("/srv/www/sub/stranger", Change::Name, 1, FILES),
            ("/srv/www", Change::Within, 1, FILES),
            ("/var/lib/dpkg/status", Change::Name, 2, PACKAGES),
            ("/etc/shadow", Change::Name, 3, ACCOUNTS),
            ("/etc/systemd/system/nginx.service", Change::Name, 4, UNITS),
            ("/etc/hosts", Change::Within, 5, FILES),
            ("/etc/fstab", Change::Name, 7, FILES),
            ("/etc/sysctl.d/60-keel-net.ipv4.ip_forward.conf", Change::Name, 6, FILES),
            ("/proc/sys/net/ipv4/ip_forward", Change::Within, 6, FILES),
        ] {
            let path = Path::new(path);
            let found = all.happened(path.parent().unwrap(), path.file_name().unwrap(), change);
            assert!(found.hits.contains(&(Who::Node(node), delay)), "{path:?}: {found:?}");
        }
    }

    #[test]
    fn a_unit_wakes_its_service() {
        let all = interests();
        assert_eq!(all.of_unit("nginx.service").collect::<Vec<_>>(), [(Who::Node(4), UNITS)]);
        assert_eq!((all.of_unit("ssh.service").count(), all.units().count()), (0, 1));
    }

    #[test]
    fn a_value_of_the_kernel_wakes_who_claims_it() {
        let all = interests();
        let path = Path::new("/proc/sys/net/ipv4/ip_forward");
        assert_eq!(all.values().collect::<Vec<_>>(), [path]);
        assert_eq!(all.of_value(path).collect::<Vec<_>>(), [(Who::Node(6), FILES)]);
    }

    #[test]
    fn a_mount_wakes_who_claims_its_place() {
        let all = interests();
        let path = Path::new("/srv/scratch");
        assert_eq!(all.mounts().collect::<Vec<_>>(), [path]);
        assert_eq!(all.of_mount(path).collect::<Vec<_>>(), [(Who::Node(7), MOUNTS)]);
    }

    #[test]
    fn what_concerns_nobody_wakes_nobody() {
        let all = interests();
        for (path, change) in [
            ("/etc/app/b.conf", Change::Name),
            ("/etc/app", Change::Within),
            ("/etc/resolv.conf", Change::Name),
            ("/var/lib/dpkg/lock", Change::Within),
            ("/tmp/x", Change::Name),
        ] {
            let path = Path::new(path);
            let found = all.happened(path.parent().unwrap(), path.file_name().unwrap(), change);
            assert_eq!(found, super::Concerned::default(), "{path:?}");
        }
    }

    #[test]
    fn a_directory_on_the_way_is_watched_anew() {
        let all = interests();
        let found = all.happened(Path::new("/etc"), "app".as_ref(), Change::Name);
        assert_eq!(found.anew, Some(PathBuf::from("/etc/app")));
        let below: Vec<&Path> = all.below(Path::new("/srv/www")).collect();
        assert_eq!(below, [Path::new("/srv/www"), Path::new("/srv/www/sub")]);
        assert!(all.directories().any(|dir| dir == Path::new("/")));
    }

    #[test]
    fn a_directory_that_comes_within_a_tree_is_watched_as_that_is() {
        let mut all = interests();
        let inner = || Some(Found { dirs: vec![PathBuf::from("/srv/www/new/inner")], ..Found::default() });
        assert_eq!(all.unwatched().collect::<Vec<_>>(), [(Path::new("/srv/www"), "x")], "that is known");
        assert!(!all.grow(Path::new("/srv/www/file"), &|_| None), "it is no directory");
        assert!(!all.grow(Path::new("/etc/new"), &|_| inner()), "nobody claims all of it");
        assert!(all.grow(Path::new("/srv/www/new"), &|_| inner()));
        assert!(!all.grow(Path::new("/srv/www/new"), &|_| inner()), "it is known by now");
        let found = all.happened(Path::new("/srv/www/new/inner"), "x".as_ref(), Change::Within);
        assert!(found.hits.contains(&(Who::Node(1), FILES)), "{found:?}");
    }

    #[test]
    fn who_comes_after_is_looked_at_as_well() {
        let nodes = (0..5).map(|at| node(&format!("file./{at}"), json!({"content": ""}))).collect();
        let edge = |(from, to)| Edge { from, to, kind: EdgeKind::Require, because: String::new() };
        let catalog = Catalog::new(nodes, [(0, 2), (2, 3), (1, 4)].map(edge).into()).unwrap();
        for (from, all) in [(0, &[0, 2, 3][..]), (1, &[1, 4]), (3, &[3])] {
            assert_eq!(with_dependants(&catalog, &BTreeSet::from([from])), all.iter().copied().collect());
        }
    }
}
