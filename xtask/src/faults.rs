//! `cargo xtask faults`: the tests that inject faults, alone, all of what they can try or the sample that the test command takes, and a
//! table of how many faults that was. It must not inject anything itself: the tests do, and tell how often.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;
use std::process::Stdio;

use anyhow::{Context, Result, ensure};

use crate::cmd;

/// What is to be tried.
#[derive(Debug, clap::Args)]
pub struct Faults {
    /// All of it, and not a sample. Takes long.
    #[arg(long)]
    full: bool,
    /// Only faults of this sort, such as `F-08`.
    #[arg(long)]
    only: Option<String>,
    /// Seeds the choice of a sample, and what is random: repeats what a failure named.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// A sort of fault (`docs/reliability.md`), the package and the target of the tests that inject it, and which they are.
const SORTS: &[(&str, [&str; 2], &str)] = &[
    ("F-01", ["cli", "program"], "test(/syscalls::killed|needs_root::crash/)"),
    ("F-03", ["agent", "faults"], "test(/^(matrix|pairs)::/) - test(/roll(ed_)?back/)"),
    ("F-04", ["agent", "faults"], "test(/^(damage|notes)::/)"),
    ("F-08", ["cli", "program"], "test(/syscalls::(any_call|a_sync)|needs_root::io_errors/)"),
    ("F-15", ["cli", "program"], "test(together)"),
    ("F-20", ["agent", "faults"], "test(/^back::/) + (test(/^(matrix|pairs)::/) & test(/roll(ed_)?back/))"),
    ("T-01", ["agent", "races"], "all()"),
    ("T-02", ["fleet", "push"], "test(/planted/)"),
];

/// Runs the tests, keeps what they say, and prints the table. The number is the exit code.
///
/// # Errors
/// Something could not be started or written, or there is no such sort of fault.
pub fn run(faults: &Faults) -> Result<u8> {
    let chosen: Vec<_> =
        SORTS.iter().filter(|(id, ..)| faults.only.as_deref().is_none_or(|only| only == *id)).collect();
    let known = SORTS.iter().map(|(id, ..)| *id).collect::<Vec<_>>().join(", ");
    ensure!(!chosen.is_empty(), "there are faults {known}");
    let dir = cmd::workspace().join("target/faults");
    std::fs::create_dir_all(&dir).with_context(|| format!("cannot make {}", dir.display()))?;
    let mut failed = Vec::new();
    let mut rows = BTreeMap::new();
    println!("seed {}", faults.seed);
    for (id, place, filter) in chosen {
        let (log, counts) = (dir.join(format!("{id}.log")), dir.join(format!("{id}.counts")));
        let fine = one(faults, (*place, filter), (&log, &counts))?;
        if !fine {
            failed.push(format!("{id}: what they said is in {}", log.display()));
        }
        collect(&counts, &mut rows)?;
    }
    println!("{:<6} {:>7}  what", "fault", "count");
    rows.iter().for_each(|((id, what), count)| println!("{id:<6} {count:>7}  {what}"));
    println!("{:<6} {:>7}", "sum", rows.values().sum::<u64>());
    failed.iter().for_each(|line| println!("FAILED {line}"));
    Ok(u8::from(!failed.is_empty()))
}

/// Runs the tests of one sort; whether all of them passed.
fn one(
    faults: &Faults,
    ([package, target], filter): ([&str; 2], &str),
    (log, counts): (&Path, &Path),
) -> Result<bool> {
    let file = File::create(log).with_context(|| format!("cannot make {}", log.display()))?;
    File::create(counts).with_context(|| format!("cannot make {}", counts.display()))?;
    let mut tests = cmd::cargo();
    tests.args(["nextest", "run", "--package", package, "--test", target]);
    tests.args(["--no-fail-fast", "--profile", "faults", "-E", filter]);
    tests.env("KEEL_FAULTS_SEED", faults.seed.to_string()).env("KEEL_FAULTS_COUNTS", counts);
    if faults.full {
        tests.env("KEEL_FAULTS", "full");
    }
    tests.stdout(Stdio::null()).stderr(file).current_dir(cmd::workspace());
    let status = tests.status().with_context(|| format!("cannot start: {}", cmd::shown(&tests)))?;
    Ok(status.success())
}

/// Adds what the tests counted: lines of id, what, and how often.
fn collect(counts: &Path, rows: &mut BTreeMap<(String, String), u64>) -> Result<()> {
    let text =
        std::fs::read_to_string(counts).with_context(|| format!("cannot read {}", counts.display()))?;
    for line in text.lines() {
        let mut parts = line.split('\t');
        let (Some(id), Some(what), Some(count)) = (parts.next(), parts.next(), parts.next()) else {
            continue;
        };
        *rows.entry((id.to_owned(), what.to_owned())).or_default() +=
            count.parse::<u64>().with_context(|| format!("not a count: {line}"))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::collect;
    use std::collections::BTreeMap;

    #[test]
    fn counts_of_one_thing_are_added() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("counts");
        std::fs::write(&path, "F-01\tkilled\t3\nF-01\tkilled\t4\nF-08\tfailed\t1\n").unwrap();
        let mut rows = BTreeMap::new();
        collect(&path, &mut rows).unwrap();
        let killed = rows[&("F-01".to_owned(), "killed".to_owned())];
        assert_eq!((killed, rows.len()), (7, 2));
    }
}
