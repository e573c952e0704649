//! Calls the verb.

use crate::args::{Cli, Printed, Verb};
use crate::exit::Exit;

/// Does what the command line asks for.
pub fn run(cli: Cli) -> anyhow::Result<Exit> {
    match cli.verb {
        Verb::Init(args) => super::init::run(&args),
        Verb::Validate(Printed { args, format }) => super::validate::run(&args, format),
        Verb::Test(args) => super::test::run(&args),
        Verb::Plan(Printed { args, format }) => super::plan::run(args, format),
        Verb::Drift(Printed { args, format }) => super::drift::run(args, format),
        Verb::Apply(Printed { args, format }) => super::apply::run(args, format),
        Verb::Check(args) => super::check::run(args),
        Verb::Drill(Printed { args, format }) => super::drill::run(args, format),
        Verb::Attach(Printed { args, format }) => super::attach::run(args, format),
        Verb::Rehearse(Printed { args, format }) => super::rehearse::run(args, format),
        Verb::Rollback(Printed { args, format }) => super::rollback::run(args, format),
        Verb::Lock(Printed { args, format }) => super::lock::run(args, format),
        Verb::Unlock(Printed { args, format }) => super::unlock::run(args, format),
        Verb::Locks(Printed { args, format }) => super::locks::run(args, format),
        Verb::History(Printed { args, format }) => super::history::run(args, format),
        Verb::Show(Printed { args, format }) => super::show::run(args, format),
        Verb::Facts(Printed { args, format }) => super::facts::run(args, format),
        Verb::Graph(args) => super::graph::run(&args),
        Verb::Explain(Printed { args, format }) => super::explain::run(&args, format),
        Verb::ExplainValue(Printed { args, format }) => super::explain_value::run(&args, format),
        Verb::Secret(args) => super::secret::run(&args),
        Verb::Agent(args) => super::agent::run(args),
        Verb::CloudInit(args) => super::cloud_init::run(&args),
        Verb::Bundle(args) => super::bundle::run(&args),
        Verb::Schema(args) => super::schema::run(&args),
        Verb::Completion(args) => super::completion::run(&args),
    }
}
