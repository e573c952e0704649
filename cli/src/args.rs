//! The command line. Each verb's own arguments stand in its file under `commands`.

use crate::commands;
use clap::{Parser, Subcommand, ValueEnum};

/// Keeps hosts on an even keel: declarative resources, one trip, a plan that tells the truth, and a way back.
#[derive(Debug, Parser)]
#[command(name = "keel", version, arg_required_else_help = true, disable_help_subcommand = true)]
pub struct Cli {
    /// How to print.
    #[arg(long, global = true, value_enum, default_value_t = Format::Human)]
    pub format: Format,
    /// What to do.
    #[command(subcommand)]
    pub verb: Verb,
}

/// How to print.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Human,
    /// JSON lines, one event a line; the last one is the report.
    Json,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Checks that everything compiles.
    Validate(commands::validate::Args),
    /// Shows what `apply` would do.
    Plan(commands::plan::Args),
    /// Brings this machine to its desired state.
    Apply(commands::apply::Args),
    /// Applies for real in a throwaway copy of this machine, and shows what changed there. The machine stays as it is.
    Rehearse(commands::rehearse::Args),
    /// Brings back what a run changed.
    Rollback(commands::rollback::Args),
    /// Lists the runs of this machine.
    History(commands::history::Args),
    /// Shows one run, op by op.
    Show(commands::show::Args),
    /// Prints what this machine says of itself.
    Facts(commands::facts::Args),
}
