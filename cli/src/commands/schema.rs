//! `keel schema`: a JSON Schema of resource files or of files of tests, for completion and checks in an editor.

use crate::exit::Exit;
use crate::site::kinds;
use crate::view;
use agent::checks::SUBJECTS;
use agent::drills::FAULTS;

/// Arguments of `schema`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Of which files: those of resources, or those of tests (tests/*.toml).
    #[arg(value_enum, default_value_t = Of::Resources)]
    of: Of,
}

/// Which files a schema is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Of {
    /// Resources, roles and modules.
    Resources,
    /// tests/*.toml: units, boxes, suites, checks and drills.
    Tests,
}

/// Prints it.
pub fn run(args: &Args) -> anyhow::Result<Exit> {
    let schema = match args.of {
        Of::Resources => dsl::schema(&kinds()),
        Of::Tests => trial::schema(SUBJECTS, FAULTS),
    };
    view::text(&serde_json::to_string_pretty(&schema)?);
    Ok(Exit::Fine)
}
