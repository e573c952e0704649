//! Bundles: what was made of them, what they are, who could not read what is in them.

use super::out::{inert, line, note};
use super::words::counted;
use crate::format::Format;
use bundle::{Digests, Manifest, Published, Verified};
use ssh_key::{HashAlg, PublicKey};
use std::path::Path;

/// A new one, of a site, with a counter and so many files.
pub fn built(file: &Path, (site, counter, files): (&str, u64, usize), digests: &Digests) {
    let files = counted(files, "file");
    line(&inert(&format!(
        "{}: site {site}, counter {counter}, {files}, {} bytes",
        file.display(),
        digests.size
    )));
    line(&format!("sha256 {}", digests.sha256));
}

/// A signature.
pub fn signed(file: &Path, manifest: &Manifest, key: &PublicKey) {
    let Manifest { site, counter, .. } = manifest;
    let print = key.fingerprint(HashAlg::Sha256);
    let whose = format!("{} {print} {}", key.algorithm().as_str(), key.comment());
    line(&inert(&format!("{}: site {site}, counter {counter}, by {}", file.display(), whose.trim_end())));
}

/// One that a host would take.
pub fn verified(file: &Path, verified: &Verified, format: Format) {
    let Manifest { site, counter, files, .. } = verified.bundle.manifest();
    let (signer, digest) = (&verified.signer, verified.bundle.digest());
    line(&match format {
        Format::Human => inert(&format!(
            "{}: site {site}, counter {counter}, {}, signed by {} ({})",
            file.display(),
            counted(files.len(), "file"),
            signer.principals,
            signer.key
        )),
        Format::Json => serde_json::json!({
            "event": "bundle", "site": site, "counter": counter, "files": files.len(), "sha256": digest,
            "signer": signer.principals, "key": signer.key,
        })
        .to_string(),
    });
}

/// One that hosts find now.
pub fn published(place: &str, published: &Published) {
    let Manifest { site, counter, .. } = &published.manifest;
    let before = published.before.map(|before| format!(", before it {before}")).unwrap_or_default();
    line(&inert(&format!("{place}: site {site}, counter {counter}{before}")));
}

/// Secrets that a host needs, and by what is known of its keys cannot read.
pub fn closed(host: &str, secrets: &[&str], keys: &[String]) {
    let secrets = secrets.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    note(&inert(&match keys.is_empty() {
        true => format!(
            "warning: whether {host} can read {secrets} cannot be told: give it `host_key` in hosts.toml, from /etc/ssh/ssh_host_ed25519_key.pub there"
        ),
        false => format!(
            "warning: {host} cannot read {secrets}: add its host key to secrets/recipients, then `keel secret rotate`"
        ),
    }));
}
