//! A power cut at a moment of a run, the boot after it, and what must hold then: each managed thing is the old or the new one, nothing
//! is said to be done that is not there, the next run reaches the goal without a word, and the run after that has nothing to do.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use super::guest;
use super::machine::Machine;
use super::pieces::Pieces;
use super::world::{Tree, World};

/// A machine without KVM on a busy one takes its time.
const PATIENCE: Duration = Duration::from_secs(120);

/// How many cuts, and which moments.
#[derive(Clone, Copy, Debug)]
pub struct Cuts {
    /// How many.
    pub count: u32,
    /// The moments follow from this.
    pub seed: u64,
}

/// Cuts the power `cuts.count` times, each time in a run from the beginning. What is left of a cycle that failed stays in `dir`.
///
/// # Errors
/// Something did not hold; the seed is in the error.
pub fn cut(keel: &Path, dir: &Path, cuts: Cuts) -> Result<()> {
    let bench = Bench::new(keel, dir)?;
    let whole = bench.measure()?;
    let mut moment = cuts.seed;
    for at in 0..cuts.count {
        // Knuth's MMIX; only to spread the moments, the same ones for the same seed.
        moment = moment.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let after = whole.mul_f64((moment >> 33) as f64 / (1u64 << 31) as f64 * 1.1);
        let held = bench.cycle(after);
        held.with_context(|| format!("cut {at}, {after:?} into a run of {whole:?}, seed {}", cuts.seed))?;
    }
    println!("{} power cuts within {whole:?} of a run, seed {}", cuts.count, cuts.seed);
    Ok(())
}

/// Lets the clock of a machine jump a day ahead and a day back, between runs that do everything and runs that take it back.
///
/// # Errors
/// A run or a rollback did not do what it does on any other day.
pub fn jump(keel: &Path, dir: &Path) -> Result<()> {
    let bench = Bench::new(keel, dir)?;
    let disk = bench.disk()?;
    let mut machine = Machine::boot(&bench.pieces, (&bench.archive, &disk), "clock")?;
    let told = Told { lines: machine.until("KEEL-END", PATIENCE * 2)? };
    machine.cut()?;
    for word in ["KEEL-APPLY", "KEEL-AGAIN", "KEEL-BACK"] {
        let exits: Vec<&str> = told.after(word).collect();
        ensure!(exits == ["0"; 3], "{word} {exits:?}: {}", told.lines.join("\n"));
    }
    for jump in [0, 86_400, -172_800] {
        ensure!(told.tree(&format!("done{jump}")) == bench.world.goal, "the run after a jump of {jump} s");
        ensure!(
            told.tree(&format!("back{jump}")) == bench.world.start,
            "the rollback after a jump of {jump} s"
        );
    }
    let runs: Vec<serde_json::Value> =
        told.after("RUN").map(serde_json::from_str).collect::<std::result::Result<_, _>>()?;
    let numbers: Vec<_> = runs.iter().filter_map(|run| run["run"].as_u64()).collect();
    ensure!(numbers == [6, 5, 4, 3, 2, 1], "runs are in the order in which they were: {numbers:?}");
    Ok(())
}

struct Bench {
    pieces: Pieces,
    archive: PathBuf,
    dir: PathBuf,
    fresh: PathBuf,
    world: World,
}

impl Bench {
    fn new(keel: &Path, dir: &Path) -> Result<Self> {
        // What an earlier call has left there was for looking at.
        if dir.exists() {
            fs::remove_dir_all(dir)?;
        }
        fs::create_dir_all(dir)?;
        let (pieces, world) = (Pieces::ensure()?, World::new()?);
        let archive = guest::archive(&pieces, dir, keel, &world.site)?;
        let fresh = dir.join("fresh.img");
        world.disk(&fresh)?;
        Ok(Self { pieces, archive, dir: dir.to_owned(), fresh, world })
    }

    fn disk(&self) -> Result<PathBuf> {
        let disk = self.dir.join("disk.img");
        fs::copy(&self.fresh, &disk)?;
        Ok(disk)
    }

    /// How long a run takes that nobody disturbs. Cutting the power after its end must lose nothing either.
    fn measure(&self) -> Result<Duration> {
        let disk = self.disk()?;
        let mut machine = Machine::boot(&self.pieces, (&self.archive, &disk), "cut")?;
        machine.until("KEEL-READY", PATIENCE)?;
        let begun = Instant::now();
        let lines = machine.until("KEEL-DONE", PATIENCE)?;
        let took = begun.elapsed();
        machine.cut()?;
        ensure!(lines.last().is_some_and(|line| line == "KEEL-DONE 0"), "the run fails: {lines:?}");
        let told = self.after(&disk)?;
        ensure!(told.tree("start") == self.world.goal, "what was done is lost when the power goes after it");
        Ok(took)
    }

    fn cycle(&self, after: Duration) -> Result<()> {
        let disk = self.disk()?;
        let mut machine = Machine::boot(&self.pieces, (&self.archive, &disk), "cut")?;
        machine.until("KEEL-READY", PATIENCE)?;
        // The run may end before: then the cut comes after it.
        let begun = Instant::now();
        if machine.says("KEEL-DONE", after) {
            std::thread::sleep(after.saturating_sub(begun.elapsed()));
        }
        machine.cut()?;
        let told = self.after(&disk)?;
        self.legal(&told)?;
        self.truthful(&told)
    }

    /// The boot after the cut, to its end.
    fn after(&self, disk: &Path) -> Result<Told> {
        let mut machine = Machine::boot(&self.pieces, (&self.archive, disk), "after")?;
        let lines = machine.until("KEEL-END", PATIENCE)?;
        machine.cut()?;
        let told = Told { lines };
        for (word, tree) in [("KEEL-FIRST", "first"), ("KEEL-SECOND", "second")] {
            let exit = told.after(word).next();
            ensure!(exit == Some("0"), "{word} {exit:?}: {}", told.lines.join("\n"));
            let found = told.tree(tree);
            let odd: BTreeSet<_> = found.iter().chain(&self.world.goal).collect();
            let odd: Vec<_> = odd
                .into_iter()
                .filter(|(path, what)| {
                    self.world.goal.get(*path) != Some(*what) || found.get(*path) != Some(*what)
                })
                .collect();
            ensure!(odd.is_empty(), "after the {tree} run: {odd:?}");
        }
        let outs: Vec<&str> = told.after("OUT").collect();
        ensure!(
            outs.last().is_some_and(|line| line.contains("as desired")),
            "the second run had something to do: {outs:?}"
        );
        Ok(told)
    }

    /// Right after the cut each path is as it was or as it is to be; beside each that the run writes one temporary file may be, of which
    /// the run after knows: it ends without.
    fn legal(&self, told: &Told) -> Result<()> {
        let found = told.tree("start");
        let mut beside = BTreeSet::new();
        for path in found.keys().chain(self.world.start.keys()).collect::<BTreeSet<_>>() {
            let (was, is, goal) = (self.world.start.get(path), found.get(path), self.world.goal.get(path));
            if was.is_some() || goal.is_some() {
                ensure!(is == was || is == goal, "{path} is neither old nor new: {is:?}");
                continue;
            }
            let written = temporary_of(path).filter(|path| self.world.goal.contains_key(path));
            let is_one = written.is_some_and(|path| beside.insert(path));
            ensure!(is_one, "{path} is a stray: {found:?}");
        }
        Ok(())
    }

    /// What the journal says to be done is there.
    fn truthful(&self, told: &Told) -> Result<()> {
        let found = told.tree("start");
        for line in told.after("OP") {
            let op: serde_json::Value = serde_json::from_str(line).context("an op is JSON")?;
            if op["outcome"] != "done" {
                continue;
            }
            let nodes = op["nodes"].as_array().map_or(&[][..], Vec::as_slice);
            for path in nodes.iter().filter_map(|node| Some(node.as_str()?.split_once("/mnt/host/")?.1)) {
                let path = format!("./{path}");
                let (is, goal) = (found.get(&path), self.world.goal.get(&path));
                ensure!(is == goal, "{path} is said to be done, and is {is:?}: {line}");
            }
        }
        Ok(())
    }
}

/// The path that a temporary file is to become: `DIR/.NAME.keel-…` becomes `DIR/NAME`.
fn temporary_of(path: &str) -> Option<String> {
    let (directory, name) = path.rsplit_once('/')?;
    let (name, _) = name.strip_prefix('.')?.rsplit_once(".keel-")?;
    Some(format!("{directory}/{name}"))
}

/// What the guest said.
struct Told {
    lines: Vec<String>,
}

impl Told {
    /// The rest of the lines that begin with `word`.
    fn after<'a>(&'a self, word: &'a str) -> impl Iterator<Item = &'a str> {
        self.lines.iter().filter_map(move |line| line.strip_prefix(word)?.strip_prefix(' '))
    }

    /// What it saw at one moment, without what nobody manages.
    fn tree(&self, moment: &str) -> Tree {
        let seen = self.after("LOOK").filter_map(|line| line.strip_prefix(moment)?.strip_prefix(' '));
        let entry = |line: &str| {
            let mut words = line.split_whitespace();
            let what = format!("{} {}", words.next()?, words.next()?);
            Some((words.next()?.to_owned(), what))
        };
        seen.filter_map(entry).filter(|(path, _)| path != "./foreign").collect()
    }
}
