//! What `cargo deny` says of the dependencies: licences, sources, bans, and advisories where their database is on this machine. It must not
//! fetch anything, nor pass in silence over what could not be asked.

use std::path::PathBuf;

use anyhow::Result;

use crate::cmd;

/// Where cargo-deny keeps the databases it has fetched (its book, "advisories: db-path").
const DATABASES: &str = "advisory-dbs";

/// Asks, as far as can be asked here.
///
/// # Errors
/// There is something to say against a dependency.
pub fn check() -> Result<()> {
    let is_there = cmd::find("cargo-deny").is_some();
    let advisories = database();
    if !is_there {
        println!("there is no cargo-deny here, so dependencies are LEFT OUT: cargo install cargo-deny");
        return Ok(());
    }
    let mut deny = cmd::cargo();
    deny.args(["deny", "--offline", "--log-level", "error", "check", "bans", "licenses", "sources"]);
    match advisories {
        Some(_) => drop(deny.arg("advisories")),
        None => println!("there is no database of advisories here, so they are LEFT OUT: cargo deny fetch"),
    }
    cmd::run(deny.current_dir(cmd::workspace()))
}

/// The database of advisories, where it was fetched once.
fn database() -> Option<PathBuf> {
    let home = std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cargo"));
    let cargo = std::env::var_os("CARGO_HOME").map(PathBuf::from).or(home)?;
    let mut found = std::fs::read_dir(cargo.join(DATABASES)).ok()?;
    found.next()?.ok().map(|entry| entry.path())
}
