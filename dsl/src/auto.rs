//! Automatic links: who owns a thing comes before who needs it, and after it where both are to be gone. The one place
//! where two owners of a thing, or the need of a thing that is to be gone, are found.

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
    others: HashMap<&'a Thing, (usize, Presence)>,
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
        for want in &footprint.wants {
            let Some((owner, presence, thing)) = owners.of(want, at) else { continue };
            let (from, to) = match (gone, presence) {
                (true, Presence::Absent) => (at, owner),
                (true, Presence::Present) | (false, Presence::Present) => (owner, at),
                (false, Presence::Absent) => {
                    findings.extend(drafts.get(owner).map(|owner| contradiction(draft, owner, &thing)));
                    continue;
                }
            };
            links.push(Link { from, to, kind: EdgeKind::Require, because: Because::Auto(thing), owner: at });
        }
    }
    links
}

fn owners<'a>(drafts: &[Draft<'_>], footprints: &'a [Footprint], findings: &mut Findings) -> Owners<'a> {
    let mut owners = Owners::default();
    for (at, footprint) in footprints.iter().enumerate() {
        for Claim { thing, presence } in &footprint.claims {
            let earlier = match thing {
                Thing::Path(path) => owners.paths.insert(bytes(path), (at, *presence)),
                other => owners.others.insert(other, (at, *presence)),
            };
            if let Some((earlier, _)) = earlier.filter(|(earlier, _)| *earlier != at)
                && let (Some(one), Some(other)) = (drafts.get(earlier), drafts.get(at))
            {
                let message = format!("{} and {} both own the {thing}", one.id, other.id);
                let diagnostic = Diagnostic::error("conflict", message, other.span())
                    .and(one.span(), "owned here already")
                    .help("keep one of the two resources");
                findings.push(diagnostic);
            }
        }
    }
    owners
}

impl Owners<'_> {
    /// The owner of a thing; of a path also that of the nearest directory above it. Never the asker.
    fn of(&self, want: &Thing, asker: usize) -> Option<(usize, Presence, Thing)> {
        let Thing::Path(path) = want else {
            let (owner, presence) = self.others.get(want).filter(|(owner, _)| *owner != asker)?;
            return Some((*owner, *presence, want.clone()));
        };
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
