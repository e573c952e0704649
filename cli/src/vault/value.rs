//! A value from the user: typed twice without being shown, or from standard input. One line loses the newline at its end, for `echo` and
//! editors put it there; a text of several lines is kept byte for byte, for such are keys.

use crate::view::ask;
use anyhow::{Context, bail};
use model::Secret;
use std::io::{IsTerminal as _, Read};
use std::path::Path;

/// No value is larger, in bytes.
const LARGEST: u64 = 1 << 20;

/// A new value for the secret `name`.
pub fn new(name: &str) -> anyhow::Result<Secret<Vec<u8>>> {
    if !std::io::stdin().is_terminal() {
        return held(Path::new("-"));
    }
    let Some(value) = ask::secret(&format!("Value of {name}")) else { bail!("no value was given") };
    match ask::secret("The same again") {
        Some(again) if again == value => fit(value.expose().clone().into_bytes()),
        _ => bail!("the two are not the same: nothing is changed"),
    }
}

/// What a file holds, standard input for `-`.
pub fn held(file: &Path) -> anyhow::Result<Secret<Vec<u8>>> {
    let (name, from): (_, Box<dyn Read>) = match file == Path::new("-") {
        true => ("standard input".to_owned(), Box::new(std::io::stdin().lock())),
        false => {
            let name = file.display().to_string();
            let opened = std::fs::File::open(file).with_context(|| format!("cannot read {name}"))?;
            (name, Box::new(opened))
        }
    };
    let mut bytes = Vec::new();
    from.take(LARGEST + 1).read_to_end(&mut bytes).with_context(|| format!("cannot read {name}"))?;
    fit(bytes)
}

/// A value as it is kept.
pub fn fit(mut bytes: Vec<u8>) -> anyhow::Result<Secret<Vec<u8>>> {
    if bytes.len() as u64 > LARGEST {
        bail!("a secret is at most 1 MiB");
    }
    let is_one_line = bytes.iter().position(|byte| *byte == b'\n') == Some(bytes.len().wrapping_sub(1));
    if is_one_line {
        bytes.pop();
        if bytes.last() == Some(&b'\r') {
            bytes.pop();
        }
    }
    if bytes.is_empty() {
        bail!("an empty value is no secret");
    }
    if std::str::from_utf8(&bytes).is_err() {
        bail!("a secret is text in UTF-8: put what is none into base64");
    }
    Ok(Secret::new(bytes))
}

#[cfg(test)]
mod tests {
    use super::fit;

    #[test]
    fn one_line_loses_its_newline_and_more_lose_nothing() {
        for (given, kept) in [
            ("a\n", Some("a")),
            ("a\r\n", Some("a")),
            ("a", Some("a")),
            ("a\nb\n", Some("a\nb\n")),
            ("a\n\n", Some("a\n\n")),
            ("\n", None),
            ("", None),
        ] {
            let found = fit(given.into()).ok().map(|value| value.expose().clone());
            assert_eq!(found.as_deref(), kept.map(str::as_bytes), "{given:?}");
        }
        assert!(fit(vec![0xff]).is_err() && fit(vec![b'a'; (1 << 20) + 1]).is_err());
    }
}
