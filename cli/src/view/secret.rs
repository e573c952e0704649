//! Secrets of a site: which there are, who can read them, what was done. A value is printed by `show` alone.

use super::out::{inert, line, note};
use crate::format::Format;
use crate::vault::{Readers, Recipient};
use model::Secret;
use std::io::{IsTerminal as _, Write as _};

/// What became of a secret.
pub fn sealed(name: &str, what: &str) {
    note(&format!("{name}: {what}"));
}

/// The value, byte for byte; on a terminal a newline follows one that has none.
pub fn value(value: &Secret<Vec<u8>>) -> anyhow::Result<()> {
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(value.expose())?;
    if stdout.is_terminal() && !value.expose().ends_with(b"\n") {
        stdout.write_all(b"\n")?;
    }
    Ok(stdout.flush()?)
}

/// The names.
pub fn list(names: &[String], format: Format) {
    for name in names {
        line(&match format {
            Format::Human => name.clone(),
            Format::Json => serde_json::json!({ "event": "secret", "name": name }).to_string(),
        });
    }
}

/// The recipients, and for each secret in what its readers differ from them.
pub fn readers(recipients: &[Recipient], readers: &[Readers], format: Format) {
    for one in recipients {
        let Recipient { kind, fingerprint, comment, .. } = one;
        line(&match format {
            Format::Human => inert(format!("{kind} {fingerprint} {comment}").trim_end()),
            Format::Json => serde_json::json!({ "event": "recipient", "type": kind, "fingerprint": fingerprint, "comment": comment }).to_string(),
        });
    }
    for one in readers {
        let Readers { name, lacking, beyond } = one;
        match format {
            Format::Json => line(&serde_json::json!({ "event": "readers", "secret": name, "lacking": lacking, "beyond": beyond }).to_string()),
            Format::Human => {
                let mut said = Vec::new();
                said.extend((!lacking.is_empty()).then(|| format!("not yet for {}", lacking.join(", "))));
                said.extend((!beyond.is_empty()).then(|| format!("still for {}", beyond.join(", "))));
                let said = if said.is_empty() { "for all of these".to_owned() } else { said.join("; ") };
                line(&inert(&format!("{name}: {said}")));
            }
        }
    }
    if format == Format::Human && !readers.iter().all(Readers::is_current) {
        note(
            "`keel secret rotate` seals to the recipients of now; who could read a secret may know it: change it where that matters",
        );
    }
}
