//! A key in a file: root's alone as it lies there, or sealed by age. It is read each time it is needed, so that a new one counts at once,
//! and never gets into words.

use super::way::Outside;
use agent::os::safe_path::{Follow, read_file};
use model::Secret;
use std::path::PathBuf;

/// A key is smaller, in bytes.
const LARGEST: u64 = 64 << 10;

/// How a file begins that age sealed (age-encryption.org/v1), bare or in armour.
const SEALED: [&[u8]; 2] = [b"age-encryption.org/v1", b"-----BEGIN AGE ENCRYPTED FILE-----"];

/// A file with a key.
#[derive(Clone)]
pub struct Key {
    /// Where it stands.
    pub path: PathBuf,
    /// Who opens it, if it is sealed.
    pub outside: Outside,
}

impl Key {
    /// The key, without the line's end.
    ///
    /// # Errors
    /// There is none that may be used; why, in words.
    pub fn read(&self) -> Result<Secret<Vec<u8>>, String> {
        let name = self.path.display();
        let found =
            read_file(&self.path, Follow::Yes, LARGEST).map_err(|error| format!("the key: {error}"))?;
        let Some((bytes, meta)) = found else { return Err(format!("there is no key in {name}")) };
        let key = match (SEALED.iter().any(|start| bytes.starts_with(start)), &self.outside.opens) {
            (true, Some(opens)) => opens.open(&self.path, &bytes)?.expose().clone(),
            (true, None) => return Err(format!("nobody here opens the key in {name}")),
            (false, _) if meta.mode & 0o077 != 0 || meta.uid != rustix::process::geteuid().as_raw() => {
                return Err(format!("the key in {name} is not root's alone: chown root, chmod 0600"));
            }
            (false, _) => bytes,
        };
        let end = key.iter().rposition(|byte| !byte.is_ascii_whitespace()).map_or(0, |at| at + 1);
        match end {
            0 => Err(format!("the key in {name} is empty")),
            end => Ok(Secret::new(key.get(..end).unwrap_or_default().to_owned())),
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "prepares scratch files")]
#[cfg(test)]
mod tests {
    use super::Key;
    use crate::report::way::{Opens, Outside};
    use crate::settings::Settings;
    use model::Secret;
    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;
    use std::sync::Arc;

    struct Opener;

    impl Opens for Opener {
        fn open(&self, _: &Path, _: &[u8]) -> Result<Secret<Vec<u8>>, String> {
            Ok(Secret::new(b"opened\n".to_vec()))
        }

        fn by(&self, _: &Settings) -> Arc<dyn Opens> {
            Arc::new(Self)
        }
    }

    #[test]
    fn only_a_key_that_is_roots_alone_or_sealed_is_taken() {
        let dir = tempfile::tempdir().unwrap();
        let outside = Outside { opens: Some(Arc::new(Opener)), ..Outside::default() };
        let key = Key { path: dir.path().join("key"), outside };
        assert!(key.read().unwrap_err().starts_with("there is no key in"));
        let put = |text: &str, mode| {
            std::fs::write(&key.path, text).unwrap();
            std::fs::set_permissions(&key.path, std::fs::Permissions::from_mode(mode)).unwrap();
        };
        put("hunter2\n", 0o644);
        let refused = key.read().unwrap_err();
        assert!(refused.contains("not root's alone") && !refused.contains("hunter2"), "{refused}");
        put("hunter2\n", 0o600);
        assert_eq!(key.read().unwrap().expose(), b"hunter2");
        put("\n", 0o600);
        assert!(key.read().unwrap_err().contains("is empty"));
        put("age-encryption.org/v1\n-> x", 0o644);
        assert_eq!(key.read().unwrap().expose(), b"opened");
    }
}
