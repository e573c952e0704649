//! The floor: stats, reads and hashes every file of a directory, one after the other, and prints how many there were.
//!
//! It is what a no-op run cannot avoid; it decides nothing, compares nothing and knows no resource.

use sha2::{Digest, Sha256};
use std::io::Write as _;
use std::path::PathBuf;

fn main() -> anyhow::Result<()> {
    let directory = std::env::args_os().nth(1).map(PathBuf::from);
    let directory = directory.ok_or_else(|| anyhow::anyhow!("floor DIRECTORY"))?;
    let mut names: Vec<PathBuf> = std::fs::read_dir(directory)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?;
    names.sort();
    let mut all = Sha256::new();
    for name in &names {
        let meta = std::fs::symlink_metadata(name)?;
        let bytes = std::fs::read(name)?;
        anyhow::ensure!(meta.len() == bytes.len() as u64, "{} changed", name.display());
        all.update(Sha256::digest(&bytes));
    }
    let sum = all.finalize();
    Ok(writeln!(std::io::stdout(), "{} files {:02x}{:02x}", names.len(), sum[0], sum[1])?)
}
