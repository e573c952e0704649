//! A path on a host: absolute, normal, and never confused with one on the controller.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::ffi::OsStr;
use std::fmt;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

/// An absolute path without `.`, `..`, doubled or trailing slashes and NUL. Its bytes need not be UTF-8.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostPath(PathBuf);

impl HostPath {
    /// Checks `path`; the error says what is wrong and what to write instead.
    pub fn new(path: impl AsRef<OsStr>) -> Result<Self, String> {
        let bytes = path.as_ref().as_bytes();
        let shown = path.as_ref().to_string_lossy();
        if bytes.first() != Some(&b'/') {
            return Err(format!("`{shown}` is not absolute: write a path that starts with /"));
        }
        if bytes.contains(&0) {
            return Err("a path cannot hold a NUL byte".to_owned());
        }
        let parts = || bytes.split(|byte| *byte == b'/').skip(1);
        if parts().any(|part| part == b"..") {
            return Err(format!("`{shown}` holds `..`: write the path it leads to"));
        }
        let is_name = |part: &&[u8]| !part.is_empty() && *part != b".";
        let normal = || parts().filter(is_name);
        if bytes != b"/" && !parts().all(|part| is_name(&part)) {
            let names: Vec<&[u8]> = normal().collect();
            let joined = [b"/".as_slice(), &names.join(&b'/')].concat();
            let joined = String::from_utf8_lossy(&joined).into_owned();
            return Err(format!("`{shown}` is not in its normal form: write `{joined}`"));
        }
        if let Some(long) = normal().find(|part| part.len() > 255) {
            let long = String::from_utf8_lossy(long).chars().take(40).collect::<String>();
            return Err(format!("`{long}…` is longer than the 255 bytes a file name may have"));
        }
        Ok(Self(PathBuf::from(path.as_ref())))
    }

    /// The path of an entry of this directory.
    pub fn join(&self, name: &OsStr) -> Self {
        Self(self.0.join(name))
    }

    /// The directory that holds it; `None` for `/`.
    pub fn parent(&self) -> Option<Self> {
        self.0.parent().map(|parent| Self(parent.to_path_buf()))
    }

    /// All directories above it, the nearest first, `/` last.
    pub fn ancestors(&self) -> impl Iterator<Item = HostPath> {
        self.0.ancestors().skip(1).map(|path| Self(path.to_path_buf()))
    }

    /// The last component; empty for `/`.
    pub fn file_name(&self) -> &OsStr {
        self.0.file_name().unwrap_or(OsStr::new(""))
    }

    /// For the operating system.
    pub fn as_path(&self) -> &Path {
        &self.0
    }

    /// True where this is `other` or lies below it.
    pub fn starts_with(&self, other: &HostPath) -> bool {
        self.0.starts_with(&other.0)
    }
}

/// Control characters and bytes that are not UTF-8 are escaped, so that a name cannot steer a terminal.
impl fmt::Display for HostPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for chunk in self.0.as_os_str().as_bytes().utf8_chunks() {
            for character in chunk.valid().chars() {
                if character.is_control() {
                    write!(f, "{}", character.escape_default())?;
                } else {
                    write!(f, "{character}")?;
                }
            }
            chunk.invalid().iter().try_for_each(|byte| write!(f, "\\x{byte:02x}"))?;
        }
        Ok(())
    }
}

impl fmt::Debug for HostPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A string where the path is UTF-8, else `base64:` and the bytes in base64; no absolute path starts so.
impl Serialize for HostPath {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.to_str() {
            Some(text) => serializer.serialize_str(text),
            None => serializer
                .serialize_str(&format!("base64:{}", STANDARD.encode(self.0.as_os_str().as_bytes()))),
        }
    }
}

impl<'de> Deserialize<'de> for HostPath {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let path = match text.strip_prefix("base64:") {
            Some(coded) => {
                let bytes = STANDARD.decode(coded).map_err(serde::de::Error::custom)?;
                std::ffi::OsString::from_vec(bytes)
            }
            None => text.into(),
        };
        Self::new(path).map_err(serde::de::Error::custom)
    }
}

/// In the schema a host path is a string.
impl schemars::JsonSchema for HostPath {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "HostPath".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "pattern": "^/" })
    }

    fn inline_schema() -> bool {
        true
    }
}
