//! `keel validate`: everything compiles, or all that is wrong is said at once.

use crate::args::Format;
use crate::exit::Exit;
use crate::target::{Refusal, Target};
use crate::view;

/// Arguments of `validate`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    target: Target,
}

/// Compiles, and says what is wrong.
pub fn run(args: &Args, format: Format) -> anyhow::Result<Exit> {
    let facts = agent::os::facts::collect()?;
    match args.target.compile(&facts) {
        Ok(compiled) => {
            view::wrong::show(&compiled.warnings, format);
            view::valid(&compiled.catalog, format);
            Ok(Exit::Fine)
        }
        Err(Refusal::Diagnostics(diagnostics)) => {
            view::wrong::show(&diagnostics, format);
            Ok(Exit::Usage)
        }
        Err(Refusal::Other(error)) => Ok(view::misuse(&error)),
    }
}
