//! Whether what is mounted is what is wanted: device, type and options, as far as the kernel shows them. Only looks.

use super::follow::follow;
use super::fstab::Line;
use crate::system::{Mounted, System, mounted, mounts};
use model::{Failure, HostPath};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Options that every mount has, set or not, and their opposites (mount(8), "Filesystem-independent mount options").
const FLAGS: [(&str, &str); 5] =
    [("ro", "rw"), ("nosuid", "suid"), ("nodev", "dev"), ("noexec", "exec"), ("noatime", "relatime")];
/// Options with a value that are shown as they were asked for (tmpfs(5), ext4(5), mount(8)).
const VALUES: [&str; 9] = ["size", "mode", "uid", "gid", "nr_inodes", "errors", "umask", "fmask", "dmask"];
/// Where udev(7) keeps names of devices, by the word before the `=`.
const TAGS: [(&str, &str); 4] =
    [("LABEL", "by-label"), ("UUID", "by-uuid"), ("PARTLABEL", "by-partlabel"), ("PARTUUID", "by-partuuid")];

/// What is mounted at a place.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Found {
    /// What.
    pub source: String,
    /// Type of the file system.
    pub fs: String,
    /// Options with commas, as the kernel shows them.
    pub options: String,
    /// Whether it is something else than what is wanted.
    pub is_other: bool,
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.source, self.fs)
    }
}

impl Found {
    /// What is mounted at `path`, where `wanted` is to be; `None` for nothing.
    pub fn at(system: &dyn System, path: &HostPath, wanted: &Line) -> Result<Option<Self>, Failure> {
        let Some(live) = mounted(system, path)? else { return Ok(None) };
        // In a copy of the machine a layer stands for it, of which nothing more can be told.
        if live.is_layer() {
            let (source, fs) = (wanted.source.clone(), wanted.fs.clone());
            return Ok(Some(Self { source, fs, options: wanted.options.clone(), is_other: false }));
        }
        let is_other = if wanted.source.is_empty() { false } else { is_other(system, &live, wanted)? };
        let Mounted { state, .. } = live;
        Ok(Some(Self { source: state.source, fs: state.fs, options: state.options, is_other }))
    }
}

fn is_other(system: &dyn System, live: &Mounted, wanted: &Line) -> Result<bool, Failure> {
    if wanted.options.split(',').any(|it| matches!(it, "bind" | "rbind")) {
        return is_other_bind(system, live, &wanted.source);
    }
    let family = |fs: &str| if fs.starts_with("nfs") { "nfs".to_owned() } else { fs.to_owned() };
    if wanted.fs != "auto" && family(&wanted.fs) != family(&live.state.fs) {
        return Ok(true);
    }
    let tag = wanted.source.split_once('=').and_then(|(word, name)| {
        let (_, dir) = TAGS.iter().find(|(tag, _)| *tag == word)?;
        Some(format!("/dev/disk/{dir}/{}", name.trim_matches('"')))
    });
    let source = tag.unwrap_or_else(|| wanted.source.clone());
    if source.starts_with("/dev/") {
        return Ok(real(system, &source)? != real(system, &live.state.source)?);
    }
    if source.starts_with('/') {
        // The kernel has a loop device in its place (loop(4)).
        let name = live.state.source.strip_prefix("/dev/").unwrap_or_default();
        let file = HostPath::new(format!("/sys/block/{name}/loop/backing_file"));
        let behind =
            file.map_err(|why| Failure::unknown(&source, why)).and_then(|it| system.read(&it, 1 << 16));
        return match behind {
            Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).trim_end() != source),
            Err(Failure::Missing { .. }) => Ok(live.state.source != source),
            Err(failure) => Err(failure),
        };
    }
    // A word says nothing but to people.
    Ok(source.contains(':') && source.trim_end_matches('/') != live.state.source.trim_end_matches('/'))
}

/// A part of a file system that is mounted elsewhere: known by its device and by where it is in that.
fn is_other_bind(system: &dyn System, live: &Mounted, source: &str) -> Result<bool, Failure> {
    let from = real(system, source)?;
    let all = mounts(system)?;
    let is_above = |mount: &&Mounted| from.starts_with(&mount.at) && mount.at != live.at;
    let Some(under) = all.iter().filter(is_above).max_by_key(|mount| mount.at.len()) else {
        return Ok(false);
    };
    let below = std::path::Path::new(&from)
        .strip_prefix(&under.at)
        .map_err(|_| Failure::unknown(source, "it moved"))?;
    let root = std::path::Path::new(&under.state.root).join(below);
    Ok(under.device != live.device || root != std::path::Path::new(&live.state.root))
}

/// The path without links.
fn real(system: &dyn System, path: &str) -> Result<String, Failure> {
    match HostPath::new(path) {
        Ok(path) => Ok(follow(system, &path)?.to_string()),
        Err(_) => Ok(path.to_owned()),
    }
}

/// What of the live options is not as wanted, and the options that would make it so; `None` where all is. What the kernel does not show is not
/// compared, nor what is only for mount(8) or systemd.mount(5).
pub fn differing(wanted: &[String], live: &Found) -> Option<(String, String)> {
    let has = |option: &str| live.options.split(',').any(|it| it == option);
    let says = |option: &str| {
        let implied = matches!(option, "nosuid" | "nodev" | "noexec")
            && wanted.iter().any(|it| it == "user" || it == "users")
            && !wanted.iter().any(|it| option.strip_prefix("no") == Some(it));
        implied || wanted.iter().any(|it| it == option)
    };
    let is_bind = wanted.iter().any(|it| matches!(it.as_str(), "bind" | "rbind"));
    let mut before = Vec::new();
    let mut change: Vec<String> = is_bind.then(|| "bind".to_owned()).into_iter().collect();
    for (set, unset) in FLAGS {
        // relatime is usual, and strictatime shows as neither.
        let is_free = set == "noatime" && says("strictatime");
        // A part of a file system has what that has, unless it was asked for otherwise.
        if is_bind && !says(set) && !says(unset) {
            continue;
        }
        change.push(if says(set) { set } else { unset }.to_owned());
        if says(set) != has(set) && !is_free {
            before.push(if has(set) { set } else { unset }.to_owned());
        }
    }
    for (key, value) in wanted.iter().filter_map(|it| it.split_once('=')).filter(|it| VALUES.contains(&it.0))
    {
        let shown =
            live.options.split(',').filter_map(|it| it.split_once('=')).find(|(name, _)| *name == key);
        if let Some((_, shown)) = shown {
            if number(key, shown) != number(key, value) && !value.ends_with('%') {
                before.push(format!("{key}={shown}"));
            }
            change.push(format!("{key}={value}"));
        }
    }
    (!before.is_empty()).then(|| (before.join(","), change.join(",")))
}

/// `64m` is what the kernel shows as `65536k`, and a mode of 0750 as 750.
fn number(key: &str, text: &str) -> String {
    if key == "mode" || key.ends_with("mask") {
        return text.trim_start_matches('0').to_owned();
    }
    let (digits, shift) = match text.char_indices().next_back() {
        Some((at, 'k' | 'K')) => (&text[..at], 10),
        Some((at, 'm' | 'M')) => (&text[..at], 20),
        Some((at, 'g' | 'G')) => (&text[..at], 30),
        _ => (text, 0),
    };
    match digits.parse::<u64>() {
        Ok(number) => number.checked_shl(shift).unwrap_or(u64::MAX).to_string(),
        Err(_) => text.to_owned(),
    }
}

/// The package whose program mounts file systems of this type.
pub fn helper(fs: &str) -> Option<&'static str> {
    match fs {
        "nfs" | "nfs4" => Some("nfs-common"),
        "cifs" => Some("cifs-utils"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{Found, differing};

    #[test]
    fn only_what_the_kernel_shows_and_was_asked_for_differs() {
        for (wanted, live, difference) in [
            ("defaults,nofail,x-systemd.automount", "rw,relatime,errors=continue", None),
            ("size=64m,mode=0750", "rw,relatime,size=65536k,mode=750", None),
            ("users", "rw,nosuid,nodev,noexec,relatime", None),
            ("users,exec", "rw,nosuid,nodev,relatime", None),
            ("strictatime", "rw", None),
            ("uid=5", "rw,relatime", None),
            ("ro", "rw,relatime", Some(("rw", "ro,suid,dev,exec,relatime"))),
            ("defaults", "rw,nosuid,relatime", Some(("nosuid", "rw,suid,dev,exec,relatime"))),
            ("noatime,size=1g", "rw,size=4k", Some(("relatime,size=4k", "rw,suid,dev,exec,noatime,size=1g"))),
            ("size=50%,vers=4", "rw,size=4k,vers=4.2", None),
            ("bind", "rw,nosuid", None),
            ("bind,ro", "rw,nosuid", Some(("rw", "bind,ro"))),
        ] {
            let wanted: Vec<String> = wanted.split(',').map(str::to_owned).collect();
            let found = differing(&wanted, &Found { options: live.to_owned(), ..Found::default() });
            let found = found.as_ref().map(|(before, change)| (before.as_str(), change.as_str()));
            assert_eq!(found, difference, "{wanted:?} {live}");
        }
    }
}
