//! `keel bundle publish`: puts a signed bundle where hosts take it from.

use super::run::Wrong;
use super::sign::beside;
use super::verify::signature;
use crate::exit::Exit;
use crate::view;
use anyhow::Context as _;
use bundle::Turn;
use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;

/// Arguments of `bundle publish`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The bundle; its signature is in FILE.sig.
    file: PathBuf,
    /// Where to: a directory, `s3://BUCKET/PREFIX`, or an address that takes `PUT`.
    place: String,
    /// Publishes it although the place has a newer one. Hosts that have seen that one take no older; to go back, build what was there before with a new counter.
    #[arg(long)]
    back: bool,
}

/// Publishes it.
pub fn run(args: &Args) -> Result<Exit, Wrong> {
    let to = bundle::source(&args.place)?;
    let file = File::open(&args.file).with_context(|| format!("cannot open {}", args.file.display()))?;
    let signature = signature(&beside(&args.file))?;
    let turn = if args.back { Turn::Back } else { Turn::Forward };
    let published = bundle::publish(Arc::new(file), &signature, (&*to, turn))?;
    view::bundle::published(&to.place(), &published);
    Ok(Exit::Fine)
}
