//! Finds the files of tests: `tests/*.toml` of a site, of its modules and of the library's. Reads none of them; `sheet` does.

use dsl::Loader;
use std::path::{Path, PathBuf};

/// Where a file of tests belongs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Home {
    root: PathBuf,
    module: Option<String>,
    tests: PathBuf,
    is_library: bool,
}

impl Home {
    /// That of a site's own tests.
    pub fn site(root: &Path) -> Self {
        Self { root: root.to_owned(), module: None, tests: root.join("tests"), is_library: false }
    }

    /// That of what nobody has written tests for: the site where there is one, or else the library.
    pub fn bare(site: Option<&Path>, library: &[PathBuf]) -> Self {
        let root = site.or(library.first().map(PathBuf::as_path)).unwrap_or(Path::new(""));
        Self { is_library: site.is_none(), ..Self::site(root) }
    }

    /// The site that it is compiled in: the directory of `keel.toml`, or that of a library.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The module, where it is one's.
    pub fn module(&self) -> Option<&str> {
        self.module.as_deref()
    }

    /// The directory of the file.
    pub fn tests(&self) -> &Path {
        &self.tests
    }

    /// True where there is no `keel.toml`.
    pub fn is_library(&self) -> bool {
        self.is_library
    }
}

/// Where to look.
#[derive(Clone, Copy)]
pub struct Wanted<'a> {
    /// The site, where there is one.
    pub site: Option<&'a Path>,
    /// The directories of its modules.
    pub modules: &'a [PathBuf],
    /// Directories that hold `modules/` and `roles/`.
    pub library: &'a [PathBuf],
}

/// All files of tests, with what they belong to: of the site first, then of its modules, then of the library's that the site has none
/// of the same name of.
///
/// Errors with a directory that cannot be listed.
pub fn collect(wanted: Wanted<'_>, loader: &dyn Loader) -> Result<Vec<(Home, PathBuf)>, String> {
    let mut found = Vec::new();
    let mut names: Vec<String> = Vec::new();
    if let Some(root) = wanted.site {
        let home = |module: Option<&str>, dir: &Path| Home {
            root: root.to_owned(),
            module: module.map(str::to_owned),
            tests: dir.join("tests"),
            is_library: false,
        };
        tests(home(None, root), loader, &mut found)?;
        for dir in wanted.modules {
            for name in list(dir, loader)? {
                tests(home(Some(&name), &dir.join(&name)), loader, &mut found)?;
                names.push(name);
            }
        }
    }
    for root in wanted.library {
        let dir = root.join("modules");
        for name in list(&dir, loader)?.into_iter().filter(|name| !names.contains(name)) {
            let (root, tests_dir) = (root.clone(), dir.join(&name).join("tests"));
            let home = Home { root, module: Some(name), tests: tests_dir, is_library: true };
            tests(home, loader, &mut found)?;
        }
    }
    Ok(found)
}

fn list(dir: &Path, loader: &dyn Loader) -> Result<Vec<String>, String> {
    loader.list(dir).map_err(|error| format!("cannot list {}: {error}", dir.display()))
}

fn tests(home: Home, loader: &dyn Loader, found: &mut Vec<(Home, PathBuf)>) -> Result<(), String> {
    // What is no directory, such as a README beside modules, has no tests.
    if loader.read(home.tests.parent().unwrap_or(Path::new(""))).is_ok_and(|file| file.is_some()) {
        return Ok(());
    }
    for name in list(&home.tests, loader)?.into_iter().filter(|name| name.ends_with(".toml")) {
        found.push((home.clone(), home.tests.join(name)));
    }
    Ok(())
}
