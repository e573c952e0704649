//! A server that speaks S3, for tests: moto from PyPI, in a directory of its own. Nothing is installed into the machine's Python.

use crate::cmd;
use anyhow::{Context, Result};
use std::path::Path;

/// Where it is.
pub const PLACE: &str = "/var/cache/keel-lab-moto";

/// One that the tests were seen to pass with.
const WANTED: &str = "moto[server]==5.2.5";

/// Is it there?
pub fn is_there() -> bool {
    Path::new(PLACE).join("moto").is_dir()
}

/// Makes sure of it.
///
/// # Errors
/// This machine has no pip, or pip does not get it.
pub fn ensure() -> Result<()> {
    if is_there() {
        return Ok(());
    }
    println!("installing {WANTED} from PyPI into {PLACE}");
    let fresh = format!("{PLACE}.new");
    let pip = ["python3", "-m", "pip", "install", "--quiet", "--root-user-action=ignore", "--upgrade"];
    cmd::quiet(&mut cmd::command(&[&pip[..], &["--target", &fresh, WANTED]].concat()))?;
    std::fs::rename(&fresh, PLACE).with_context(|| format!("cannot move {fresh}"))
}
