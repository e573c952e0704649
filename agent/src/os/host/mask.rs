//! Takes known secrets out of what a program printed, before anybody sees it.
//!
//! It knows a secret raw, line by line, and in the common disguises: base64, percent-encoding, JSON. A secret shorter than four
//! bytes is not looked for: hiding every `a` of a text would tell more than it hides.

use crate::os::capture::printable;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE};
use model::REDACTED;
use std::collections::BTreeSet;
use std::fmt;

const SHORTEST: usize = 4;

/// The forms to look for, the longest first.
#[derive(Clone, Default)]
pub struct Mask(Vec<String>);

/// Says nothing of the forms.
impl fmt::Debug for Mask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REDACTED)
    }
}

impl Mask {
    /// A mask for these secrets, besides what this one hides already.
    pub fn with<'a>(&self, secrets: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut forms: BTreeSet<String> = self.0.iter().cloned().collect();
        for secret in secrets {
            forms.extend(forms_of(secret));
        }
        Self::of(forms)
    }

    fn of(forms: BTreeSet<String>) -> Self {
        let mut forms: Vec<String> = forms.into_iter().filter(|form| form.len() >= SHORTEST).collect();
        forms.sort_by_key(|form| std::cmp::Reverse(form.len()));
        Self(forms)
    }

    /// The text without the secrets.
    pub fn hide(&self, text: &str) -> String {
        let hidden = |text: String, form: &String| match text.contains(form.as_str()) {
            true => text.replace(form.as_str(), REDACTED),
            false => text,
        };
        self.0.iter().fold(text.to_owned(), hidden)
    }
}

fn forms_of(secret: &[u8]) -> Vec<String> {
    let trimmed = secret.trim_ascii();
    let mut forms = Vec::new();
    for bytes in [secret, trimmed] {
        forms.extend([STANDARD.encode(bytes), STANDARD_NO_PAD.encode(bytes), URL_SAFE.encode(bytes)]);
        let text = printable(bytes);
        let json = serde_json::Value::String(text.clone()).to_string();
        forms.push(json[1..json.len() - 1].to_owned());
        forms.push(percent(bytes));
        forms.push(text);
    }
    // A key printed with another indentation, or cut, still shows its lines.
    let lines = trimmed.split(|byte| *byte == b'\n').map(|line| printable(line.trim_ascii()));
    forms.extend(lines.filter(|line| line.len() >= 2 * SHORTEST));
    forms
}

/// RFC 3986: all but unreserved characters.
fn percent(bytes: &[u8]) -> String {
    let coded = |byte: &u8| match byte {
        b'-' | b'.' | b'_' | b'~' => char::from(*byte).to_string(),
        byte if byte.is_ascii_alphanumeric() => char::from(*byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    bytes.iter().map(coded).collect()
}

#[cfg(test)]
mod tests {
    use super::Mask;

    #[test]
    fn hides_a_secret_in_its_disguises() {
        let mask = Mask::default().with([b"p\"ss w/rd!\n".as_slice()]);
        let text = r#"raw p"ss w/rd! json p\"ss w/rd! url p%22ss%20w%2Frd%21 base64 cCJzcyB3L3JkIQ=="#;
        assert_eq!(mask.hide(text), "raw <secret> json <secret> url <secret> base64 <secret>");
        assert_eq!(format!("{mask:?}"), "<secret>");
    }

    #[test]
    fn hides_the_lines_of_a_long_secret_but_no_short_words() {
        let mask = Mask::default()
            .with([b"-----BEGIN KEY-----\nabcdefghijkl\n-----END KEY-----\n".as_slice(), b"no"]);
        assert_eq!(mask.hide("error near `abcdefghijkl`, no more"), "error near `<secret>`, no more");
    }
}
