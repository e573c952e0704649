//! What was read and parsed already. The hosts of one call share it: each text is parsed once however many of them it makes,
//! and what is wrong with it is told to each. Holds texts of the site alone, no value and nothing that was rendered.

use crate::expr::{self, Expression};
use crate::findings::Findings;
use crate::inventory::Inventory;
use crate::parts::Parts;
use crate::source::Source;
use crate::template::{self, Prepared};
use crate::trees::FoundTree;
use std::borrow::Borrow;
use std::collections::HashMap;
use std::fmt;
use std::hash::Hash;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// So many texts of a sort are kept: what comes after them is parsed again each time.
const MOST: usize = 4096;

/// Texts that were parsed, for requests with the same loader and the same kinds. A clone shares them.
#[derive(Clone, Default)]
pub struct Texts(Arc<Shelves>);

#[derive(Default)]
struct Shelves {
    sources: Shelf<PathBuf, Told<Arc<Source>>>,
    resources: Shelf<PathBuf, Told<Declared>>,
    inventories: Shelf<PathBuf, Told<Arc<Inventory>>>,
    templates: Shelf<String, Result<Arc<Prepared>, template::Error>>,
    trees: Shelf<(PathBuf, Vec<String>), MaybeTree>,
    expressions: Shelf<String, Result<Arc<Expression>, expr::Error>>,
}

/// A directory as a tree; `None` where there is none, and in words why it cannot be read.
type MaybeTree = Result<Option<Arc<FoundTree>>, String>;

/// A text, and what it declares.
pub(crate) type Declared = (Arc<Source>, Arc<Parts>);

/// What came of a text, and what was found wrong with it.
type Told<T> = Arc<(Option<T>, Findings)>;

impl fmt::Debug for Texts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Texts")
    }
}

impl Texts {
    /// The text of a file; `read` is asked the first time.
    pub(crate) fn source(
        &self,
        path: &Path,
        findings: &mut Findings,
        read: impl FnOnce(&mut Findings) -> Option<Arc<Source>>,
    ) -> Option<Arc<Source>> {
        told(&self.0.sources, path, findings, read)
    }

    /// The declarations of a file; `read` is asked the first time.
    pub(crate) fn resources(
        &self,
        path: &Path,
        findings: &mut Findings,
        read: impl FnOnce(&mut Findings) -> Option<Declared>,
    ) -> Option<Declared> {
        told(&self.0.resources, path, findings, read)
    }

    /// The inventory in a file; `read` is asked the first time.
    pub(crate) fn inventory(
        &self,
        path: &Path,
        findings: &mut Findings,
        read: impl FnOnce(&mut Findings) -> Option<Arc<Inventory>>,
    ) -> Option<Arc<Inventory>> {
        told(&self.0.inventories, path, findings, read)
    }

    /// A template, parsed.
    pub(crate) fn template(&self, text: &str) -> Result<Arc<Prepared>, template::Error> {
        self.0.templates.get(text, || Prepared::parse(text).map(Arc::new))
    }

    /// A directory without what `globs` match; `walk` is asked the first time.
    pub(crate) fn tree(
        &self,
        (dir, globs): (&Path, &[String]),
        walk: impl FnOnce() -> MaybeTree,
    ) -> MaybeTree {
        self.0.trees.get(&(dir.to_owned(), globs.to_vec()), walk)
    }

    /// An expression, parsed.
    pub(crate) fn expression(&self, text: &str) -> Result<Arc<Expression>, expr::Error> {
        self.0.expressions.get(text, || Expression::parse(text).map(Arc::new))
    }
}

fn told<T: Clone>(
    shelf: &Shelf<PathBuf, Told<T>>,
    path: &Path,
    findings: &mut Findings,
    read: impl FnOnce(&mut Findings) -> Option<T>,
) -> Option<T> {
    let kept = shelf.get(path, || {
        let mut findings = Findings::default();
        Arc::new((read(&mut findings), findings))
    });
    findings.take_over(&kept.1);
    kept.0.clone()
}

/// What came of each text of one sort.
struct Shelf<K, V>(Mutex<HashMap<K, Arc<OnceLock<V>>>>);

impl<K, V> Default for Shelf<K, V> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Hash + Eq, V: Clone> Shelf<K, V> {
    /// What is kept of `key`; the first who asks makes it, while others that want the same wait.
    fn get<Q>(&self, key: &Q, make: impl FnOnce() -> V) -> V
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ToOwned<Owned = K> + ?Sized,
    {
        match self.slot(key) {
            Some(slot) => slot.get_or_init(make).clone(),
            None => make(),
        }
    }

    /// The place of `key`; `None` where nothing new is kept any more.
    fn slot<Q>(&self, key: &Q) -> Option<Arc<OnceLock<V>>>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ToOwned<Owned = K> + ?Sized,
    {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(slot) = kept.get(key) {
            return Some(slot.clone());
        }
        (kept.len() < MOST).then(|| kept.entry(key.to_owned()).or_default().clone())
    }
}

#[cfg(test)]
mod tests {
    use super::{MOST, Shelf};

    #[test]
    fn a_text_is_parsed_once_and_a_full_shelf_still_answers() {
        let shelf: Shelf<String, usize> = Shelf::default();
        let mut made = 0;
        for at in (0..MOST + 2).chain(0..MOST + 2) {
            let got = shelf.get(at.to_string().as_str(), || {
                made += 1;
                at
            });
            assert_eq!(got, at);
        }
        assert_eq!(made, MOST + 4);
    }
}
