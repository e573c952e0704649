//! Removes boxes that an earlier call has left.

use anyhow::{Context as _, bail};
use trial::boxes::{Kept, Shelf};

/// Those that are called so; all of them where none is named. `tell` hears of each that is gone.
pub fn destroy(names: &[String], tell: &dyn Fn(&str)) -> anyhow::Result<()> {
    let shelf = Shelf::usual()?;
    let all = shelf.all()?;
    if let Some(name) = names.iter().find(|name| !all.iter().any(|kept| kept.name == **name)) {
        let known: Vec<&str> = all.iter().map(|kept| kept.name.as_str()).collect();
        bail!("no box that was kept is called `{name}`: there is {}", counted(&known));
    }
    let is_meant = |kept: &&Kept| names.is_empty() || names.contains(&kept.name);
    for kept in all.iter().filter(is_meant) {
        shelf.remove(kept).with_context(|| format!("the box {} is not gone", kept.name))?;
        tell(&kept.name);
    }
    Ok(())
}

fn counted(names: &[&str]) -> String {
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}
