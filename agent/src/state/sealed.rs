//! What a run needs to go on after a reboot, in its directory: there from just before the machine goes down until the run goes on. It holds
//! secrets, so it is sealed under the host's own key: no byte of one is on a disk as it is, and one that was touched does not open.

use super::StateDir;
use super::dir::write_private;
use crate::os::Expect;
use crate::os::remove::remove;
use crate::os::safe_path::{self, Follow};
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use model::{Digest, Failure, Secret};
use std::io::Cursor;
use std::path::PathBuf;

/// Name of the file.
const NAME: &str = "goes-on";

/// What its key is for; the host's key has other uses.
const PURPOSE: &[u8] = b"what a run needs to go on after a reboot";

/// Length of the number used once that the file begins with, in bytes.
const NONCE: usize = 24;

/// Largest file that is read, in bytes.
const LARGEST: u64 = 256 << 20;

impl StateDir {
    /// Keeps what `run` needs to go on. It is durable when this returns.
    ///
    /// # Errors
    /// It could not be written.
    pub fn seal(&self, run: u64, plain: &Secret<Vec<u8>>) -> Result<(), Failure> {
        let path = self.sealed_path(run);
        let mut nonce = [0; NONCE];
        getrandom::fill(&mut nonce)
            .map_err(|error| Failure::io("get random bytes for", path.display(), error))?;
        let (about, cipher) = (run.to_le_bytes(), self.cipher()?);
        let payload = Payload { msg: plain.expose(), aad: &about };
        let sealed = cipher.encrypt(XNonce::from_slice(&nonce), payload);
        let sealed = sealed.map_err(|error| Failure::io("seal", path.display(), error))?;
        write_private(&path, &mut Cursor::new([&nonce[..], &sealed].concat()))
    }

    /// What `run` needs to go on; `None` where it does not wait for that.
    ///
    /// # Errors
    /// It cannot be read, or is not what was sealed.
    pub fn unseal(&self, run: u64) -> Result<Option<Secret<Vec<u8>>>, Failure> {
        let path = self.sealed_path(run);
        let Some((bytes, _)) = safe_path::read_file(&path, Follow::No, LARGEST)? else { return Ok(None) };
        let damaged = || Failure::unknown(path.display().to_string(), "it is damaged");
        let (nonce, sealed) = bytes.split_at_checked(NONCE).ok_or_else(damaged)?;
        let (about, cipher) = (run.to_le_bytes(), self.cipher()?);
        let plain = cipher.decrypt(XNonce::from_slice(nonce), Payload { msg: sealed, aad: &about });
        plain.map(|plain| Some(Secret::new(plain))).map_err(|_| damaged())
    }

    /// Forgets it, durably; fine where there is nothing.
    ///
    /// # Errors
    /// It could not be removed.
    pub fn forget_sealed(&self, run: u64) -> Result<(), Failure> {
        let path = self.sealed_path(run);
        match safe_path::look(&path, Follow::No)? {
            Some(_) => Ok(remove(&path, Expect::Anything)?),
            None => Ok(()),
        }
    }

    /// The run that waits to go on after a reboot, if any. It can only be the last one.
    ///
    /// # Errors
    /// That cannot be told.
    pub fn goes_on(&self) -> Result<Option<u64>, Failure> {
        let Some(last) = self.numbers()?.pop() else { return Ok(None) };
        Ok(safe_path::look(&self.sealed_path(last), Follow::No)?.map(|_| last))
    }

    fn sealed_path(&self, run: u64) -> PathBuf {
        self.run_dir(run).join(NAME)
    }

    fn cipher(&self) -> Result<XChaCha20Poly1305, Failure> {
        let key = Digest::keyed(&self.store().key()?, PURPOSE);
        Ok(XChaCha20Poly1305::new(key.bytes().into()))
    }
}

#[expect(clippy::disallowed_methods, reason = "damages scratch files")]
#[cfg(test)]
mod tests {
    use crate::state::StateDir;
    use model::Secret;

    fn scratch() -> (tempfile::TempDir, StateDir) {
        let dir = tempfile::tempdir().unwrap();
        let state = StateDir::new(dir.path());
        state.make().unwrap();
        state.make_run(7).unwrap();
        (dir, state)
    }

    #[test]
    fn what_is_sealed_comes_back_and_goes() {
        let (_dir, state) = scratch();
        assert_eq!((state.goes_on().unwrap(), state.unseal(7).unwrap()), (None, None));
        let plain = Secret::new(b"{\"password\":\"hunter2\"}".to_vec());
        state.seal(7, &plain).unwrap();
        let bytes = std::fs::read(state.sealed_path(7)).unwrap();
        assert!(!bytes.windows(7).any(|part| part == b"hunter2" || part == b"passwor"));
        assert_eq!((state.goes_on().unwrap(), state.unseal(7).unwrap()), (Some(7), Some(plain)));
        (0..2).for_each(|_| state.forget_sealed(7).unwrap());
        assert_eq!(state.goes_on().unwrap(), None);
    }

    #[test]
    fn one_that_was_touched_or_is_of_another_run_does_not_open() {
        let (_dir, state) = scratch();
        state.seal(7, &Secret::new(b"plain".to_vec())).unwrap();
        let good = std::fs::read(state.sealed_path(7)).unwrap();
        for at in 0..good.len() {
            let mut bytes = good.clone();
            bytes[at] ^= 1;
            std::fs::write(state.sealed_path(7), &bytes).unwrap();
            assert!(state.unseal(7).unwrap_err().to_string().contains("it is damaged"), "byte {at}");
            std::fs::write(state.sealed_path(7), &good[..at]).unwrap();
            assert!(state.unseal(7).is_err(), "cut at {at}");
        }
        state.make_run(8).unwrap();
        std::fs::write(state.sealed_path(8), &good).unwrap();
        assert!(state.unseal(8).is_err());
    }
}
