//! Hosts of an inventory that somebody else keeps, and what hosts.toml says of those that it knows by the same name. Connects to nothing.

use crate::library::Files;
use crate::site::{Refusal, Site, chosen as select};
use anyhow::anyhow;
use dsl::Host;
use fleet::{Entry, Found};

/// A host of a source.
#[derive(Debug, PartialEq, Eq)]
pub struct Named {
    /// Its name there.
    pub name: String,
    /// The same, where hosts.toml has it too.
    pub host: Option<String>,
}

/// The hosts that `patterns` mean; all of them where there is none.
pub fn chosen(found: &Found, patterns: &[String], site: &Site, files: &Files) -> Result<Vec<Named>, Refusal> {
    let declared = if site.file.is_none() && site.is_there() { site.inventory(files)? } else { Vec::new() };
    let of = |name: &String| declared.iter().find(|host: &&Host| host.name == *name);
    let entry = |name: &String| Entry {
        name: name.clone(),
        groups: of(name).map(|host| host.groups.clone()).unwrap_or_default(),
    };
    let entries: Vec<Entry> = found.names().iter().map(entry).collect();
    let names = match patterns {
        [] => found.names().to_vec(),
        _ => select(&entries, patterns, &format!("it has {}", found.names().join(", ")))?,
    };
    let named = |name: String| Named { host: of(&name).map(|host| host.name.clone()), name };
    Ok(names.into_iter().map(named).collect())
}

/// Each has to be declared, or a role or a file says what all of them are to be.
pub fn have_something_to_be(hosts: &[Named], site: &Site) -> Result<(), Refusal> {
    let nothing: Vec<&str> =
        hosts.iter().filter(|one| one.host.is_none()).map(|one| one.name.as_str()).collect();
    if site.is_direct() || nothing.is_empty() {
        return Ok(());
    }
    site.require()?;
    Err(anyhow!(
        "nothing says what is to become of {}: declare [host.{}] in hosts.toml, or give --role ROLE or -f FILE",
        nothing.join(", "),
        nothing[0]
    )
    .into())
}
