//! Writes the bundle of collected files. The same files, counter and name make the same bytes, wherever and whenever.

use crate::archive;
use crate::collect::Contents;
use crate::manifest::Manifest;
use crate::name::Name;
use crate::refusal::Refusal;
use dsl::Loader;
use std::io::Write;

/// Writes it, reading the files again by `loader`.
///
/// # Errors
/// Where a file has changed since, all is too large, or cannot be written.
pub fn build(
    contents: &Contents,
    counter: u64,
    loader: &dyn Loader,
    to: impl Write,
) -> Result<Manifest, Refusal> {
    let manifest = Manifest::new(contents.site.clone(), counter, contents);
    let bytes = |name: &Name| {
        let path = contents.files.get(name).map(|(path, _)| path.as_path()).unwrap_or(name.as_ref());
        let unfit = |why| Refusal::Unfit { what: path.display().to_string(), why };
        let bytes = loader.read(path).map_err(unfit)?;
        bytes.ok_or_else(|| unfit("it is not there any more".to_owned()))
    };
    archive::write(&manifest, &bytes, to)?;
    Ok(manifest)
}
