//! The corpus on disk: a file for each case, numbered, named after what is wrong. It must not decide what is a case.

use super::{inventory, template, toml};
use anyhow::{Context, Result, bail};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What is wrong, in words joined by `-`, and the bytes of the file.
pub type Case = (&'static str, Vec<u8>);

/// All files of the corpus, by path below `tests/cases/bad`.
pub fn files() -> BTreeMap<PathBuf, Vec<u8>> {
    let groups = [
        ("toml", "toml", toml::cases()),
        ("template", "hbs", template::cases()),
        ("inventory", "toml", inventory::cases()),
    ];
    let mut files = BTreeMap::new();
    for (dir, extension, cases) in groups {
        for (number, (name, bytes)) in (1..).zip(cases) {
            files.insert(PathBuf::from(format!("{dir}/{number:03}-{name}.{extension}")), bytes);
        }
    }
    files
}

/// Writes the corpus into `root`, and removes what is no longer part of it.
pub fn write(root: &Path) -> Result<usize> {
    let files = files();
    for stale in on_disk(root)?.into_iter().filter(|path| !files.contains_key(path)) {
        std::fs::remove_file(root.join(&stale))
            .with_context(|| format!("cannot remove {}", stale.display()))?;
    }
    for (path, bytes) in &files {
        let path = root.join(path);
        let dir = path.parent().context("a case lies in a directory")?;
        std::fs::create_dir_all(dir).with_context(|| format!("cannot make {}", dir.display()))?;
        std::fs::write(&path, bytes).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(files.len())
}

/// Refuses a corpus on disk that is not the one which would be written.
pub fn check(root: &Path) -> Result<()> {
    let files = files();
    let found = on_disk(root)?;
    for (path, bytes) in &files {
        if std::fs::read(root.join(path)).ok().as_ref() != Some(bytes) {
            bail!("{} is not as generated: cargo xtask corpus", path.display());
        }
    }
    match found.into_iter().find(|path| !files.contains_key(path)) {
        Some(path) => bail!("{} is no case of the generator: cargo xtask corpus", path.display()),
        None => Ok(()),
    }
}

fn on_disk(root: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for dir in ["toml", "template", "inventory"] {
        let Ok(entries) = std::fs::read_dir(root.join(dir)) else { continue };
        for entry in entries {
            found.push(Path::new(dir).join(entry?.file_name()));
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::{check, files};

    #[test]
    fn the_corpus_is_as_generated() {
        let root = crate::cmd::workspace().join("tests/cases/bad");
        check(&root).expect("generated");
        assert!(files().len() >= 200, "{} cases", files().len());
    }

    #[test]
    fn cases_have_names_of_their_own() {
        let files = files();
        let mut names: Vec<_> = files
            .keys()
            .map(|path| path.display().to_string())
            .map(|path| path.replace(|c: char| c.is_ascii_digit(), ""))
            .collect();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), files.len());
    }
}
