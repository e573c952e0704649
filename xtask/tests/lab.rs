//! Lists each folder of `tests/lab/` as one test. It must hold no scenario itself, and must not pass for what
//! it cannot run: without root every scenario is shown as ignored.

use libtest_mimic::{Arguments, Failed, Trial};
use xtask::cmd::is_root;
use xtask::lab::scenario;

fn main() {
    let scenarios = scenario::all().expect("the scenarios are in the workspace");
    let trials = scenarios.into_iter().map(|scenario| {
        let name = scenario.name.clone();
        let run = move || scenario.run().map_err(|error| Failed::from(format!("{error:#}")));
        Trial::test(name, run).with_ignored_flag(!is_root())
    });
    libtest_mimic::run(&Arguments::from_args(), trials.collect()).exit();
}
