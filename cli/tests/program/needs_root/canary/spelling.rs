//! How a secret may be spelled where it has leaked.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use memchr::memmem;

/// A secret, and all of its spellings.
pub struct Canary {
    pub text: String,
    spellings: Vec<Vec<u8>>,
}

impl Canary {
    /// One that no other test has; `around` stands on both sides of a word that any quoting leaves alone.
    pub fn new(name: &str, around: &str) -> Self {
        let word = format!("canary{name}{:08x}", std::process::id().wrapping_mul(2_654_435_761));
        let text = format!("{around}{word}{around}");
        let mut spellings = all(&word);
        spellings.extend(all(&text));
        Self { text, spellings }
    }

    /// Whether it is in there, however spelled.
    pub fn is_in(&self, bytes: &[u8]) -> bool {
        self.spellings.iter().any(|spelling| memmem::find(bytes, spelling).is_some())
    }
}

/// As it is, in hexadecimal digits and base64 at each of three offsets, percent-encoded, as JSON, as a word of a shell, as a list of numbers.
fn all(text: &str) -> Vec<Vec<u8>> {
    let hex: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
    let escaped = serde_json::to_string(text).expect("JSON");
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    let percent = |byte: u8| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    let numbers = text.bytes().map(|byte| byte.to_string()).collect::<Vec<_>>().join(",");
    let mut spellings = vec![
        text.to_owned(),
        hex.to_uppercase(),
        hex,
        escaped.trim_matches('"').to_owned(),
        text.bytes().map(percent).collect(),
        text.replace('\'', "'\\''"),
        text.escape_default().to_string(),
        numbers,
    ];
    for pad in 0..3 {
        let padded = [&b"xxx"[..pad], text.as_bytes(), b"xxx"].concat();
        for engine in [STANDARD, URL_SAFE] {
            let text = engine.encode(&padded);
            spellings.push(text[4..text.len() - 8].to_owned());
        }
    }
    spellings.into_iter().map(String::into_bytes).collect()
}

#[test]
fn every_spelling_is_found() {
    let canary = Canary::new("x", "'\"\\ &é");
    for spelling in all(&canary.text).iter().chain(&all("canary")) {
        let text = [b"before ", spelling.as_slice(), b" after"].concat();
        assert_eq!(canary.is_in(&text), spelling.len() > 20, "{}", String::from_utf8_lossy(spelling));
    }
    for pad in 0..7 {
        let whole = STANDARD.encode([&b"xxxxxxx"[..pad], canary.text.as_bytes(), b"tail"].concat());
        assert!(canary.is_in(whole.as_bytes()), "at {pad}");
    }
}
