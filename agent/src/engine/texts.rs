//! Unified diffs of what file writes change, for people. Nothing secret, nothing large, nothing that is no text; and nothing
//! of a file that others may not read, before or after: what it holds may be a secret that nobody declared.

use super::unified::unified;
use crate::system::{Entry, EntryKind, Look, System};
use model::{Content, Digest, HostPath, Op, Step};
use std::collections::BTreeMap;
use std::io::Read;
use wire::Blobs;

/// Files of one node that are shown: nobody reads more, and a node can be a tree of any size.
const MOST: usize = 100;

/// Largest side of a diff, in bytes.
const LARGEST: u64 = 256 << 10;

/// Diffs by path, of the writes among `steps`. What cannot be shown is left out: the step itself says that it changes.
pub fn texts(steps: &[Step], system: &dyn System, blobs: &dyn Blobs) -> Vec<(String, String)> {
    shown(steps).filter_map(|step| text(&step.op, system, blobs)).collect()
}

/// The writes of one node that are shown.
fn shown(steps: &[Step]) -> impl Iterator<Item = &Step> {
    steps.iter().filter(|step| matches!(step.op, Op::WriteFile { .. })).take(MOST)
}

/// The stored contents, with their sizes, that the diffs of nodes with these steps are likely to ask for.
pub(super) fn expected<'a>(nodes: impl IntoIterator<Item = &'a Vec<Step>>) -> BTreeMap<Digest, u64> {
    let stored = |step: &Step| match &step.op {
        Op::WriteFile { content: Content::Stored(digest, size), mode, .. }
            if *size <= LARGEST && !is_private(*mode) =>
        {
            Some((*digest, *size))
        }
        _ => None,
    };
    nodes.into_iter().flat_map(|steps| shown(steps)).filter_map(stored).collect()
}

fn is_private(mode: u32) -> bool {
    mode & 0o004 == 0
}

fn text(op: &Op, system: &dyn System, blobs: &dyn Blobs) -> Option<(String, String)> {
    let Op::WriteFile { path, content, mode, .. } = op else { return None };
    let before = system.look(path, Look::Bare).ok()?;
    if content.is_secret() {
        return None;
    }
    if is_private(*mode) || before.as_ref().is_some_and(|entry| is_private(entry.mode)) {
        return Some((path.to_string(), "not shown: others may not read it\n".to_owned()));
    }
    let new = new_text(content, blobs)?;
    let old = old_text(path, before, system)?;
    let diff = unified(&old, &new);
    (!diff.is_empty()).then(|| (path.to_string(), diff))
}

fn new_text(content: &Content, blobs: &dyn Blobs) -> Option<String> {
    if content.size() > LARGEST {
        return None;
    }
    let bytes = match content {
        Content::Held(held) => held.bytes().to_vec(),
        Content::Stored(digest, _) => {
            let mut bytes = Vec::new();
            blobs.open(digest).ok()?.take(LARGEST).read_to_end(&mut bytes).ok()?;
            bytes
        }
        Content::Hidden(_) => return None,
    };
    String::from_utf8(bytes).ok()
}

fn old_text(path: &HostPath, before: Option<Entry>, system: &dyn System) -> Option<String> {
    match before.map(|entry| entry.kind) {
        None => Some(String::new()),
        Some(EntryKind::File { size, .. }) if size <= LARGEST => {
            String::from_utf8(system.read(path, LARGEST).ok()?).ok()
        }
        Some(_) => None,
    }
}
