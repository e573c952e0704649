//! The files that an `Include` of ssh_config(5) names: glob(7) patterns, in the order of their names.

use globset::GlobBuilder;
use std::io;
use std::path::{Component, Path, PathBuf};

/// The paths that match `pattern`, which is absolute. A path without special characters is itself, whether it is there or not.
///
/// # Errors
/// A directory that cannot be listed, or a pattern that is none.
pub(super) fn paths(pattern: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = vec![PathBuf::new()];
    for component in pattern.components() {
        match component.as_os_str().to_str() {
            Some(name) if matches!(component, Component::Normal(_)) && name.contains(['*', '?', '[']) => {
                let mut next = Vec::new();
                for directory in &found {
                    next.extend(matching(directory, name)?);
                }
                found = next;
            }
            _ => found.iter_mut().for_each(|path| path.push(component)),
        }
    }
    Ok(found)
}

fn matching(directory: &Path, pattern: &str) -> io::Result<Vec<PathBuf>> {
    let glob = GlobBuilder::new(pattern).literal_separator(true).build();
    let matcher = glob.map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?.compile_matcher();
    let entries = match directory.read_dir() {
        Ok(entries) => entries,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(Vec::new());
        }
        Err(error) => return Err(error),
    };
    let mut found = Vec::new();
    for entry in entries {
        let name = entry?.file_name();
        let hidden = name.as_encoded_bytes().starts_with(b".") && !pattern.starts_with('.');
        if !hidden && matcher.is_match(Path::new(&name)) {
            found.push(directory.join(name));
        }
    }
    found.sort();
    Ok(found)
}
