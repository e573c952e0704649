//! What Evenkeel costs, against the floor under it and against its peers, all in one run on one machine. `cargo xtask bench` builds what this
//! needs and calls it. It asserts nothing: timings are benchmarks, not tests. Start at `run`.
#![expect(clippy::disallowed_methods, reason = "it starts what it measures, and writes scratch files")]
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "it talks to the developer's terminal")]

mod account;
mod answer;
mod chart;
mod clock;
mod contest;
mod figures;
mod lab;
mod page;
mod proxy;
mod run;
mod state;
mod table;
mod tools;
mod workloads;

use clap::{Parser, Subcommand};

/// Measures keel, the floor, and peers in turn.
#[derive(Parser)]
struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// All of it: boots hosts of the lab, prepares and measures, writes table, chart and figures.
    Run(run::Run),
    /// Writes table and chart again, from the figures of an earlier run.
    Page(page::Page),
    /// Reads a contest from standard input, holds it on this machine, prints the outcome. The benchmark calls itself so on hosts.
    #[command(hide = true)]
    Contest,
    /// Runs one program and prints what it cost. A process of its own for each, since the kernel keeps one account for all children.
    #[command(hide = true)]
    One(clock::One),
    /// Runs what sshd was asked for, and leaves its largest process: what hosts are asked for through `authorized_keys`.
    #[command(hide = true)]
    Peak,
}

fn main() -> anyhow::Result<()> {
    match Args::parse().verb {
        Verb::Run(run) => run::run(&run),
        Verb::Page(page) => page::write(&page),
        Verb::Contest => contest::serve(),
        Verb::One(one) => clock::print(&one),
        Verb::Peak => account::peak(),
    }
}
