//! Names of files in a bundle. Such a name leads nowhere but below the bundle, on every system: whoever has a [`Name`] needs no further check.

use serde::{Deserialize, Serialize};
use std::borrow::Borrow;
use std::fmt;
use std::path::Path;

/// No name is longer, in bytes: what a header of ustar holds where it can be split at every `/` (POSIX.1-2017, pax, "ustar Interchange
/// Format").
const LONGEST: usize = 250;

/// A path below the bundle: parts between single slashes, none of them `.` or `..`, without control characters and backslashes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Name(String);

impl Name {
    /// Takes a name that is one.
    ///
    /// # Errors
    /// What is wrong with it, to stand after it.
    pub fn new(name: impl Into<String>) -> Result<Self, String> {
        let name = name.into();
        let is_odd = |part: &str| part.is_empty() || part == "." || part == "..";
        if name.split('/').any(is_odd) {
            return Err("is no path below the site".to_owned());
        }
        if name.chars().any(|one| one.is_control() || one == '\\') {
            return Err("has a control character or a backslash in it".to_owned());
        }
        if name.len() > LONGEST || crate::tar::split(&name).is_none() {
            return Err(format!("is too long: {LONGEST} bytes at most, 100 after the last `/`"));
        }
        Ok(Self(name))
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether a site can be called so where it is made into bundles: its name becomes a part of paths and addresses.
pub fn is_site_name(name: &str) -> bool {
    let plain = |one: char| one.is_ascii_alphanumeric() || matches!(one, '-' | '_' | '.');
    name.len() <= 100 && name.chars().all(plain) && name.starts_with(|one: char| one.is_ascii_alphanumeric())
}

impl From<Name> for String {
    fn from(name: Name) -> Self {
        name.0
    }
}

impl TryFrom<String> for Name {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        let shown = name.escape_debug().to_string();
        Self::new(name).map_err(|why| format!("`{shown}` {why}"))
    }
}

impl Borrow<str> for Name {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl AsRef<Path> for Name {
    fn as_ref(&self) -> &Path {
        Path::new(&self.0)
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::{Name, is_site_name};

    #[test]
    fn a_name_leads_nowhere_else() {
        for good in ["a", "site/keel.toml", "site/files/.bashrc", "site/files/ä b", "a/..b"] {
            assert!(Name::new(good).is_ok(), "{good}");
        }
        let long = "a".repeat(101);
        for bad in ["", "/", "/a", "a/", "a//b", ".", "..", "a/../b", "./a", "a\0", "a\nb", "a\\b", &long] {
            assert!(Name::new(bad).is_err(), "{bad:?}");
        }
        assert!(Name::new("a/".repeat(120) + "b").is_ok());
        assert!(Name::new("a/".repeat(130) + "b").is_err());
    }

    #[test]
    fn a_site_is_called_what_an_address_can_hold() {
        for (name, is) in [("shop", true), ("a.b-c_1", true), ("", false), (".a", false), ("a b", false)] {
            assert_eq!(is_site_name(name), is, "{name:?}");
        }
    }
}
