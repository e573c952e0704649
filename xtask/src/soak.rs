//! `cargo xtask soak`: the lab scenario `soak` for longer: a host whose agent repairs what is altered at random, and what that took. It only
//! says for how long; what is altered and measured stands in the scenario.

use crate::cmd;
use crate::lab::scenario;
use anyhow::{Context, Result};
use std::path::PathBuf;

/// How much of it.
#[derive(Debug, clap::Args)]
pub struct Soak {
    /// Over so many minutes.
    #[arg(long, default_value_t = 30)]
    minutes: u32,
    /// How many alterations.
    #[arg(long, default_value_t = 500)]
    alterations: u32,
    /// What chance goes by.
    #[arg(long, default_value_t = 1)]
    seed: u16,
}

/// Runs it. `KEEL_BIN` names the `keel` of the host, unless it is the one that `cargo build` made.
///
/// # Errors
/// Something was missed, or the lab could not be had.
pub fn run(soak: &Soak) -> Result<()> {
    let keel = std::env::var_os("KEEL_BIN")
        .map_or_else(|| cmd::workspace().join("target/debug/keel"), PathBuf::from);
    let all = scenario::all()?;
    let scenario = all.iter().find(|one| one.name == "soak").context("there is no scenario `soak`")?;
    scenario.run_with(&[
        ("KEEL_BIN", keel.display().to_string()),
        ("SOAK_MINUTES", soak.minutes.to_string()),
        ("SOAK_ALTERATIONS", soak.alterations.to_string()),
        ("SOAK_SEED", soak.seed.to_string()),
    ])
}
