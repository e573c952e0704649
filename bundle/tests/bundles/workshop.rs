//! A site in memory, its bundle, and keys to sign it with.

use bundle::{Allowed, Bundle, Contents, Digests, Policy, Refusal, Verified, Wanted};
use dsl::{Memory, NoKeys, Request, Texts};
use model::Facts;
use ssh_key::PrivateKey;
use ssh_key::private::{Ed25519Keypair, KeypairData};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A time at which keys without limits are good.
pub const NOW: i64 = 1_800_000_000;

/// A small site: modules inside and outside of it, files, sealed secrets, and what is nobody's business.
pub fn site() -> Memory {
    let sealed = "-----BEGIN AGE ENCRYPTED FILE-----\nx\n-----END AGE ENCRYPTED FILE-----\n";
    [
        ("keel.toml", "[project]\nname = \"shop\"\nmodules = [\"modules\", \"../shared\"]\n"),
        ("hosts.toml", "[host.web1]\nroles = [\"web\"]\n"),
        ("roles/web.toml", "[module.web]\n[module.base]\n[module.motd]\n"),
        ("roles/spare.toml", ""),
        ("modules/web/module.toml", ""),
        ("modules/web/files/deep/index.html", "<p>hello"),
        ("modules/web/templates/a.hbs", "{{ a }}"),
        ("modules/web/README.md", "nobody's business"),
        ("modules/unused/module.toml", ""),
        ("../shared/base/module.toml", ""),
        ("../shared/base/files/.bashrc", "umask 077\n"),
        ("lib:/modules/motd/module.toml", ""),
        ("lib:/modules/other/module.toml", ""),
        ("files/motd", "welcome\n"),
        ("files/.git/config", "nobody's business"),
        ("templates/empty.hbs", ""),
        ("tests/web.toml", ""),
        ("secrets/db.age", sealed),
        ("secrets/recipients", "ssh-ed25519 AAAA ann"),
        ("secrets/notes.txt", "nobody's business"),
        (".git/config", "nobody's business"),
        ("id_ed25519", "nobody's business"),
    ]
    .into_iter()
    .fold(Memory::default(), |memory, (path, text)| memory.with(path, text))
}

/// Collects it.
pub fn collect(files: &Memory) -> Result<Contents, Refusal> {
    let (facts, roles, texts) = (Facts::default(), ["web".to_owned(), "spare".to_owned()], Texts::default());
    let entry = dsl::Entry::Site { root: Path::new(""), host: None, roles: &roles };
    let library = [PathBuf::from("lib:")];
    let request = Request {
        entry,
        facts: &facts,
        sets: &[],
        library: &library,
        kinds: &[],
        loader: files,
        unseal: &NoKeys,
        texts: &texts,
    };
    bundle::collect(&Wanted { request: &request, root: Path::new("") })
}

/// The bytes of its bundle.
pub fn bytes(files: &Memory, counter: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    let contents = collect(files).unwrap_or_else(|refusal| panic!("{refusal}: {refusal:?}"));
    bundle::build(&contents, counter, files, &mut bytes).expect("it is written");
    bytes
}

/// Of bytes.
pub fn digests(bytes: &[u8]) -> Digests {
    Digests::of(bytes, u64::MAX).expect("they are in memory")
}

/// Opens bytes without asking who made them.
pub fn open(bytes: &[u8]) -> Result<Bundle, Refusal> {
    Bundle::open(Arc::new(bytes.to_vec()), &digests(bytes))
}

/// Someone's key.
pub fn key(seed: u8) -> PrivateKey {
    let pair = KeypairData::from(Ed25519Keypair::from_seed(&[seed; 32]));
    PrivateKey::new(pair, "somebody").expect("it is a key")
}

/// A line of allowed_signers for it.
pub fn line(options: &str, key: &PrivateKey) -> String {
    format!("ann@example.org {options} {}\n", key.public_key().to_openssh().expect("it has a public half"))
}

/// As a host does it.
pub fn verify(bytes: &[u8], signature: &str, allowed: &str) -> Result<Verified, Refusal> {
    let allowed = Allowed::parse("allowed_signers", allowed)?;
    let policy = Policy { allowed: &allowed, site: Some("shop"), now: NOW };
    bundle::verify(Arc::new(bytes.to_vec()), signature.as_bytes(), &policy)
}
