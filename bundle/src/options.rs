//! The options of a line of allowed_signers (ssh-keygen(1), ALLOWED SIGNERS): words with or without a value in quotes, between commas.

use crate::{pattern, stamp};

/// What a line allows its key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    namespaces: Option<String>,
    after: Option<(i64, String)>,
    before: Option<(i64, String)>,
}

impl Options {
    /// Reads them.
    ///
    /// # Errors
    /// What is wrong with them, and what to write.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut options = Self::default();
        let mut rest = text;
        while !rest.is_empty() {
            let end = rest.find(['=', ',']).unwrap_or(rest.len());
            let (word, tail) = rest.split_at(end);
            let (value, tail) = match tail.strip_prefix("=\"") {
                Some(quoted) => {
                    let (value, tail) = quoted
                        .split_once('"')
                        .ok_or_else(|| format!("the quotes of `{word}` are not closed"))?;
                    (Some(value), tail)
                }
                None => (None, tail),
            };
            options.set(word, value)?;
            rest = match tail.strip_prefix(',') {
                Some(rest) if !rest.is_empty() => rest,
                None if tail.is_empty() => tail,
                _ => return Err(format!("after `{word}` a comma and another option are expected")),
            };
        }
        Ok(options)
    }

    fn set(&mut self, word: &str, value: Option<&str>) -> Result<(), String> {
        let time = |value: &str| stamp::parse(value).map(|second| Some((second, value.to_owned())));
        match (word.to_ascii_lowercase().as_str(), value) {
            ("namespaces", Some(value)) => self.namespaces = Some(value.to_owned()),
            ("valid-after", Some(value)) => self.after = time(value)?,
            ("valid-before", Some(value)) => self.before = time(value)?,
            ("cert-authority", _) => {
                return Err("certificates are not taken: write the key itself that signs".to_owned());
            }
            ("namespaces" | "valid-after" | "valid-before", None) => {
                return Err(format!("`{word}` has no value: write {word}=\"…\""));
            }
            _ => {
                return Err(format!(
                    "there is no option `{word}`: there are namespaces, valid-after and valid-before"
                ));
            }
        }
        Ok(())
    }

    /// Why a key with these options may not sign for `namespace` at the time `now`; `None` where it may.
    pub fn against(&self, namespace: &str, now: i64) -> Option<String> {
        if let Some(list) = &self.namespaces
            && !pattern::matches(list, namespace)
        {
            return Some(format!("allows for `{list}` only, and not for `{namespace}`"));
        }
        match (&self.after, &self.before) {
            (Some((second, text)), _) if now < *second => Some(format!("allows from {text} on")),
            (_, Some((second, text))) if now >= *second => Some(format!("allowed before {text} only")),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Options;

    #[test]
    fn what_a_line_allows() {
        let options = "namespaces=\"git,evenkeel-*\",valid-after=\"20270101Z\",Valid-Before=\"20280101Z\"";
        let options = Options::parse(options).expect("they are options");
        let (before, during, after) = (1_798_761_599, 1_798_761_600, 1_830_297_600);
        assert_eq!(options.against("evenkeel-bundle", during), None);
        for (namespace, now, why) in [
            ("file", during, "allows for `git,evenkeel-*` only, and not for `file`"),
            ("git", before, "allows from 20270101Z on"),
            ("git", after, "allowed before 20280101Z only"),
        ] {
            assert_eq!(options.against(namespace, now).as_deref(), Some(why));
        }
        assert_eq!(Options::default().against("x", 0), None);
    }

    #[test]
    fn what_is_no_option_is_told() {
        for (text, why) in [
            ("cert-authority", "certificates are not taken: write the key itself that signs"),
            ("namespaces", "`namespaces` has no value: write namespaces=\"…\""),
            ("namespaces=\"a", "the quotes of `namespaces` are not closed"),
            ("namespaces=\"a\"x", "after `namespaces` a comma and another option are expected"),
            ("namespaces=\"a\",", "after `namespaces` a comma and another option are expected"),
            ("verify", "there is no option `verify`: there are namespaces, valid-after and valid-before"),
            ("valid-after=\"x\"", "the time `x` has no zone: write xZ, which is UTC"),
        ] {
            assert_eq!(Options::parse(text), Err(why.to_owned()), "{text}");
        }
    }
}
