//! Whether what is mounted is what is wanted: device, type and options, as far as the kernel shows them. Only looks.

use super::follow::follow;
use super::fstab::Line;
use crate::system::{
    AUTOFS, Look, Mounted, System, all_options, flags, is_second, is_stacked, mounted, mounts,
};
use model::{Command, Failure, HostPath, Principal, Text};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::path::Path;

/// Options that every mount has, set or not, and their opposites (mount(8), "Filesystem-independent mount options").
const FLAGS: [(&str, &str); 5] =
    [("ro", "rw"), ("nosuid", "suid"), ("nodev", "dev"), ("noexec", "exec"), ("noatime", "relatime")];
/// Options with a value that are shown as they were asked for (tmpfs(5), ext4(5), mount(8)).
const VALUES: [&str; 9] = ["size", "mode", "uid", "gid", "nr_inodes", "errors", "umask", "fmask", "dmask"];
/// Those of them that say who owns what, and the file systems that hear of them only when they are mounted.
const OWNERS: [&str; 6] = ["mode", "uid", "gid", "umask", "fmask", "dmask"];
const DEAF: [&str; 7] = ["tmpfs", "ramfs", "vfat", "msdos", "exfat", "ntfs3", "fuseblk"];
/// File systems that nobody can write to: they are `ro` whether that is asked for or not.
const READ_ONLY: [&str; 5] = ["iso9660", "squashfs", "erofs", "cramfs", "romfs"];
/// Names of one family of types: what is mounted as one of them may be shown as another.
const NTFS: [&str; 5] = ["ntfs", "ntfs3", "ntfs-3g", "lowntfs-3g", "fuseblk"];
/// By this option of systemd.mount(5) it is mounted when somebody comes.
const AUTOMOUNT: &str = "x-systemd.automount";
/// Bytes of a page of memory.
const PAGE: u64 = 4096;
/// Options that would show a secret to everybody: in fstab(5), among the arguments of mount(8), in plans.
const SECRETS: [&str; 4] = ["password", "password2", "pass", "secret"];
/// Where udev(7) keeps names of devices, by the word before the `=`.
const TAGS: [(&str, &str); 5] = [
    ("LABEL", "by-label"),
    ("UUID", "by-uuid"),
    ("PARTLABEL", "by-partlabel"),
    ("PARTUUID", "by-partuuid"),
    ("ID", "by-id"),
];

/// What is mounted at a place.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Found {
    /// What.
    pub source: String,
    /// Type of the file system.
    pub fs: String,
    /// Options with commas, as the kernel shows them; users and groups by the names that are wanted, where those are theirs.
    pub options: String,
    /// Whether it is something else than what is wanted.
    pub is_other: bool,
    /// Whether it hides another mount at the same place.
    pub is_stacked: bool,
    /// Whether the file system was mounted elsewhere before: only the flags of this place are its own.
    pub is_second: bool,
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
        let (source, fs) = (live.state.source.clone(), live.state.fs.clone());
        // In a copy of the machine a layer stands for it, of which nothing more can be told.
        if live.is_layer() {
            let (source, fs, options) = (wanted.source.clone(), wanted.fs.clone(), shown(&wanted.options));
            return Ok(Some(Self { source, fs, options, ..Self::default() }));
        }
        if is_waiting(&live, wanted) {
            return Ok(Some(Self { source, fs, options: shown(&wanted.options), ..Self::default() }));
        }
        let is_other = if wanted.source.is_empty() { false } else { is_other(system, &live, wanted)? };
        let options = by_names(system, &wanted.options, all_options(system, &live)?)?;
        let (is_stacked, is_second) = (is_stacked(system, path)?, is_second(system, &live)?);
        Ok(Some(Self { source, fs, options, is_other, is_stacked, is_second }))
    }

    /// Whether nothing is mounted there but what waits for somebody who comes.
    pub fn waits(&self) -> bool {
        self.fs == AUTOFS
    }
}

/// Whether it is mounted as soon as somebody comes, as is wanted.
fn is_waiting(live: &Mounted, wanted: &Line) -> bool {
    live.state.fs == AUTOFS && wanted.fs != AUTOFS && wanted.options.split(',').any(|it| it == AUTOMOUNT)
}

/// Options as the kernel would show them.
fn shown(options: &str) -> String {
    let flags = flags(options.split(','));
    let others = options.split(',').filter(|it| it.contains('='));
    flags.into_iter().chain(others).collect::<Vec<_>>().join(",")
}

/// `shown` with the names of users and groups that are wanted, where the kernel shows their numbers.
fn by_names(system: &dyn System, wanted: &str, shown: String) -> Result<String, Failure> {
    let mut shown = shown;
    for (key, name) in wanted.split(',').filter_map(|it| it.split_once('=')) {
        if !matches!(key, "uid" | "gid") || name.bytes().all(|byte| byte.is_ascii_digit()) {
            continue;
        }
        let (accounts, who) = (system.accounts()?, Principal::Name(name.to_owned()));
        let number = if key == "uid" { accounts.uid(&who) } else { accounts.gid(&who) };
        let Some(number) = number.map(|number| format!("{key}={number}")) else { continue };
        let named = |it: &str| if it == number { format!("{key}={name}") } else { it.to_owned() };
        shown = shown.split(',').map(named).collect::<Vec<_>>().join(",");
    }
    Ok(shown)
}

/// Whether a file system that is mounted as `wanted` may be shown as `live`.
fn is_shown_as(wanted: &str, live: &str) -> bool {
    let is_family = |family: &[&str]| family.contains(&wanted) && family.contains(&live);
    wanted == "auto"
        || wanted == live
        || wanted.starts_with("nfs") && live.starts_with("nfs")
        || is_family(&NTFS)
        || wanted.starts_with("exfat") && live == "fuseblk"
        // fuse(8) puts its own name before that of the program, or shows that alone.
        || live.strip_prefix("fuse.").is_some_and(|program| program == wanted || wanted == "fuse")
        || live == "fuse" && wanted.starts_with("fuse.")
}

fn is_other(system: &dyn System, live: &Mounted, wanted: &Line) -> Result<bool, Failure> {
    let is_bind = wanted.options.split(',').any(|it| matches!(it, "bind" | "rbind"));
    let is_type = is_shown_as(&wanted.fs, &live.state.fs);
    // What was foreseen is called as it was asked for.
    if live.state.source == wanted.source && is_type && live.is_foreseen() {
        return Ok(false);
    }
    if is_bind {
        return is_other_bind(system, live, &wanted.source);
    }
    let part = wanted.options.split(',').find_map(|it| it.strip_prefix("subvol="));
    if part.is_some_and(|part| part.trim_matches('/') != live.state.root.trim_matches('/')) {
        return Ok(true);
    }
    if live.state.source == wanted.source && is_type {
        return Ok(false);
    }
    if !is_type {
        return Ok(true);
    }
    let tag = wanted.source.split_once('=').and_then(|(word, name)| {
        let (_, dir) = TAGS.iter().find(|(tag, _)| *tag == word)?;
        Some(format!("/dev/disk/{dir}/{}", link_name(name.trim_matches('"'))))
    });
    let source = tag.unwrap_or_else(|| wanted.source.clone());
    if source.starts_with("/dev/") {
        return is_other_device(system, live, (&source, &wanted.source));
    }
    if source.starts_with('/') {
        return is_other_image(system, live, &real(system, &source)?);
    }
    // A word says nothing but to people.
    Ok(source.contains(':') && source.trim_end_matches('/') != live.state.source.trim_end_matches('/'))
}

/// Where there is no such device nobody can tell, and what is mounted is not to make room for it. `written` is what is asked for, in its own words.
fn is_other_device(
    system: &dyn System,
    live: &Mounted,
    (source, written): (&str, &str),
) -> Result<bool, Failure> {
    let wanted = real(system, source)?;
    if wanted == real(system, &live.state.source)? {
        return Ok(false);
    }
    let path = HostPath::new(&wanted).map_err(|why| Failure::unknown(source, why))?;
    if system.look(&path, Look::Bare)?.is_none() {
        if source != written && has_tag(system, live, written)? {
            return Ok(false);
        }
        let why = format!("{} is mounted at {}, and there is no {source}", live.state.source, live.at);
        return Err(Failure::refused(why, "correct `device`, or attach it"));
    }
    Ok(true)
}

/// Whether what is mounted has this label or UUID. Where udev(7) does not run, as in most containers, only the programs of mount(8) know that.
fn has_tag(system: &dyn System, live: &Mounted, tag: &str) -> Result<bool, Failure> {
    let argv = ["findmnt", "--noheadings", "--source", tag, "--mountpoint", &live.at];
    let argv = argv.iter().map(|word| Text::Plain((*word).to_owned())).collect();
    Ok(system.guard(&Command { argv, ..Command::default() })? == 0)
}

/// The kernel has a loop device in the place of a file (loop(4)).
fn is_other_image(system: &dyn System, live: &Mounted, source: &str) -> Result<bool, Failure> {
    let Some(name) = live.state.source.strip_prefix("/dev/") else { return Ok(live.state.source != source) };
    let behind = HostPath::new(format!("/sys/block/{name}/loop/backing_file"));
    match system.read(&behind.map_err(|why| Failure::unknown(source, why))?, 1 << 16) {
        Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).trim_end() != source),
        Err(Failure::Missing { .. }) => Ok(true),
        Err(failure) => Err(failure),
    }
}

/// The name of a tag as udev(7) has it for a link: what is not plain stands there as `\x20`.
fn link_name(tag: &str) -> String {
    let is_plain = |it: char| it.is_ascii_alphanumeric() || "#+-.:=@_".contains(it) || !it.is_ascii();
    let one = |it| if is_plain(it) { String::from(it) } else { format!("\\x{:02x}", u32::from(it)) };
    tag.chars().map(one).collect()
}

/// A part of a file system that is mounted elsewhere: known by its device and by where it is in that.
fn is_other_bind(system: &dyn System, live: &Mounted, source: &str) -> Result<bool, Failure> {
    let from = real(system, source)?;
    let all = mounts(system)?;
    let is_above = |mount: &&Mounted| Path::new(&from).starts_with(&mount.at) && mount.at != live.at;
    let Some(under) = all.iter().filter(is_above).max_by_key(|mount| mount.at.len()) else {
        return Ok(false);
    };
    // In a copy of the machine a layer stands for what the part is of, and has another device.
    if under.is_layer() {
        return Ok(false);
    }
    let below = Path::new(&from).strip_prefix(&under.at).map_err(|_| Failure::unknown(source, "it moved"))?;
    let root = Path::new(&under.state.root).join(below);
    Ok(under.device != live.device || root != Path::new(&live.state.root))
}

/// The path without links.
fn real(system: &dyn System, path: &str) -> Result<String, Failure> {
    match HostPath::new(path) {
        Ok(path) => Ok(follow(system, &path)?.to_string()),
        Err(_) => Ok(path.to_owned()),
    }
}

/// An option that is not as wanted and that nothing but mounting anew changes: as it is, and as it is wanted.
pub fn lasting(wanted: &[String], live: &Found) -> Option<(String, String)> {
    let is_lasting = |key: &str| OWNERS.contains(&key) && DEAF.contains(&live.fs.as_str());
    let mut other = other_values(wanted, live).filter(|(key, ..)| is_lasting(key));
    other.next().map(|(key, shown, value)| (format!("{key}={shown}"), format!("{key}={value}")))
}

/// The wanted values that the kernel shows otherwise: key, what is shown, what is wanted.
fn other_values<'a>(
    wanted: &'a [String],
    live: &'a Found,
) -> impl Iterator<Item = (&'a str, &'a str, &'a str)> {
    values(wanted, live)
        .filter(|(key, shown, value)| number(key, shown) != number(key, value) && !value.ends_with('%'))
}

/// The wanted values that the kernel shows.
fn values<'a>(wanted: &'a [String], live: &'a Found) -> impl Iterator<Item = (&'a str, &'a str, &'a str)> {
    let pairs = wanted.iter().filter_map(|it| it.split_once('=')).filter(|it| VALUES.contains(&it.0));
    pairs.filter_map(move |(key, value)| {
        let mut shown = live.options.split(',').filter_map(|it| it.split_once('='));
        shown.find(|(name, _)| *name == key).map(|(_, shown)| (key, shown, value))
    })
}

/// What of the live options is not as wanted, and the options that would make it so; `None` where all is. What the kernel does not show is not
/// compared, nor what is only for mount(8) or systemd.mount(5).
pub fn differing(wanted: &[String], live: &Found) -> Option<(String, String)> {
    let has = |option: &str| live.options.split(',').any(|it| it == option);
    let names = |option: &str| wanted.iter().any(|it| it == option);
    let says = flags(wanted.iter().map(String::as_str));
    let is_bind = names("bind") || names("rbind");
    let mut before = Vec::new();
    let mut change: Vec<String> =
        (is_bind || live.is_second).then(|| "bind".to_owned()).into_iter().collect();
    for (set, unset) in FLAGS {
        let is_strict = set == "noatime" && says.contains("strictatime");
        // A part of a file system has what that has, unless it was asked for otherwise.
        if is_bind && !says.contains(set) && !names(set) && !names(unset) && !is_strict {
            continue;
        }
        // Some file systems bring it along by themselves.
        let is_free = match set {
            "ro" => READ_ONLY.contains(&live.fs.as_str()),
            "nosuid" | "nodev" => live.fs.starts_with("fuse"),
            _ => false,
        } && !names(unset);
        // mount(8) takes what fstab says along, and clears that one only by its own opposite.
        let word = match says.contains(set) {
            true => set,
            false if is_strict => "strictatime",
            false if is_free && has(set) => set,
            false if set == "noatime" => "atime,relatime",
            false => unset,
        };
        change.push(word.to_owned());
        if is_strict && (has("noatime") || has("relatime")) || says.contains(set) != has(set) && !is_free {
            before.push(if has(set) { set } else { unset }.to_owned());
        }
    }
    if !live.is_second {
        before.extend(other_values(wanted, live).map(|(key, shown, _)| format!("{key}={shown}")));
        change.extend(values(wanted, live).map(|(key, _, value)| format!("{key}={value}")));
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
        Some((at, 't' | 'T')) => (&text[..at], 40),
        _ => (text, 0),
    };
    let Some(number) = digits.parse::<u64>().ok().and_then(|it| it.checked_mul(1 << shift)) else {
        return text.to_owned();
    };
    // The kernel has whole pages.
    let number = if key == "size" { number.checked_next_multiple_of(PAGE).unwrap_or(number) } else { number };
    number.to_string()
}

/// True for an option that holds a secret, which has no place there.
pub fn is_secret(option: &str) -> bool {
    option.split_once('=').is_some_and(|(key, _)| SECRETS.contains(&key))
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
    use super::{Found, by_names, differing, is_secret, is_shown_as};
    use crate::parts::fstab::line;
    use crate::system::{Entry, EntryKind, Layer, MOUNTS};
    use model::HostPath;

    /// What is mounted at /srv/a, and what it would be by the line.
    fn found(table: &str, fstab: &str) -> Result<bool, String> {
        let host = Layer::memory();
        host.put_file(MOUNTS, table.as_bytes(), 0o444);
        host.put_guard("findmnt", i32::from(!fstab.starts_with("LABEL=told")));
        for device in ["/dev/vdb1", "/dev/vdc1"] {
            host.put_entry(
                device,
                Entry { kind: EntryKind::Special { what: "device".to_owned() }, ..root() },
            );
        }
        let target = "../../vdb1".to_owned();
        host.put_entry(
            "/dev/disk/by-label/My\\x20disk",
            Entry { kind: EntryKind::Symlink { target }, ..root() },
        );
        let (path, wanted) = (HostPath::new("/srv/a").unwrap(), line(fstab).unwrap());
        let found = Found::at(&host, &path, &wanted).map_err(|failure| failure.to_string())?;
        Ok(found.expect("something is mounted").is_other)
    }

    fn root() -> Entry {
        Entry { kind: EntryKind::Directory, uid: 0, gid: 0, mode: 0o755 }
    }

    #[test]
    fn what_is_mounted_is_told_from_others_by_its_device() {
        let at = |source: &str| {
            format!("1 0 8:1 / / rw - ext4 /dev/vda1 rw\n2 1 8:2 / /srv/a rw - ext4 {source} rw\n")
        };
        for (live, wanted, is_other) in [
            ("/dev/vdb1", "/dev/vdb1", Ok(false)),
            ("/dev/vdb1", "LABEL=My\\040disk", Ok(false)),
            ("/dev/vdc1", "LABEL=\"My\\040disk\"", Ok(true)),
            ("/dev/vdc1", "/dev/vdb1", Ok(true)),
            ("LABEL=foreseen", "LABEL=foreseen", Ok(false)),
            // Nothing here keeps links to devices by their labels.
            ("/dev/vdb1", "LABEL=told", Ok(false)),
            (
                "/dev/vdb1",
                "LABEL=none",
                Err("/dev/vdb1 is mounted at /srv/a, and there is no /dev/disk/by-label/none"),
            ),
            ("/dev/vdb1", "/dev/vdz9", Err("/dev/vdb1 is mounted at /srv/a, and there is no /dev/vdz9")),
            ("//nas/a\\043b", "//nas/a#b", Ok(false)),
        ] {
            let told = found(&at(live), &format!("{wanted} /srv/a ext4"));
            match is_other {
                Ok(is_other) => assert_eq!(told, Ok(is_other), "{live} {wanted}"),
                Err(why) => assert!(told.clone().is_err_and(|told| told.contains(why)), "{wanted}: {told:?}"),
            }
        }
    }

    #[test]
    fn a_part_of_a_file_system_is_known_by_where_it_is() {
        let at = |root: &str, device: &str| {
            format!(
                "1 0 8:1 / / rw - ext4 /dev/vda1 rw\n2 1 8:2 / /srv/data rw - ext4 /dev/vdb1 rw\n\
                 3 1 {device} {root} /srv/a rw - ext4 x rw\n"
            )
        };
        for (source, root, device, is_other) in [
            ("/srv/data/b", "/b", "8:2", false),
            ("/srv/data/b", "/c", "8:2", true),
            // It is beside that mount, and not in it.
            ("/srv/database", "/srv/database", "8:1", false),
            ("/srv/database", "/base", "8:2", true),
        ] {
            let told = found(&at(root, device), &format!("{source} /srv/a none bind"));
            assert_eq!(told, Ok(is_other), "{source} {root} {device}");
        }
        let layered = at("/b", "8:2")
            .replace("8:2 / /srv/data rw - ext4 /dev/vdb1", "0:50 / /srv/data rw - overlay keel-rehearsal");
        assert_eq!(found(&layered, "/srv/data/b /srv/a none bind"), Ok(false));
        let foreseen = "1 0 8:1 / / rw - ext4 /dev/vda1 rw\n0 0 0:0 / /srv/a rw - none /srv/b rw,bind\n";
        assert_eq!(found(foreseen, "/srv/b /srv/a none bind"), Ok(false));
    }

    #[test]
    fn secrets_are_known_by_their_keys() {
        let all =
            ["password=x", "pass=", "secret=k", "username=a", "credentials=/k", "secretfile=/k", "pass"];
        assert_eq!(all.map(is_secret), [true, true, true, false, false, false, false]);
    }

    #[test]
    fn only_what_the_kernel_shows_and_was_asked_for_differs() {
        for (wanted, live, difference) in [
            ("defaults,nofail,x-systemd.automount", "rw,relatime,errors=continue", None),
            ("size=64m,mode=0750", "rw,relatime,size=65536k,mode=750", None),
            ("users", "rw,nosuid,nodev,noexec,relatime", None),
            ("users,exec", "rw,nosuid,nodev,relatime", None),
            ("strictatime", "rw", None),
            ("uid=5", "rw,relatime", None),
            ("ro", "rw,relatime", Some(("rw", "ro,suid,dev,exec,atime,relatime"))),
            ("defaults", "rw,nosuid,relatime", Some(("nosuid", "rw,suid,dev,exec,atime,relatime"))),
            ("noatime,size=1g", "rw,size=4k", Some(("relatime,size=4k", "rw,suid,dev,exec,noatime,size=1g"))),
            ("size=50%,vers=4", "rw,size=4k,vers=4.2", None),
            ("size=100000,nr_inodes=1k", "rw,relatime,size=100k,nr_inodes=1024", None),
            (
                "size=34359738368g",
                "rw,relatime,size=4k",
                Some(("size=4k", "rw,suid,dev,exec,atime,relatime,size=34359738368g")),
            ),
            ("bind", "rw,nosuid", None),
            ("bind,ro", "rw,nosuid", Some(("rw", "bind,ro"))),
        ] {
            let wanted: Vec<String> = wanted.split(',').map(str::to_owned).collect();
            let found = differing(&wanted, &Found { options: live.to_owned(), ..Found::default() });
            let found = found.as_ref().map(|(before, change)| (before.as_str(), change.as_str()));
            assert_eq!(found, difference, "{wanted:?} {live}");
        }
    }

    #[test]
    fn options_that_mean_others_or_nothing_to_the_kernel_are_known() {
        for (wanted, live) in [
            ("owner,_netdev,comment=a,x-b=c,noauto,user=ann", "rw,nosuid,nodev,relatime"),
            ("ro,rw", "rw,relatime"),
            ("size=1t", "rw,relatime,size=1073741824k"),
            ("users,suid,dev,noatime,nodiratime", "rw,noexec,noatime,nodiratime"),
        ] {
            let wanted: Vec<String> = wanted.split(',').map(str::to_owned).collect();
            let found = Found { options: live.to_owned(), ..Found::default() };
            assert_eq!(differing(&wanted, &found), None, "{wanted:?} {live}");
        }
    }

    #[test]
    fn what_a_file_system_brings_along_or_other_places_have_too_is_not_asked_of_it() {
        let second = || Found { is_second: true, ..Found::default() };
        let of = |fs: &str| Found { fs: fs.to_owned(), ..Found::default() };
        for (wanted, live, found, difference) in [
            ("defaults", "ro,relatime", of("iso9660"), None),
            ("rw", "ro,relatime", of("iso9660"), Some(("ro", "rw,suid,dev,exec,atime,relatime"))),
            ("noatime", "ro,relatime", of("squashfs"), Some(("relatime", "ro,suid,dev,exec,noatime"))),
            ("allow_other", "rw,nosuid,nodev,relatime,user_id=0", of("fuse.sshfs"), None),
            (
                "suid",
                "rw,nosuid,nodev",
                of("fuse.sshfs"),
                Some(("nosuid", "rw,suid,nodev,exec,atime,relatime")),
            ),
            (
                "ro,errors=panic",
                "rw,errors=continue",
                second(),
                Some(("rw", "bind,ro,suid,dev,exec,atime,relatime")),
            ),
        ] {
            let wanted: Vec<String> = wanted.split(',').map(str::to_owned).collect();
            let found = differing(&wanted, &Found { options: live.to_owned(), ..found });
            let found = found.as_ref().map(|(before, change)| (before.as_str(), change.as_str()));
            assert_eq!(found, difference, "{wanted:?} {live}");
        }
    }

    #[test]
    fn types_are_known_by_the_names_that_the_kernel_has_for_them() {
        for (wanted, live) in [
            ("auto", "xfs"),
            ("nfs", "nfs4"),
            ("ntfs-3g", "fuseblk"),
            ("ntfs", "ntfs3"),
            ("glusterfs", "fuse.glusterfs"),
            ("fuse.sshfs", "fuse.sshfs"),
            ("fuse", "fuse.sshfs"),
            ("fuse.bindfs", "fuse"),
            ("exfat-fuse", "fuseblk"),
        ] {
            assert!(is_shown_as(wanted, live), "{wanted} {live}");
        }
        for (wanted, live) in [("ext4", "fuseblk"), ("ext3", "ext4"), ("tmpfs", "fuse.x"), ("x", "fuse")] {
            assert!(!is_shown_as(wanted, live), "{wanted} {live}");
        }
    }

    #[test]
    fn a_subvolume_is_known_by_its_name() {
        let table = "1 0 8:1 / / rw - ext4 /dev/vda1 rw\n2 1 0:40 /@home /srv/a rw - btrfs /dev/vdb1 rw,subvol=/@home\n";
        for (options, is_other) in
            [("subvol=@home", false), ("subvol=/@home", false), ("subvol=@", true), ("defaults", false)]
        {
            let told = found(table, &format!("/dev/vdb1 /srv/a btrfs {options}"));
            assert_eq!(told, Ok(is_other), "{options}");
        }
    }

    #[test]
    fn users_are_shown_by_the_names_that_are_wanted() {
        let host = Layer::memory();
        for (wanted, shown, named) in [
            ("uid=root,gid=root", "rw,uid=0,gid=5", "rw,uid=root,gid=5"),
            ("uid=0", "uid=0", "uid=0"),
            ("uid=nobody-of-ours", "uid=0", "uid=0"),
        ] {
            assert_eq!(by_names(&host, wanted, shown.to_owned()).unwrap(), named);
        }
    }

    #[test]
    fn times_of_reading_are_said_with_what_clears_the_other_ways() {
        for (wanted, live, before, change) in [
            ("ro,strictatime", "rw,noatime", "rw,noatime", "ro,suid,dev,exec,strictatime"),
            ("strictatime", "rw,relatime", "relatime", "rw,suid,dev,exec,strictatime"),
            ("defaults", "rw,noatime", "noatime", "rw,suid,dev,exec,atime,relatime"),
        ] {
            let wanted: Vec<String> = wanted.split(',').map(str::to_owned).collect();
            let found = differing(&wanted, &Found { options: live.to_owned(), ..Found::default() });
            assert_eq!(found, Some((before.to_owned(), change.to_owned())));
        }
    }
}
