//! Calls the verb.

use crate::args::{Cli, Verb};
use crate::exit::Exit;

/// Does what the command line asks for.
pub fn run(cli: Cli) -> anyhow::Result<Exit> {
    let format = cli.format;
    match cli.verb {
        Verb::Validate(args) => super::validate::run(&args, format),
        Verb::Plan(args) => super::plan::run(&args, format),
        Verb::Apply(args) => super::apply::run(&args, format),
        Verb::Rehearse(args) => super::rehearse::run(&args, format),
        Verb::Rollback(args) => super::rollback::run(&args, format),
        Verb::History(args) => super::history::run(&args, format),
        Verb::Show(args) => super::show::run(&args, format),
        Verb::Facts(args) => super::facts::run(&args, format),
    }
}
