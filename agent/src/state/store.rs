//! Bytes kept under their fingerprint, so that what was overwritten can come back.

use super::StateDir;
use super::arrival::Arrival;
use super::dir::write_private;
use super::pack::{Pack, Packed};
use crate::os::safe_path::{self, Follow};
use crate::undo::{Keep, LARGEST_KEPT, Secrecy};
use model::{Digest, Failure, Fingerprint, HostPath, Secret};
use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};
use wire::Blobs;

/// The host's store. Plain bytes are named by their SHA-256, secret ones by an HMAC under the host's own key, so that
/// the name of a secret tells nothing of it.
#[derive(Debug)]
pub struct Store {
    root: PathBuf,
    key: OnceLock<[u8; 32]>,
    /// Held while the key is read or made: workers that made one each would each name secrets by their own.
    making: Mutex<()>,
    /// Where the run under way keeps what is small and no secret.
    pack: Option<Pack>,
    /// What the packs of all runs have, once that was asked for.
    packed: Mutex<Packed>,
}

impl Store {
    /// The store below the state's root.
    pub(super) fn new(root: PathBuf) -> Self {
        let (key, making, packed) = (OnceLock::new(), Mutex::new(()), Mutex::default());
        Self { root, key, making, pack: None, packed }
    }

    /// The same for a run under way, whose directory is there.
    pub(super) fn of_run(self, run: &Path) -> Result<Self, Failure> {
        Ok(Self { pack: Pack::open(run)?, ..self })
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    fn path(&self, fingerprint: &Fingerprint) -> PathBuf {
        let blobs = self.root.join("blobs");
        match fingerprint {
            Fingerprint::Plain(digest) => blobs.join("sha256").join(digest.to_string()),
            Fingerprint::Keyed(digest) => blobs.join("keyed").join(digest.to_string()),
        }
    }

    /// What is no secret goes into the pack, as far as there is one with room; the rest has files of its own. How that went with each.
    fn put_all(&self, all: &[(Fingerprint, &[u8])]) -> Vec<Result<(), Failure>> {
        let plain = all.iter().filter_map(|(fingerprint, bytes)| match fingerprint {
            Fingerprint::Plain(digest) => Some((*digest, *bytes)),
            Fingerprint::Keyed(_) => None,
        });
        let packed = self.pack.as_ref().map_or_else(Vec::new, |pack| pack.keep(&plain.collect::<Vec<_>>()));
        let mut packed = packed.into_iter();
        let put = |(fingerprint, bytes): &(Fingerprint, &[u8])| {
            let is_packed = matches!(fingerprint, Fingerprint::Plain(_)) && packed.next().unwrap_or(false);
            if is_packed { Ok(()) } else { self.put(fingerprint, bytes) }
        };
        all.iter().map(put).collect()
    }

    fn put(&self, fingerprint: &Fingerprint, bytes: &[u8]) -> Result<(), Failure> {
        let path = self.path(fingerprint);
        // A name is written whole or not at all, so the size alone tells a good one.
        let known = safe_path::look(&path, Follow::No)?.is_some_and(|meta| meta.size == bytes.len() as u64);
        if known { Ok(()) } else { write_private(&path, &mut Cursor::new(bytes)) }
    }

    /// The host's own key, where it has one.
    pub(super) fn known_key(&self) -> Result<Option<[u8; 32]>, Failure> {
        if let Some(key) = self.key.get() {
            return Ok(Some(*key));
        }
        let path = self.root.join("key");
        let damaged = |_| Failure::refused(format!("{} is damaged", path.display()), "remove it");
        let found = safe_path::read_file(&path, Follow::No, 32)?;
        found.map(|(bytes, _)| bytes.try_into().map_err(damaged)).transpose()
    }

    /// The host's own key; made at its first use.
    pub(super) fn key(&self) -> Result<[u8; 32], Failure> {
        if let Some(key) = self.key.get() {
            return Ok(*key);
        }
        // Nothing is guarded but the order: a worker that panicked left nothing half done.
        let _making = self.making.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(key) = self.key.get() {
            return Ok(*key);
        }
        let path = self.root.join("key");
        let key = match self.known_key()? {
            Some(key) => key,
            None => {
                let mut key = [0; 32];
                getrandom::fill(&mut key)
                    .map_err(|error| Failure::io("get random bytes for", path.display(), error))?;
                write_private(&path, &mut Cursor::new(key))?;
                key
            }
        };
        Ok(*self.key.get_or_init(|| key))
    }

    fn read(&self, fingerprint: &Fingerprint) -> Result<Vec<u8>, Failure> {
        let path = self.path(fingerprint);
        let Some((bytes, _)) = safe_path::read_file(&path, Follow::No, LARGEST_KEPT)? else {
            let packed = self.packed(fingerprint)?;
            return packed
                .ok_or_else(|| Failure::Missing { what: format!("kept content {}", path.display()) });
        };
        let secrecy = match fingerprint {
            Fingerprint::Plain(_) => Secrecy::Open,
            Fingerprint::Keyed(_) => Secrecy::Secret,
        };
        if self.fingerprint(&bytes, secrecy)? == *fingerprint {
            Ok(bytes)
        } else {
            let why = format!("{} is not what was kept there", path.display());
            Err(Failure::refused(why, "restore it from a backup of the host"))
        }
    }
}

impl Store {
    /// Bytes that a run kept in its pack.
    fn packed(&self, fingerprint: &Fingerprint) -> Result<Option<Vec<u8>>, Failure> {
        let Fingerprint::Plain(digest) = fingerprint else { return Ok(None) };
        let mut packed = self.packed.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bytes) = packed.read(digest)? {
            return Ok(Some(bytes));
        }
        // A run may have kept them since.
        *packed = Packed::of(&StateDir::new(&self.root))?;
        packed.read(digest)
    }
}

impl Keep for Store {
    fn keep(&self, bytes: &[u8], secrecy: Secrecy) -> Result<Fingerprint, Failure> {
        let fingerprint = self.fingerprint(bytes, secrecy)?;
        self.put_all(&[(fingerprint, bytes)]).into_iter().collect::<Result<(), Failure>>()?;
        Ok(fingerprint)
    }

    fn keep_all(&self, all: &[(Vec<u8>, Secrecy)]) -> Vec<Result<(), Failure>> {
        let name = |(bytes, secrecy): &(Vec<u8>, Secrecy)| self.fingerprint(bytes, *secrecy);
        match all.iter().map(name).collect::<Result<Vec<_>, Failure>>() {
            Ok(names) => {
                let bytes = all.iter().map(|(bytes, _)| &bytes[..]);
                self.put_all(&names.into_iter().zip(bytes).collect::<Vec<_>>())
            }
            // Without the host's key each is told so.
            Err(failure) => all.iter().map(|_| Err(failure.clone())).collect(),
        }
    }

    fn fingerprint(&self, bytes: &[u8], secrecy: Secrecy) -> Result<Fingerprint, Failure> {
        Ok(match secrecy {
            Secrecy::Open => Fingerprint::Plain(Digest::of(bytes)),
            Secrecy::Secret => Fingerprint::Keyed(Digest::keyed(&self.key()?, bytes)),
        })
    }

    fn recall(&self, fingerprint: &Fingerprint) -> Result<Secret<Vec<u8>>, Failure> {
        self.read(fingerprint).map(Secret::new)
    }

    fn keep_deb(&self, of: (&str, &str), file: &HostPath) -> Result<(), Failure> {
        self.put_deb(of, file)
    }

    fn deb(&self, package: &str, version: &str) -> Result<Option<HostPath>, Failure> {
        self.kept_deb(package, version)
    }
}

/// Contents that came for a run.
impl Store {
    /// True where the content is here, as its size tells: a name is written whole or not at all.
    pub fn holds(&self, digest: &Digest, size: u64) -> Result<bool, Failure> {
        let path = self.path(&Fingerprint::Plain(*digest));
        Ok(safe_path::look(&path, Follow::No)?.is_some_and(|meta| meta.size == size))
    }

    /// Puts what `from` gives here, whole and durably, or not at all: where it is not the content `digest` of `size` bytes.
    pub fn take_in(&self, (digest, size): (&Digest, u64), from: &mut dyn Read) -> Result<(), Failure> {
        let mut arrival = Arrival::new(from, *digest, size);
        write_private(&self.path(&Fingerprint::Plain(*digest)), &mut arrival)
    }
}

impl Blobs for Store {
    fn open(&self, digest: &Digest) -> Result<Box<dyn Read>, Failure> {
        let path = self.path(&Fingerprint::Plain(*digest));
        if let Some((file, _)) = safe_path::open_file(&path, Follow::No)? {
            return Ok(Box::new(file));
        }
        let packed = self.packed(&Fingerprint::Plain(*digest))?;
        let missing = || Failure::Missing { what: format!("kept content {}", path.display()) };
        Ok(Box::new(Cursor::new(packed.ok_or_else(missing)?)))
    }
}

#[cfg(test)]
mod tests {
    use super::super::dir::StateDir;
    use crate::undo::{Keep, Secrecy};
    use model::Digest;
    use std::io::Read;
    use wire::Blobs;

    #[test]
    fn what_comes_is_what_was_wanted_or_is_not_kept() {
        let scratch = tempfile::tempdir().unwrap();
        let state = StateDir::new(scratch.path().join("state"));
        state.make().unwrap();
        let (store, digest) = (state.store(), Digest::of(b"content"));
        for bad in [&b"contemt"[..], b"cont", b"content and more", b""] {
            let failure = store.take_in((&digest, 7), &mut &*bad).unwrap_err().to_string();
            assert!(
                failure.contains(&digest.to_string()) && failure.contains("not the content"),
                "{failure}"
            );
            assert!(!store.holds(&digest, 7).unwrap());
        }
        let dir = scratch.path().join("state/blobs/sha256");
        assert_eq!(dir.read_dir().unwrap().count(), 0, "nothing is left of it");
        store.take_in((&digest, 7), &mut &b"content"[..]).unwrap();
        assert!(store.holds(&digest, 7).unwrap() && !store.holds(&digest, 8).unwrap());
        let mut bytes = Vec::new();
        store.open(&digest).unwrap().read_to_end(&mut bytes).unwrap();
        assert_eq!(bytes, b"content");
    }

    #[test]
    fn workers_may_keep_the_same_bytes_at_once() {
        for secrecy in [Secrecy::Secret, Secrecy::Open] {
            let scratch = tempfile::tempdir().unwrap();
            let state = StateDir::new(scratch.path().join("state"));
            state.make().unwrap();
            let store = state.store();
            let kept: Vec<_> = std::thread::scope(|scope| {
                let keep = |_| scope.spawn(|| store.keep(b"the same", secrecy));
                let workers: Vec<_> = (0..16).map(keep).collect();
                workers.into_iter().map(|worker| worker.join().unwrap().unwrap()).collect()
            });
            assert!(kept.windows(2).all(|pair| pair[0] == pair[1]));
            // Another process finds them again: there is one key.
            assert_eq!(state.store().recall(&kept[0]).unwrap().expose(), b"the same");
        }
    }
}
