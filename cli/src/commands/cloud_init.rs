//! `keel cloud-init`: user-data by which a new instance becomes what it is to be with nobody logging in. It connects to nothing.

use super::agent::Upkeep;
use crate::exit::Exit;

/// Arguments of `cloud-init`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    pub upkeep: Upkeep,
    /// Where the instance fetches `keel` for its machine: https:// or http://.
    #[arg(long, value_name = "URL", required = true)]
    pub keel_url: String,
    /// The SHA-256 of what is there, as sha256sum(1) tells it: what has another is not installed.
    #[arg(long, value_name = "SHA256", required = true, value_parser = digest)]
    pub keel_digest: String,
}

fn digest(text: &str) -> Result<String, String> {
    let digest = model::Digest::parse(&text.to_ascii_lowercase());
    digest
        .map(|digest| digest.to_string())
        .ok_or_else(|| "write the 64 digits that sha256sum(1) tells".to_owned())
}

/// Prints it.
#[cfg(all(target_os = "linux", not(feature = "elsewhere")))]
pub fn run(args: &Args) -> anyhow::Result<Exit> {
    crate::keeping::cloud_init::run(args)
}

/// There is no agent to describe here.
#[cfg(not(all(target_os = "linux", not(feature = "elsewhere"))))]
pub fn run(_: &Args) -> anyhow::Result<Exit> {
    Ok(crate::view::misuse(&anyhow::anyhow!("this machine is no Linux: make user-data on one that is")))
}
