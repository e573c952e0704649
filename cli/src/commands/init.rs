//! `keel init`: a small site to start from. Never replaces anything.

use crate::exit::Exit;
use crate::{vault, view};
use anyhow::{Context, bail};
use include_dir::{Dir, File, include_dir};
use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

static STARTER: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/starter");

/// Arguments of `init`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Where; made if it is not there.
    #[arg(value_name = "DIR", default_value = ".")]
    dir: PathBuf,
}

/// Makes the site.
pub fn run(args: &Args) -> anyhow::Result<Exit> {
    let mut files = Vec::new();
    collect(&STARTER, &mut files);
    if let Some(there) = files.iter().map(|file| args.dir.join(file.path())).find(|path| taken(path)) {
        return Ok(view::misuse(&anyhow::anyhow!(
            "{} is there already, and nothing is replaced: give another DIR",
            there.display()
        )));
    }
    for file in &files {
        let path = args.dir.join(file.path());
        match file.contents_utf8().filter(|_| path.ends_with("keel.toml")) {
            Some(text) => put(&path, text.replace("NAME", &name_of(&path)).as_bytes())?,
            None => put(&path, file.contents())?,
        }
    }
    let mut made: Vec<&Path> = files.iter().map(|file| file.path()).collect();
    let recipients = Path::new("secrets/recipients");
    if let Some(key) = vault::own_key().filter(|_| !taken(&args.dir.join(recipients))) {
        put(&args.dir.join(recipients), key.as_bytes())?;
        made.push(recipients);
    }
    view::init::made(&args.dir, &made);
    Ok(Exit::Fine)
}

fn collect(dir: &'static Dir<'static>, files: &mut Vec<&'static File<'static>>) {
    files.extend(dir.files());
    dir.dirs().for_each(|inner| collect(inner, files));
}

/// The name of the directory that holds `path`: hosts know a site by its name, and two are not to have the same. `site` where it
/// is no plain word.
fn name_of(path: &Path) -> String {
    let path = std::path::absolute(path).ok();
    let name = path.and_then(|path| Some(path.parent()?.file_name()?.to_str()?.to_owned()));
    let is_plain =
        |name: &String| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    name.filter(is_plain).unwrap_or_else(|| "site".to_owned())
}

/// Whatever stands there, a dangling link too.
fn taken(path: &Path) -> bool {
    !matches!(std::fs::symlink_metadata(path), Err(error) if error.kind() == std::io::ErrorKind::NotFound)
}

/// Puts a file where nothing stands.
fn put(path: &Path, contents: &[u8]) -> anyhow::Result<()> {
    let Some(dir) = path.parent() else { bail!("{} has no directory", path.display()) };
    std::fs::create_dir_all(dir).with_context(|| format!("cannot make {}", dir.display()))?;
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(path)
        .with_context(|| format!("cannot make {}", path.display()))?;
    file.write_all(contents).with_context(|| format!("cannot write {}", path.display()))
}
