//! `keel bundle sign`: the signature of a bundle, in a file beside it, as `ssh-keygen -Y sign` names and writes it.

use super::run::Wrong;
use crate::exit::Exit;
use crate::view::{self, ask::Terminal};
use anyhow::{Context as _, anyhow};
use bundle::Refusal;
use fleet::Keyring;
use ssh_key::PrivateKey;
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// Arguments of `bundle sign`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The bundle.
    file: PathBuf,
    /// The private key; ~/.ssh/id_ed25519 unless said.
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
}

/// Where the signature of a bundle is.
pub fn beside(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".sig");
    name.into()
}

/// Signs it.
pub fn run(args: &Args) -> Result<Exit, Wrong> {
    let own = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".ssh/id_ed25519"));
    let path =
        args.key.clone().or_else(own).ok_or_else(|| anyhow!("give the private key with --key FILE"))?;
    let file = File::open(&args.file).with_context(|| format!("cannot open {}", args.file.display()))?;
    // Nobody signs what no host would take.
    let digests = bundle::digests(&file)?;
    let bundle = bundle::Bundle::open(std::sync::Arc::new(file), &digests)?;
    let unfit = |why: String| Refusal::Key(format!("{} {why}", path.display()));
    let text = Keyring::default().private(&path, &Terminal).map_err(unfit)?;
    let text = text.ok_or_else(|| unfit("is not there: give another with --key FILE".to_owned()))?;
    let key = PrivateKey::from_openssh(text.expose())
        .map_err(|_| unfit("is not in OpenSSH's own format: `ssh-keygen -p -f` writes it so".to_owned()))?;
    let signature = bundle::sign(&key, &digests)?;
    let to = beside(&args.file);
    put(&to, signature.as_bytes()).with_context(|| format!("cannot write {}", to.display()))?;
    view::bundle::signed(&to, bundle.manifest(), key.public_key());
    Ok(Exit::Fine)
}

/// Whole or not at all.
fn put(to: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let dir = to.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let permissions = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    let mut file = tempfile::Builder::new().prefix(".keel-").permissions(permissions).tempfile_in(dir)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(to).map(drop).map_err(|error| error.error)
}
