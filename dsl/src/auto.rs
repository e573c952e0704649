//! Automatic links: who owns a thing comes before who needs it, and after it where both are to be gone. The one place
//! where two owners of a thing, or the need of a thing that is to be gone, are found. Shared things have many owners.

use crate::draft::Draft;
use crate::findings::Findings;
use crate::links::{Because, Link};
use model::{Claim, Diagnostic, EdgeKind, Footprint, HostPath, Presence, Thing};
use std::collections::HashMap;
use std::os::unix::ffi::OsStrExt;

/// Who owns each thing. Paths are kept as bytes: their ancestors are then slices.
#[derive(Default)]
struct Owners<'a> {
    paths: HashMap<&'a [u8], (usize, Presence)>,
    /// By the place where something is mounted.
    mounts: HashMap<&'a [u8], (usize, Presence)>,
    others: HashMap<&'a Thing, Vec<(usize, Presence)>>,
}

/// Adds the automatic links.
pub fn link(drafts: &[Draft<'_>], footprints: &[Footprint], findings: &mut Findings) -> Vec<Link> {
    let owners = owners(drafts, footprints, findings);
    let mut links = Vec::new();
    for (at, (draft, footprint)) in drafts.iter().zip(footprints).enumerate() {
        if !draft.auto {
            continue;
        }
        let gone = footprint.claims.iter().any(|claim| claim.presence == Presence::Absent);
        let owned = footprint.wants.iter().flat_map(|want| owners.of(want, at));
        for (owner, presence, thing) in owned {
            let (from, to) = match (gone, presence) {
                (true, Presence::Absent) => (at, owner),
                (true, Presence::Present) | (false, Presence::Present) => (owner, at),
                (false, Presence::Absent) if is_guess(&thing) => (owner, at),
                (false, Presence::Absent) => {
                    findings.extend(drafts.get(owner).map(|owner| contradiction(draft, owner, &thing)));
                    continue;
                }
            };
            links.push(Link { from, to, kind: EdgeKind::Require, because: Because::Auto(thing), owner: at });
        }
        for (mount, presence, path) in owners.mounts_over(footprint, at) {
            // What lies below goes before what is mounted there; what it was mounted on goes after it.
            let is_place = footprint.claims.iter().any(|claim| claim.thing == Thing::Path(path.clone()));
            let goes_first = gone && presence == Presence::Absent && !is_place;
            let (from, to) = if goes_first { (at, mount) } else { (mount, at) };
            let because = Because::Auto(Thing::Mount(path));
            links.push(Link { from, to, kind: EdgeKind::Require, because, owner: at });
        }
    }
    links
}

/// Kinds guess packages by name, and a unit may have a file elsewhere: that such a thing goes is no contradiction.
fn is_guess(thing: &Thing) -> bool {
    matches!(thing, Thing::Package(_) | Thing::UnitFile(_))
}

fn owners<'a>(drafts: &[Draft<'_>], footprints: &'a [Footprint], findings: &mut Findings) -> Owners<'a> {
    let mut owners = Owners::default();
    for (at, footprint) in footprints.iter().enumerate() {
        owners.paths.reserve(footprint.claims.len());
        for Claim { thing, presence } in &footprint.claims {
            let earlier = match thing {
                Thing::Path(path) => owners.paths.insert(bytes(path), (at, *presence)),
                Thing::Mount(path) => owners.mounts.insert(bytes(path), (at, *presence)),
                other => {
                    let list = owners.others.entry(other).or_default();
                    let earlier = list.last().filter(|_| !other.is_shared()).copied();
                    list.push((at, *presence));
                    earlier
                }
            };
            if let Some((earlier, _)) = earlier.filter(|(earlier, _)| *earlier != at)
                && let (Some(one), Some(other)) = (drafts.get(earlier), drafts.get(at))
            {
                let message = format!("{} and {} both own the {thing}", one.id, other.id);
                let help = match one.tree.is_some() || other.tree.is_some() {
                    true => "keep one of the two, or leave the path out of the directory by `exclude`",
                    false => "keep one of the two resources",
                };
                let diagnostic = Diagnostic::error("conflict", message, other.span())
                    .and(one.span(), "owned here already")
                    .help(help);
                findings.push(diagnostic);
            }
        }
    }
    owners
}

impl Owners<'_> {
    /// The owners of a thing; of a path the nearest one, if need be of a directory above it. Never the asker.
    fn of(&self, want: &Thing, asker: usize) -> Vec<(usize, Presence, Thing)> {
        let Thing::Path(path) = want else {
            let found = self.others.get(want).into_iter().flatten().filter(|(owner, _)| *owner != asker);
            return found.map(|(owner, presence)| (*owner, *presence, want.clone())).collect();
        };
        self.of_path(path, asker).into_iter().collect()
    }

    /// Who mounts what the paths that a resource owns or needs lie in. What is mounted at `/` was there before anybody.
    fn mounts_over(&self, footprint: &Footprint, asker: usize) -> Vec<(usize, Presence, HostPath)> {
        if self.mounts.is_empty() {
            return Vec::new();
        }
        let things = footprint.claims.iter().map(|claim| &claim.thing).chain(&footprint.wants);
        let over = |thing: &Thing| {
            let Thing::Path(path) = thing else { return None };
            let places = std::iter::once(path.clone()).chain(path.ancestors());
            places.filter(|place| place.parent().is_some()).find_map(|place| {
                let (owner, presence) =
                    *self.mounts.get(bytes(&place)).filter(|(owner, _)| *owner != asker)?;
                Some((owner, presence, place))
            })
        };
        let mut found: Vec<_> = things.filter_map(over).collect();
        found.sort_by_key(|(owner, ..)| *owner);
        found.dedup_by_key(|(owner, ..)| *owner);
        found
    }

    fn of_path(&self, path: &HostPath, asker: usize) -> Option<(usize, Presence, Thing)> {
        let mut rest = bytes(path);
        loop {
            if let Some((owner, presence)) = self.paths.get(rest).filter(|(owner, _)| *owner != asker) {
                let path = HostPath::new(std::ffi::OsStr::from_bytes(rest)).ok()?;
                return Some((*owner, *presence, Thing::Path(path)));
            }
            rest = match rest.iter().rposition(|byte| *byte == b'/')? {
                0 if rest.len() > 1 => b"/",
                0 => return None,
                at => rest.get(..at)?,
            };
        }
    }
}

fn bytes(path: &HostPath) -> &[u8] {
    path.as_path().as_os_str().as_bytes()
}

fn contradiction(draft: &Draft<'_>, owner: &Draft<'_>, thing: &Thing) -> Diagnostic {
    let message = format!("{} needs the {thing}, which {} removes", draft.id, owner.id);
    Diagnostic::error("contradiction", message, draft.span())
        .and(owner.span(), "removed here")
        .help("keep what is needed, remove both, or write `auto = false` where it is not needed after all")
}
