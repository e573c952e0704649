//! `keel schema`: a JSON Schema of resource files, for completion and checks in an editor.

use crate::exit::Exit;
use crate::site::kinds;
use crate::view;

/// Arguments of `schema`.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Prints it.
pub fn run(_args: &Args) -> anyhow::Result<Exit> {
    view::text(&serde_json::to_string_pretty(&dsl::schema(&kinds()))?);
    Ok(Exit::Fine)
}
