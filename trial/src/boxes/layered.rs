//! The files of a container as layers: what its image has, and what it has made of that itself. For engines that lay overlays over
//! directories of this machine (overlay2 of docker, overlay of podman); of others nothing can be told. It changes no layer.

use super::base::{CACHE, make_private};
use agent::os::child::{Child, Outlet};
use agent::os::tied::Tied;
use agent::rehearse::layer_differences;
use model::Failure;
use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};

/// Lays the layers of an image over each other in a mount namespace of its own, to be looked at while its input is open. 1: them, the
/// uppermost first  2: where
const SHOW: &str =
    "mount -t overlay -o \"ro,lowerdir=$1\" keel-box \"$2\" 2>&1 && echo made && exec cat >/dev/null; exit 0";

/// Both.
pub struct Layers {
    /// What the image has.
    lower: PathBuf,
    /// What is the container's own.
    upper: PathBuf,
    /// Shows several layers as one.
    _shown: Option<Tied>,
}

impl Layers {
    /// Of what an engine tells as `LowerDir` and `UpperDir` of a container; `None` where that is nothing to compare.
    ///
    /// # Errors
    /// The layers of the image could not be shown as one.
    pub fn of(lower: &str, upper: &str) -> Result<Option<Self>, Failure> {
        // Docker has a layer of its own for files such as /etc/hosts, above the image's.
        let image: Vec<&str> = lower.split(':').filter(|dir| !dir.contains("-init/")).collect();
        let is_dir = |dir: &str| Path::new(dir).is_absolute() && Path::new(dir).is_dir();
        if !image.iter().all(|dir| is_dir(dir)) || !is_dir(upper) {
            return Ok(None);
        }
        let upper = upper.into();
        Ok(match image[..] {
            [lower] => Some(Self { lower: lower.into(), upper, _shown: None }),
            _ => show(&image.join(":"))?.map(|(shown, lower)| Self { lower, upper, _shown: Some(shown) }),
        })
    }

    /// What is otherwise in the container than in its image, a line each.
    ///
    /// # Errors
    /// It could not be read.
    pub fn differences(&self) -> Result<BTreeSet<String>, Failure> {
        Ok(layer_differences(&self.lower, &self.upper)?.into_iter().collect())
    }
}

/// Shows them; `None` where the kernel does not lay so many over each other.
fn show(image: &str) -> Result<Option<(Tied, PathBuf)>, Failure> {
    make_private(Path::new(CACHE))?;
    let place = Path::new(CACHE).join("box");
    make_private(&place)?;
    let at = place.display().to_string();
    let words = ["unshare", "--mount", "--propagation", "private", "sh", "-uc", SHOW, "sh", image, &at];
    let mut shown = Child::new(words).start(Outlet::Piped)?;
    let Some(output) = shown.output() else {
        return Err(Failure::unknown("the layers of the image", "they are shown without pipes"));
    };
    let mut said = String::new();
    let read = BufReader::new(output).read_line(&mut said);
    read.map_err(|error| Failure::io("talk over", "the pipe of what shows the image", error))?;
    let lower = format!("/proc/{}/root{at}", shown.id());
    Ok((said == "made\n").then(|| (shown, lower.into())))
}

#[cfg(test)]
mod tests {
    use super::Layers;

    #[test]
    fn what_is_no_directory_of_this_machine_is_nothing_to_compare() {
        for (lower, upper) in
            [("<no value>", "<no value>"), ("/tmp", "/nonexistent"), ("", "/tmp"), ("/tmp:x", "/tmp")]
        {
            assert!(Layers::of(lower, upper).unwrap().is_none(), "{lower} {upper}");
        }
    }
}
