//! The command line. Each verb's own arguments stand in its file under `commands`.

use crate::commands;
use crate::format::Format;
use clap::{Parser, Subcommand};

/// Keeps hosts on an even keel: declarative resources, one trip, a plan that tells the truth, and a way back.
#[derive(Debug, Parser)]
#[command(name = "keel", version, arg_required_else_help = true, disable_help_subcommand = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub verb: Verb,
}

/// A verb's own arguments, and how it prints. `graph` alone has forms of its own.
#[derive(Debug, clap::Args)]
pub struct Printed<A: clap::Args> {
    #[command(flatten)]
    pub args: A,
    /// How to print.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub format: Format,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Makes a small site to start from.
    Init(commands::init::Args),
    /// Checks that everything compiles.
    Validate(Printed<commands::validate::Args>),
    /// Tests modules, roles and hosts: what the tests beside them expect, and whether it is so.
    Test(commands::test::Args),
    /// Shows what `apply` would do.
    Plan(Printed<commands::Harmless>),
    /// Shows what somebody else changed since it was applied: what it was and is, when, and by whom if the host can tell.
    Drift(Printed<commands::Harmless>),
    /// Brings hosts to their desired state.
    Apply(Printed<commands::apply::Args>),
    /// Looks whether hosts are as the checks of the site want them. Changes nothing.
    Check(commands::check::Args),
    /// Puts faults on hosts for a while, one host at a time, and looks whether they are seen and made good.
    Drill(Printed<commands::drill::Args>),
    /// Tells what a run tells that goes on without us, and ends as it does.
    Attach(Printed<commands::attach::Args>),
    /// Applies for real in a throwaway copy of each host, and shows what changed there. The host stays as it is.
    Rehearse(Printed<commands::Harmless>),
    /// Brings back what a run changed.
    Rollback(Printed<commands::rollback::Args>),
    /// Keeps everybody from changing hosts, or a part of them, for a while.
    Lock(Printed<commands::lock::Args>),
    /// Lets everybody change hosts again.
    Unlock(Printed<commands::unlock::Args>),
    /// Lists what is locked on hosts.
    Locks(Printed<commands::Asked>),
    /// Lists the runs of hosts.
    History(Printed<commands::Asked>),
    /// Shows one run, op by op.
    Show(Printed<commands::OfRun>),
    /// Prints what hosts say of themselves.
    Facts(Printed<commands::Asked>),
    /// Draws the resources of one host and what comes before what.
    Graph(commands::graph::Args),
    /// Explains a kind of resource and its keys, or lists the kinds.
    Explain(Printed<commands::explain::Args>),
    /// Shows where the value of an input comes from: every layer with its place, and the one that holds.
    ExplainValue(Printed<commands::explain_value::Args>),
    /// Seals secrets to SSH keys, and opens them.
    Secret(commands::secret::Args),
    /// The agent of this machine, which keeps it even: by events, and by schedule.
    Agent(commands::agent::Args),
    /// Prints user-data for cloud-init: a new instance brings itself to its state, with nobody logging in.
    CloudInit(Box<commands::cloud_init::Args>),
    /// Makes a site into one signed file that hosts can take, and publishes it.
    Bundle(commands::bundle::Args),
    /// Prints a JSON Schema of resource files, or of files of tests, for editors.
    Schema(commands::schema::Args),
    /// Prints completions for a shell.
    Completion(commands::completion::Args),
}
