//! What a push costs: against `ssh HOST true`, in turn; what a first contact takes over the wire; how large the laptop gets.
//! Needs root, for the hosts are those of the lab.

use crate::fleet::Fleet;
use crate::measure;
use crate::pairs::{Pairs, pairs};
use clap::Args;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

/// Measures pushing to hosts of the lab, which it starts and leaves there: `cargo xtask lab down` ends them.
#[derive(Args)]
pub struct Push {
    /// The program, with the agents beside it; made by `cargo xtask dist`.
    #[arg(long, default_value = "target/dist/keel")]
    keel: PathBuf,
    /// How many hosts.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u8).range(1..=20))]
    hosts: u8,
    /// How many files of 1 KiB are managed on each, beside a package and a service.
    #[arg(long, default_value_t = 100)]
    files: usize,
    /// How many pairs.
    #[arg(long, default_value_t = 30)]
    runs: usize,
}

/// The rows of the table, as Markdown.
pub fn table(args: &Push) -> anyhow::Result<Vec<String>> {
    let keel = std::fs::canonicalize(&args.keel)
        .map_err(|error| anyhow::anyhow!("{}: {error}; build it: cargo xtask dist", args.keel.display()))?;
    let fleet = Fleet::up(&keel, args.hosts, args.files)?;
    let all = fleet.names();
    let one = ["h1".to_owned()];
    let mut rows = vec![
        format!(
            "| {} files, a package, a service on each host | keel | ssh HOST true | ratio | target |",
            args.files
        ),
        "|---|---|---|---|---|".to_owned(),
    ];
    let to_all = fleet.keel(&all);
    measure::run(&to_all)?;
    for (what, name) in [("one host, with sudo", "h1"), ("one host, as root", "root-h1")] {
        let (push, floor) = (fleet.keel(&[name.to_owned()]), fleet.ssh(name, &["true"]));
        let measured = pairs(args.runs, || together(&[&push]), || together(&[&floor]))?;
        rows.push(row(&format!("push with nothing to do, {what}"), &measured));
    }
    let floors: Vec<Vec<OsString>> = all.iter().map(|name| fleet.ssh(name, &["true"])).collect();
    let floors: Vec<&Vec<OsString>> = floors.iter().collect();
    let measured = pairs(args.runs, || together(&[&to_all]), || together(&floors))?;
    rows.push(row(&format!("the same, {} hosts at once", all.len()), &measured));
    let peak = crate::peak(&std::env::current_exe()?, &to_all)?;
    rows.push(format!("| peak memory of it on the laptop | {peak} MiB | | | |"));
    let [down, up] = cold(&fleet, &one)?;
    rows.push(format!(
        "| first contact with a host, on the wire | {down:.2} MB down, {up:.2} MB up | | | 3 MB |"
    ));
    Ok(rows)
}

fn row(what: &str, measured: &Pairs) -> String {
    let Pairs { one, other, ratio } = measured;
    format!("| {what} | {one:.0} ms | {other:.0} ms | {ratio:.2} | 1.5 |")
}

/// The megabytes to the first host and from it when it has never been pushed to, and has nothing to be done.
fn cold(fleet: &Fleet, one: &[String]) -> anyhow::Result<[f64; 2]> {
    measure::run(&fleet.ssh("root-h1", &["rm -rf /var/lib/evenkeel"]))?;
    let before = fleet.on_the_wire()?;
    measure::run(&fleet.keel(one))?;
    let after = fleet.on_the_wire()?;
    Ok([0, 1].map(|way| (after[way] - before[way]) as f64 / 1e6))
}

/// Starts all of them, then waits for all; each has to end well.
fn together(programs: &[&Vec<OsString>]) -> anyhow::Result<()> {
    #[expect(clippy::disallowed_methods, reason = "the benchmark starts the programs it measures")]
    let start = |argv: &&Vec<OsString>| Command::new(&argv[0]).args(&argv[1..]).stdout(Stdio::null()).spawn();
    let mut children: Vec<Child> = programs.iter().map(start).collect::<Result<_, _>>()?;
    for child in &mut children {
        let status = child.wait()?;
        anyhow::ensure!(status.success(), "a program ended with {status}");
    }
    Ok(())
}
