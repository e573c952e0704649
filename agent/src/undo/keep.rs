//! Where the bytes of before-images are kept.

use super::Secrecy;
use model::{Digest, Failure, Fingerprint, HostPath, Secret};
use std::collections::BTreeMap;
use std::io::Read;
use std::sync::{Mutex, PoisonError};
use wire::Blobs;

/// Keeps bytes, durably before it returns, and gives them back.
pub trait Keep: Send + Sync {
    /// Keeps bytes. The fingerprint of secret ones tells nothing without the host's own key.
    fn keep(&self, bytes: &[u8], secrecy: Secrecy) -> Result<Fingerprint, Failure>;
    /// Keeps several, durably before it returns; how that went with each, in their order.
    fn keep_all(&self, all: &[(Vec<u8>, Secrecy)]) -> Vec<Result<(), Failure>> {
        all.iter().map(|(bytes, secrecy)| self.keep(bytes, *secrecy).map(drop)).collect()
    }
    /// The fingerprint, without keeping anything.
    fn fingerprint(&self, bytes: &[u8], secrecy: Secrecy) -> Result<Fingerprint, Failure>;
    /// Kept bytes, checked against their fingerprint.
    fn recall(&self, fingerprint: &Fingerprint) -> Result<Secret<Vec<u8>>, Failure>;
    /// Keeps the file that brought a version of a package, both as dpkg has them.
    fn keep_deb(&self, of: (&str, &str), file: &HostPath) -> Result<(), Failure>;
    /// Where the kept file of a version of `package` is, checked; `None` where none was kept.
    fn deb(&self, package: &str, version: &str) -> Result<Option<HostPath>, Failure>;
}

/// Keeps nothing, and tells fingerprints as `self.0` does: for looking without writing.
pub struct CompareOnly<'a>(pub &'a dyn Keep);

impl Keep for CompareOnly<'_> {
    fn keep(&self, bytes: &[u8], secrecy: Secrecy) -> Result<Fingerprint, Failure> {
        self.0.fingerprint(bytes, secrecy)
    }

    fn fingerprint(&self, bytes: &[u8], secrecy: Secrecy) -> Result<Fingerprint, Failure> {
        self.0.fingerprint(bytes, secrecy)
    }

    fn recall(&self, fingerprint: &Fingerprint) -> Result<Secret<Vec<u8>>, Failure> {
        self.0.recall(fingerprint)
    }

    fn keep_deb(&self, _: (&str, &str), _: &HostPath) -> Result<(), Failure> {
        Ok(())
    }

    fn deb(&self, package: &str, version: &str) -> Result<Option<HostPath>, Failure> {
        self.0.deb(package, version)
    }
}

/// Keeps in memory; for tests, and for plans that only ask what would be restored.
#[derive(Default)]
pub struct MemoryKeep {
    bytes: Mutex<BTreeMap<Fingerprint, Vec<u8>>>,
    debs: Mutex<BTreeMap<(String, String), HostPath>>,
}

/// No secret of anyone's: memory is gone with the process.
const MEMORY_KEY: [u8; 32] = [0; 32];

impl Keep for MemoryKeep {
    fn keep(&self, bytes: &[u8], secrecy: Secrecy) -> Result<Fingerprint, Failure> {
        let fingerprint = self.fingerprint(bytes, secrecy)?;
        let mut kept = self.bytes.lock().unwrap_or_else(PoisonError::into_inner);
        kept.insert(fingerprint, bytes.to_vec());
        Ok(fingerprint)
    }

    fn fingerprint(&self, bytes: &[u8], secrecy: Secrecy) -> Result<Fingerprint, Failure> {
        Ok(match secrecy {
            Secrecy::Open => Fingerprint::Plain(Digest::of(bytes)),
            Secrecy::Secret => Fingerprint::Keyed(Digest::keyed(&MEMORY_KEY, bytes)),
        })
    }

    fn recall(&self, fingerprint: &Fingerprint) -> Result<Secret<Vec<u8>>, Failure> {
        let kept = self.bytes.lock().unwrap_or_else(PoisonError::into_inner);
        let found = kept.get(fingerprint).cloned().map(Secret::new);
        found.ok_or_else(|| Failure::Missing { what: "kept content".to_owned() })
    }

    fn keep_deb(&self, (package, version): (&str, &str), file: &HostPath) -> Result<(), Failure> {
        let mut kept = self.debs.lock().unwrap_or_else(PoisonError::into_inner);
        kept.insert((package.to_owned(), version.to_owned()), file.clone());
        Ok(())
    }

    fn deb(&self, package: &str, version: &str) -> Result<Option<HostPath>, Failure> {
        let kept = self.debs.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(kept.get(&(package.to_owned(), version.to_owned())).cloned())
    }
}

impl Blobs for MemoryKeep {
    fn open(&self, digest: &Digest) -> Result<Box<dyn Read>, Failure> {
        let bytes = self.recall(&Fingerprint::Plain(*digest))?;
        Ok(Box::new(std::io::Cursor::new(bytes.expose().clone())))
    }
}
