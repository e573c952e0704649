//! SHA-256 of contents: the name under which bytes are kept and compared.

use serde::{Deserialize, Serialize};
use sha2::Digest as _;
use std::fmt;

/// A SHA-256 digest; in text 64 lower-case hex digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Digest([u8; 32]);

impl Digest {
    /// The digest of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self(sha2::Sha256::digest(bytes).into())
    }

    /// HMAC-SHA256 (RFC 2104) of `bytes`: a fingerprint that tells nothing to who lacks `key`.
    pub fn keyed(key: &[u8; 32], bytes: &[u8]) -> Self {
        let pad =
            |with: u8| -> [u8; 64] { std::array::from_fn(|at| key.get(at).copied().unwrap_or(0) ^ with) };
        let inner = sha2::Sha256::new().chain_update(pad(0x36)).chain_update(bytes).finalize();
        Self(sha2::Sha256::new().chain_update(pad(0x5c)).chain_update(inner).finalize().into())
    }

    /// The digest itself.
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// A digest from its bytes.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Parses 64 hex digits, either case.
    pub fn parse(hex: &str) -> Option<Self> {
        let digits: &[u8; 64] = hex.as_bytes().try_into().ok()?;
        let (mut out, mut all) = ([0u8; 32], 0);
        for (byte, pair) in out.iter_mut().zip(digits.chunks_exact(2)) {
            let [high, low] = [VALUES[usize::from(pair[0])], VALUES[usize::from(pair[1])]];
            *byte = high << 4 | low & 15;
            all |= high | low;
        }
        (all & NONE == 0).then_some(Self(out))
    }
}

/// In place of the value of what is no hex digit.
const NONE: u8 = 16;

/// The values of hex digits. Digits are by chance, so that to branch on each would take ten times as long.
const VALUES: [u8; 256] = {
    let mut values = [NONE; 256];
    let mut at = 0;
    while at < 16 {
        values[b"0123456789abcdef"[at] as usize] = at as u8;
        values[b"0123456789ABCDEF"[at] as usize] = at as u8;
        at += 1;
    }
    values
};

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut text = [0u8; 64];
        for (pair, byte) in text.chunks_exact_mut(2).zip(self.0) {
            pair[0] = DIGITS[usize::from(byte >> 4)];
            pair[1] = DIGITS[usize::from(byte & 15)];
        }
        f.write_str(std::str::from_utf8(&text).map_err(|_| fmt::Error)?)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> Self {
        digest.to_string()
    }
}

impl TryFrom<String> for Digest {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text).ok_or_else(|| format!("`{text}` is no SHA-256 in hex"))
    }
}

/// Digests a stream piece by piece.
#[derive(Clone, Default)]
pub struct Hasher(sha2::Sha256);

impl Hasher {
    /// Takes the next piece.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The digest of all pieces.
    pub fn finish(self) -> Digest {
        Digest(self.0.finalize().into())
    }
}

#[cfg(test)]
mod tests {
    use super::Digest;

    #[test]
    fn nothing_but_64_hex_digits_is_a_digest() {
        let digest = Digest::of(b"x");
        let hex = digest.to_string();
        assert_eq!(Digest::parse(&hex), Some(digest));
        assert_eq!(Digest::parse(&hex.to_uppercase()), Some(digest));
        for other in [&hex[1..], &format!("{hex}0"), ""] {
            assert_eq!(Digest::parse(other), None, "{other}");
        }
        for at in 0..64 {
            for wrong in (0u8..0x80).filter(|byte| !byte.is_ascii_hexdigit()).map(char::from) {
                let text = format!("{}{wrong}{}", &hex[..at], &hex[at + 1..]);
                assert_eq!(Digest::parse(&text), None, "{text:?}");
            }
        }
    }
}
