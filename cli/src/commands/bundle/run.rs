//! What `keel bundle` can do, and how a refusal is told.

use super::{build, publish, sign, verify};
use crate::exit::Exit;
use crate::format::Format;
use crate::site;
use crate::view;
use clap::Subcommand;

/// Arguments of `bundle`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

/// What is to be done.
#[derive(Debug, Subcommand)]
enum What {
    /// Makes the bundle of a site, after checking that it compiles for each of its hosts.
    Build(build::Args),
    /// Signs a bundle with a key of SSH: the signature is put beside it, in FILE.sig.
    Sign(sign::Args),
    /// Checks a bundle and its signature as a host does.
    Verify(verify::Args),
    /// Puts a bundle and its signature where hosts take them from.
    Publish(publish::Args),
}

/// Why it was not done.
pub enum Wrong {
    /// The bundle is refused.
    Refused(bundle::Refusal),
    /// The site, or the command line, is wrong.
    Site(site::Refusal),
}

impl From<bundle::Refusal> for Wrong {
    fn from(refusal: bundle::Refusal) -> Self {
        match refusal {
            bundle::Refusal::Wrong(diagnostics) => Self::Site(site::Refusal::Diagnostics(diagnostics)),
            other => Self::Refused(other),
        }
    }
}

impl From<site::Refusal> for Wrong {
    fn from(refusal: site::Refusal) -> Self {
        Self::Site(refusal)
    }
}

impl From<anyhow::Error> for Wrong {
    fn from(error: anyhow::Error) -> Self {
        Self::Site(error.into())
    }
}

/// Does it.
pub fn run(args: &Args) -> anyhow::Result<Exit> {
    let done = match &args.what {
        What::Build(args) => build::run(args),
        What::Sign(args) => sign::run(args),
        What::Verify(args) => verify::run(args),
        What::Publish(args) => publish::run(args),
    };
    Ok(match done {
        Ok(exit) => exit,
        Err(Wrong::Refused(refusal)) => view::failure(&refusal.to_string()),
        Err(Wrong::Site(refusal)) => view::refused(&refusal, Format::Human),
    })
}
