//! `keel apply`: plan, ask, run.

use super::local::Local;
use crate::exit::Exit;
use crate::format::Format;
use crate::view;
use crate::view::ask::Consent;
use crate::view::events::Watch;

/// Arguments of `apply`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    local: Local,
    /// Does not ask.
    #[arg(long, short)]
    yes: bool,
}

/// Applies.
pub fn run(args: &Args, format: Format) -> anyhow::Result<Exit> {
    let consent = match if args.yes { Ok(Consent::Given) } else { Consent::at_terminal() } {
        Ok(consent) => consent,
        Err(error) => return Ok(view::misuse(&error)),
    };
    let watch = Watch::new(format, consent.manner());
    args.local.work(("apply", format), &|event| watch.see(event), |job| {
        let done = agent::session::apply(job, &|_| Ok(consent.answer("Apply?")))?;
        Ok(Exit::of_report(&done.report))
    })
}
