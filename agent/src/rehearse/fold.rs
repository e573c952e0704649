//! Sorts what was touched: what people want to see one by one, what belongs to a package that changed, and what nobody asks about.
//! What the catalog names is always shown one by one.

use super::compare::{Distance, Show, distance, tell};
use super::job::{Found, Job};
use super::layers::{Layers, inside};
use super::walk::{Touched, look, touched};
use super::{owners, private};
use crate::engine::Graph;
use model::{Failure, RehearsedFile, Secrets, Thing, Turn};
use serde_json::Value;
use std::collections::BTreeSet;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Where programs keep what they can make again, or what only they read.
const QUIET: &[&str] = &[
    "/var/cache",
    "/var/log",
    "/var/backups",
    "/var/lib/apt",
    "/var/lib/dpkg",
    "/var/lib/systemd",
    "/var/lib/ucf",
    "/var/tmp",
    "/tmp",
    "/run",
];

/// Single files of the same sort.
const QUIET_FILES: &[&str] = &[
    "/etc/ld.so.cache",
    "/etc/.pwd.lock",
    "/etc/passwd-",
    "/etc/shadow-",
    "/etc/group-",
    "/etc/gshadow-",
    "/etc/subuid-",
    "/etc/subgid-",
];

/// An added or removed directory with more below than this is shown as one.
const MANY: usize = 12;

/// What the catalog says of paths and secrets.
pub(super) struct Wishes {
    named: BTreeSet<PathBuf>,
    sensitive: BTreeSet<PathBuf>,
    secrets: Secrets,
    /// The agent's own records are not what a run is for.
    state: PathBuf,
    commands: bool,
}

impl Wishes {
    /// From a catalog, as the engine will read it.
    pub(super) fn of(job: &Job, secrets: &Secrets) -> Result<Self, Failure> {
        let graph = Graph::load(&job.work.catalog, secrets, crate::kinds::LIVE)?;
        let (mut named, mut sensitive) = (BTreeSet::new(), BTreeSet::new());
        for vertex in graph.vertices() {
            let is_secret = is_sensitive(&vertex.node.params);
            for claim in vertex.resource.footprint().claims {
                let path = match claim.thing {
                    Thing::Path(path) => path.as_path().to_owned(),
                    Thing::UnitFile(name) => Path::new("/etc/systemd/system").join(name),
                    _ => continue,
                };
                if is_secret {
                    sensitive.insert(path.clone());
                }
                named.insert(path);
            }
        }
        let commands = job.work.catalog.nodes().iter().any(|node| node.id.kind() == "exec");
        Ok(Self { named, sensitive, secrets: secrets.clone(), state: job.setting.state.clone(), commands })
    }

    /// True where the catalog runs commands of the user's own.
    pub(super) fn runs_commands(&self) -> bool {
        self.commands
    }

    fn is_own(&self, path: &Path) -> bool {
        path.starts_with(&self.state) || private::is_ours(path)
    }

    fn show(&self, touched: &Touched) -> Result<Show, Failure> {
        if touched.path.ancestors().any(|path| self.sensitive.contains(path)) {
            return Ok(Show::Nothing);
        }
        // What lies below a closed directory cannot be read by everybody either.
        for above in touched.path.ancestors().skip(1) {
            for form in [above.to_owned(), inside(above)] {
                if look(&form)?.is_some_and(|found| found.is_dir() && found.mode() & 0o001 == 0) {
                    return Ok(Show::Nothing);
                }
            }
        }
        // What a script made by the way is there, but nobody asked for its text.
        let by_the_way = touched.old.is_none() && !self.named.contains(&touched.path);
        Ok(if by_the_way { Show::Size } else { Show::Text })
    }
}

fn is_sensitive(params: &Value) -> bool {
    match params {
        Value::Object(map) => {
            map.get("sensitive") == Some(&Value::Bool(true))
                || map.contains_key(model::SECRET_KEY)
                || map.values().any(is_sensitive)
        }
        Value::Array(items) => items.iter().any(is_sensitive),
        _ => false,
    }
}

/// Reads all layers.
pub(super) fn found(layers: &Layers, wishes: &Wishes) -> Result<Found, Failure> {
    let mut all = touched(layers)?;
    // `/run` is no layer: only what the catalog names there is looked at.
    let run = wishes.named.iter().filter(|path| path.starts_with("/run"));
    all.extend(run.map(|path| Touched {
        path: path.clone(),
        old: Some(path.clone()),
        new: Some(inside(path)),
    }));
    all.sort_by(|one, other| one.path.cmp(&other.path));
    let (owners, names) = (owners::owners(&all)?, owners::names()?);
    let secrets: Vec<&[u8]> = wishes.secrets.values().map(|secret| secret.expose().as_slice()).collect();
    // Shorter ones are found everywhere.
    let secrets: Vec<&[u8]> = secrets.into_iter().filter(|secret| secret.len() >= 4).collect();
    let mut found = Found::default();
    for touched in all.iter().filter(|touched| !wishes.is_own(&touched.path)) {
        match (distance(touched)?, place(&touched.path, wishes, &owners)) {
            (Distance::Same, _) => {}
            (Distance::Touched, Place::Named | Place::Listed) => {
                count(&mut found.folded, "of which only the time is new")
            }
            (Distance::Touched | Distance::Different, Place::Owned(package)) => {
                count(&mut found.owned, package)
            }
            (Distance::Touched | Distance::Different, Place::Quiet(place)) => count(&mut found.folded, place),
            (Distance::Different, Place::Named | Place::Listed) => {
                let show = wishes.show(touched)?;
                found.files.push(tell(touched, show, &names, &secrets)?);
            }
        }
    }
    found.files = collapsed(found.files, &wishes.named);
    Ok(found)
}

fn count(counts: &mut std::collections::BTreeMap<String, u64>, of: &str) {
    *counts.entry(of.to_owned()).or_insert(0) += 1;
}

/// How a path is shown.
enum Place<'a> {
    Named,
    Owned(&'a str),
    Quiet(&'a str),
    Listed,
}

fn place<'a>(path: &Path, wishes: &Wishes, owners: &'a owners::Owners) -> Place<'a> {
    if wishes.named.contains(path) {
        return Place::Named;
    }
    if let Some(package) = owners.get(path) {
        return Place::Owned(package);
    }
    quiet(path).map_or(Place::Listed, Place::Quiet)
}

/// What nobody asks about, and what it is.
pub(super) fn quiet(path: &Path) -> Option<&'static str> {
    if let Some(place) = QUIET.iter().find(|place| path.starts_with(place) && path != Path::new(place)) {
        return Some(place);
    }
    if QUIET_FILES.iter().any(|file| path == Path::new(file)) {
        return Some("/etc (caches, locks, backups of the account files)");
    }
    match path.to_str() {
        Some(text) if is_boot_link(text) => Some("/etc/rc?.d"),
        Some(text) if text.contains("/__pycache__/") || text.ends_with("/__pycache__") => {
            Some("of Python's own (__pycache__)")
        }
        _ => None,
    }
}

/// `/etc/rc2.d/S01name`: what update-rc.d keeps for init systems of old.
fn is_boot_link(path: &str) -> bool {
    path.strip_prefix("/etc/rc").is_some_and(|rest| rest.get(1..4) == Some(".d/"))
}

/// Directories that came or went with much below them become one line.
fn collapsed(files: Vec<RehearsedFile>, named: &BTreeSet<PathBuf>) -> Vec<RehearsedFile> {
    let mut out: Vec<RehearsedFile> = Vec::with_capacity(files.len());
    let mut rest = files.as_slice();
    while let Some((first, after)) = rest.split_first() {
        let is_below = |file: &&RehearsedFile| file.path.starts_with(&first.path) && file.turn == first.turn;
        let below = after.iter().take_while(is_below).count();
        let is_named = |file: &RehearsedFile| named.contains(file.path.as_path());
        let one = first.what == "directory"
            && first.turn != Turn::Changed
            && below > MANY
            && !is_named(first)
            && !after[..below].iter().any(is_named);
        let mut file = first.clone();
        if one {
            file.details.push(format!("with {below} entries below"));
        }
        out.push(file);
        rest = if one { &after[below..] } else { after };
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{collapsed, is_boot_link, is_sensitive};
    use model::{HostPath, RehearsedFile, Turn};
    use std::collections::BTreeSet;

    fn file(path: &str, what: &str) -> RehearsedFile {
        let path = HostPath::new(path).unwrap();
        RehearsedFile { path, turn: Turn::Added, what: what.into(), details: Vec::new(), diff: None }
    }

    #[test]
    fn a_directory_with_much_below_is_one_line_unless_named() {
        let mut files = vec![file("/a", "directory")];
        files.extend((0..20).map(|number| file(&format!("/a/{number:02}"), "file")));
        files.push(file("/b", "file"));
        let named = BTreeSet::from(["/a/07".into()]);
        assert_eq!(collapsed(files.clone(), &named).len(), 22);
        let told = collapsed(files, &BTreeSet::new());
        assert_eq!((told.len(), told[0].details[0].as_str()), (2, "with 20 entries below"));
    }

    #[test]
    fn knows_boot_links_and_sensitive_resources() {
        assert!(is_boot_link("/etc/rc2.d/S01nginx") && is_boot_link("/etc/rcS.d/K01x"));
        assert!(!is_boot_link("/etc/rc2.d") && !is_boot_link("/etc/rc.local"));
        assert!(is_sensitive(&serde_json::json!({ "content": { "$secret": "x" } })));
        assert!(is_sensitive(&serde_json::json!({ "sensitive": true })));
        assert!(!is_sensitive(&serde_json::json!({ "sensitive": false, "list": [{ "a": 1 }] })));
    }
}
