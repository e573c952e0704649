//! `keel check`: looks whether hosts are as the checks of the site want them. Changes nothing.

use super::targets::Targets;
use crate::book::Book;
use crate::exit::Exit;
use crate::format::Format;
use crate::library::Files;
use crate::vault::Opening;
use crate::view;
use crate::view::ask::Consent;
use crate::view::checks::Form;
use crate::view::show::Manner;
use crate::work::{Errand, Machines, Wanted};
use anyhow::anyhow;
use checks::{Chosen, Monitor};
use clap::ValueEnum;
use std::sync::Arc;

/// Arguments of `check`. A file given with -f is a tests file here: its checks, and no others.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    targets: Targets,
    /// Only this check, by its name; `nginx/*` stands for all of a module. May be repeated.
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    only: Vec<String>,
    /// How to print.
    #[arg(long, value_enum, default_value_t = Form::Human)]
    format: Form,
    /// What the exit code says: that of keel (0 all passed, 1 not, 3 wrong input, 4 unreachable), or that of monitors (0 OK, 1 WARNING,
    /// 2 CRITICAL, 3 UNKNOWN).
    #[arg(long, value_enum, default_value_t = ExitFor::Keel)]
    exit: ExitFor,
    #[command(flatten)]
    machines: Machines,
}

/// Whom the exit code is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ExitFor {
    /// As of every verb.
    Keel,
    /// As Nagios and those after it have it.
    Monitor,
}

/// Looks.
pub fn run(args: Args) -> anyhow::Result<Exit> {
    let exit = args.exit;
    match (look(args), exit) {
        (looked, ExitFor::Keel) => looked.map(|(exit, _)| exit),
        (Ok((_, monitor)), ExitFor::Monitor) => Ok(Exit::Monitor(monitor)),
        // Not the 1 of other verbs: that is a warning here.
        (Err(error), ExitFor::Monitor) => {
            view::failure(&format!("{error:#}"));
            Ok(Exit::Monitor(Monitor::Unknown))
        }
    }
}

fn look(args: Args) -> anyhow::Result<(Exit, Monitor)> {
    let Args { targets: Targets { hosts, site }, only, format: form, exit: _, machines } = args;
    let format = if form == Form::Json { Format::Json } else { Format::Human };
    let files = Files::for_looking(Opening::Never);
    let crew = machines.for_catalogs(&hosts, &site, &files);
    let book = Arc::new(Book::new(Chosen::new(&only)));
    let wanted = Wanted::Checks { site, book: Arc::clone(&book), form };
    let errand = Errand { wanted, consent: Consent::Given, manner: Manner::Answer, format, files };
    let exit = errand.go(crew)?;
    let looked = book.looked();
    let asked = looked.iter().any(|one| one.trouble.is_none());
    let strangers = book.strangers();
    if asked && !strangers.is_empty() {
        view::misuse(&anyhow!("{}", strangers.join("; ")));
        return Ok((Exit::of_all([exit, Exit::Usage]), Monitor::Unknown));
    }
    if asked && looked.iter().all(|one| one.checks.is_empty()) {
        view::misuse(&anyhow!(
            "there is nothing to check: declare [check.NAME] in tests/*.toml, or give -f FILE"
        ));
        return Ok((Exit::of_all([exit, Exit::Usage]), Monitor::Unknown));
    }
    let is_passed = looked.iter().all(|one| one.trouble.is_some() || one.is_passed());
    let seen = if is_passed { Exit::Fine } else { Exit::Failed };
    Ok((Exit::of_all([exit, seen]), Monitor::of(&looked)))
}
