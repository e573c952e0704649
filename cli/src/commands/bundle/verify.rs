//! `keel bundle verify`: what a host would say of a bundle.

use super::run::Wrong;
use super::sign::beside;
use crate::exit::Exit;
use crate::format::Format;
use crate::{clock, view};
use anyhow::Context as _;
use bundle::{Allowed, Policy, Refusal};
use std::fs::File;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where a host keeps who may sign.
pub const ALLOWED: &str = "/etc/evenkeel/allowed_signers";

/// Arguments of `bundle verify`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The bundle; its signature is in FILE.sig.
    file: PathBuf,
    /// Who may sign, as `ssh-keygen -Y verify -f` takes it.
    #[arg(long, value_name = "FILE", default_value = ALLOWED)]
    allowed_signers: PathBuf,
    /// The site that it has to be of; any unless said.
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// How to print.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

/// What is in the file of a signature.
pub fn signature(file: &Path) -> anyhow::Result<Vec<u8>> {
    match std::fs::read(file) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            Err(Refusal::Unsigned { signature: file.display().to_string() }.into())
        }
        read => read.with_context(|| format!("cannot read {}", file.display())),
    }
}

/// Verifies it.
pub fn run(args: &Args) -> Result<Exit, Wrong> {
    let allowed = Allowed::read(&args.allowed_signers)?;
    let file = File::open(&args.file).with_context(|| format!("cannot open {}", args.file.display()))?;
    let signature = signature(&beside(&args.file))?;
    let policy = Policy { allowed: &allowed, site: args.name.as_deref(), now: clock::seconds() };
    let verified = bundle::verify(Arc::new(file), &signature, &policy)?;
    view::bundle::verified(&args.file, &verified, args.format);
    Ok(Exit::Fine)
}
