//! What is mounted, from the text of proc_pid_mountinfo(5), and what an op makes of that text: on the model of a host, and in a throwaway copy
//! of one. Pure but for reading the text; it mounts nothing.

use super::{EntryKind, Layer, Look, System, once};
use model::{Failure, HostPath, MountState, Op};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The table of the mounts that this process sees.
pub const MOUNTS: &str = "/proc/self/mountinfo";
/// What a layer of a throwaway copy of a machine calls itself.
const LAYER: &str = "keel-rehearsal";
/// The device of what was foreseen: the kernel gives no other one that number.
const FORESEEN: &str = "0:0";
/// What waits at a place until somebody comes, and then mounts (systemd.automount(5)).
pub const AUTOFS: &str = "autofs";
/// Options of a single mount: the others are those of its file system (mount(8)).
const OF_MOUNT: [&str; 11] =
    ["ro", "rw", "nosuid", "suid", "nodev", "dev", "noexec", "exec", "noatime", "nodiratime", "relatime"];

/// Options that are set or not, and what unsets them.
const FLAGS: [(&str, &str); 8] = [
    ("ro", "rw"),
    ("nosuid", "suid"),
    ("nodev", "dev"),
    ("noexec", "exec"),
    ("noatime", "atime"),
    ("nodiratime", "diratime"),
    ("relatime", "norelatime"),
    ("strictatime", "nostrictatime"),
];

/// One mount.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mounted {
    /// Major and minor number of its device, such as `8:1`.
    pub device: String,
    /// Where, as the table has it.
    pub at: String,
    /// What is told of it.
    pub state: MountState,
}

impl Mounted {
    /// Whether it stands for what is mounted on the machine, in a throwaway copy of that.
    pub fn is_layer(&self) -> bool {
        self.state.source == LAYER
    }

    /// Whether it is there only by an op that was foreseen, or written down in a throwaway copy.
    pub fn is_foreseen(&self) -> bool {
        self.device == FORESEEN
    }

    /// Whether both are of one file system. A disk may be mounted by several names; file systems of another host may have one number (nfs(5)).
    fn is_of(&self, other: &Self) -> bool {
        let is_disk = !self.device.starts_with("0:");
        (&self.device, &self.state.fs) == (&other.device, &other.state.fs)
            && (is_disk || self.state.source == other.state.source)
    }

    /// Where what is seen at `bound` is seen by this mount as well, if it is.
    fn shows(&self, bound: &Self) -> Option<String> {
        // A name that is no UTF-8 is not known by its text.
        let is_nameless = self.at.contains(char::REPLACEMENT_CHARACTER);
        if !self.is_of(bound) || self.at == bound.at || self.is_foreseen() || is_nameless {
            return None;
        }
        let below = Path::new(&bound.state.root).strip_prefix(&self.state.root).ok()?;
        // To join nothing would add a slash.
        let place = Path::new(&self.at).components().chain(below.components()).collect::<PathBuf>();
        place.to_str().map(str::to_owned)
    }
}

/// All mounts, in the order in which they were made; none where there is no table, as in memory.
pub fn mounts(system: &dyn System) -> Result<Arc<Vec<Mounted>>, Failure> {
    once(system, &place()?, || Ok(table(system)?.lines().filter_map(line).collect()))
}

/// What is seen at `path`, if something is mounted there: the last one hides those before it.
pub fn mounted(system: &dyn System, path: &HostPath) -> Result<Option<Mounted>, Failure> {
    let at = path.to_string();
    Ok(mounts(system)?.iter().rfind(|mount| mount.at == at).cloned())
}

/// Whether what `mounted` gave is of a file system that was mounted elsewhere before: then its options are those of this place alone.
pub fn is_second(system: &dyn System, live: &Mounted) -> Result<bool, Failure> {
    let all = mounts(system)?;
    let before = all.iter().rposition(|mount| mount == live).map_or(&[][..], |place| &all[..place]);
    Ok(!live.is_foreseen() && before.iter().any(|other| other.is_of(live) && other.at != live.at))
}

/// Whether `path` has more than one mount, one above the other. That by which systemd.automount(5) waits for who comes does not count.
pub fn is_stacked(system: &dyn System, path: &HostPath) -> Result<bool, Failure> {
    let (all, at) = (mounts(system)?, path.to_string());
    Ok(all.iter().filter(|mount| mount.at == at && mount.state.fs != AUTOFS).count() > 1)
}

/// All options: the kernel leaves `errors=` out of the table where ext4(5) has it from the file system itself, and tells it elsewhere.
pub fn all_options(system: &dyn System, live: &Mounted) -> Result<String, Failure> {
    let shown = live.state.options.clone();
    if !live.state.fs.starts_with("ext") || shown.split(',').any(|it| it.starts_with("errors=")) {
        return Ok(shown);
    }
    let path = |text: String| HostPath::new(&text).map_err(|why| Failure::unknown(text, why));
    let device = system.look(&path(format!("/sys/dev/block/{}", live.device))?, Look::Bare)?;
    let Some(EntryKind::Symlink { target }) = device.map(|entry| entry.kind) else { return Ok(shown) };
    let name = target.rsplit('/').next().unwrap_or(&target);
    match system.read(&path(format!("/proc/fs/ext4/{name}/options"))?, 1 << 16) {
        Ok(bytes) => {
            let text = String::from_utf8_lossy(&bytes);
            let errors = text.lines().find(|line| line.starts_with("errors="));
            Ok(errors.map_or(shown.clone(), |errors| format!("{shown},{errors}")))
        }
        Err(Failure::Missing { .. }) => Ok(shown),
        Err(failure) => Err(failure),
    }
}

/// What is seen at `path`, so that it can be mounted there again: what is there elsewhere too, or as a part of what is, by that place.
pub fn mount_image(system: &dyn System, path: &HostPath) -> Result<Option<MountState>, Failure> {
    let (all, at) = (mounts(system)?, path.to_string());
    let Some(place) = all.iter().rposition(|mount| mount.at == at) else { return Ok(None) };
    let (before, live) = (&all[..place], &all[place]);
    let state = live.state.clone();
    Ok(Some(match before.iter().rev().find_map(|other| other.shows(live)) {
        Some(source) => {
            MountState { source, fs: "none".to_owned(), options: format!("bind,{}", state.options), ..state }
        }
        None => MountState { options: all_options(system, live)?, ..state },
    }))
}

/// The text of the table.
pub fn table(system: &dyn System) -> Result<String, Failure> {
    match system.read(&place()?, 16 << 20) {
        Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
        Err(Failure::Missing { .. }) => Ok(String::new()),
        Err(failure) => Err(failure),
    }
}

fn place() -> Result<HostPath, Failure> {
    HostPath::new(MOUNTS).map_err(|why| Failure::unknown(MOUNTS, why))
}

/// `36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue`
fn line(line: &str) -> Option<Mounted> {
    let (head, tail) = line.split_once(" - ")?;
    let mut head = head.split(' ').skip(2);
    let (device, root, at, own) = (head.next()?.to_owned(), head.next()?, head.next()?, head.next()?);
    let mut tail = tail.split(' ');
    let (fs, source, of_fs) = (tail.next()?.to_owned(), tail.next()?, tail.next().unwrap_or(""));
    let mut options: Vec<&str> = own.split(',').collect();
    // `ro` there means that the file system was mounted so by somebody; what counts is what is said of this mount.
    options.extend(of_fs.split(',').filter(|it| !it.is_empty() && !OF_MOUNT.contains(it)));
    let state =
        MountState { source: unescaped(source), fs, root: unescaped(root), options: options.join(",") };
    Some(Mounted { device, at: unescaped(at), state })
}

/// Space, tab, newline and backslash are written in three octal digits, in this table and in fstab(5); `#` in this table.
pub fn unescaped(field: &str) -> String {
    let codes = [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\043", "#"), ("\\134", "\\")];
    codes.iter().fold(field.to_owned(), |text, (code, plain)| text.replace(code, plain))
}

/// The other way round.
pub fn escaped(field: &str) -> String {
    let codes = [("\\", "\\134"), (" ", "\\040"), ("\t", "\\011"), ("\n", "\\012")];
    codes.iter().fold(field.to_owned(), |text, (plain, code)| text.replace(plain, code))
}

/// The table after `op`, which is about mounts.
pub fn after(table: &str, op: &Op) -> Result<String, Failure> {
    let mut lines: Vec<String> = table.lines().map(str::to_owned).collect();
    let last = |lines: &[String], path: &HostPath| {
        let at = path.to_string();
        let found = lines.iter().rposition(|text| line(text).is_some_and(|mount| mount.at == at));
        found.ok_or_else(|| Failure::Missing { what: format!("a mount at {path}") })
    };
    match op {
        Op::Mount { path, source, fs, options } => lines.push(made(path, (source, fs, options))),
        Op::Unmount { path } => {
            let at = last(&lines, path)?;
            lines.remove(at);
        }
        Op::Remount { path, options } => {
            let at = last(&lines, path)?;
            if let Some(Mounted { state, .. }) = line(&lines[at]) {
                lines[at] = with_options(&lines[at], &merged(&state.options, options));
            }
        }
        _ => {}
    }
    Ok(lines.into_iter().map(|line| line + "\n").collect())
}

/// A line as the kernel would have it, for what can be foreseen of it.
fn made(path: &HostPath, (source, fs, options): (&str, &str, &str)) -> String {
    let (at, source) = (escaped(&path.to_string()), escaped(source));
    with_options(&format!("0 0 {FORESEEN} / {at} rw - {fs} {source} rw"), options)
}

/// What options in this order make of a single mount, as the kernel shows it, with `strictatime`, which it does not show (mount(8)).
pub fn flags<'a>(options: impl IntoIterator<Item = &'a str>) -> BTreeSet<&'static str> {
    let mut flags = BTreeSet::new();
    for option in options {
        match option {
            "user" | "users" => flags.extend(["noexec", "nosuid", "nodev"]),
            "owner" | "group" => flags.extend(["nosuid", "nodev"]),
            _ => match FLAGS.iter().find(|(set, unset)| option == *set || option == *unset) {
                Some((set, _)) if option == *set => flags.extend([*set]),
                Some((set, _)) => flags.retain(|flag| flag != set),
                None => {}
            },
        }
    }
    if flags.contains("strictatime") {
        flags.retain(|flag| !["noatime", "relatime"].contains(flag));
    }
    flags
}

/// A line with other options, those of the mount and those of its file system each at their place.
fn with_options(line: &str, options: &str) -> String {
    let flags = flags(options.split(','));
    let first = if flags.contains("ro") { "ro" } else { "rw" };
    let shown = flags.into_iter().filter(|flag| !["ro", "strictatime"].contains(flag));
    let own = [first].into_iter().chain(shown).collect::<Vec<_>>().join(",");
    let of_fs = options.split(',').filter(|it| it.contains('='));
    let of_fs = ["rw"].into_iter().chain(of_fs).collect::<Vec<_>>().join(",");
    let mut fields: Vec<&str> = line.split(' ').collect();
    if let Some(field) = fields.get_mut(5) {
        *field = &own;
    }
    if let Some(field) = fields.last_mut() {
        *field = &of_fs;
    }
    fields.join(" ")
}

/// `now` with what `changed` says otherwise.
fn merged(now: &str, changed: &str) -> String {
    let key = |option: &str| option.split_once('=').map_or(option, |(key, _)| key).to_owned();
    let opposite = |option: &str| match option {
        "ro" => "rw".to_owned(),
        "rw" => "ro".to_owned(),
        "relatime" => "noatime".to_owned(),
        "noatime" => "relatime".to_owned(),
        other => other.strip_prefix("no").map_or_else(|| format!("no{other}"), str::to_owned),
    };
    let is_said =
        |option: &&str| changed.split(',').any(|it| key(it) == key(option) || opposite(it) == key(option));
    let kept = now.split(',').filter(|option| !is_said(option));
    kept.chain(changed.split(',')).collect::<Vec<_>>().join(",")
}

impl Layer<'_> {
    /// The table is a file of the model.
    pub(super) fn change_mounts(&self, op: &Op) -> Result<(), Failure> {
        let text = after(&table(self)?, op)?.into_bytes();
        let path = place()?;
        match text.is_empty() {
            true => drop(self.delta().paths.insert(path, None)),
            false => self.put_view(path, text),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{MOUNTS, after, flags, line, mount_image};
    use crate::system::{Entry, EntryKind, Layer};
    use model::{HostPath, Op};

    const TABLE: &str = "30 22 8:2 / /srv/a\\040b rw,nosuid - ext4 /dev/sda2 ro,errors=continue\n";

    #[test]
    fn a_line_is_read() {
        let mount = line(TABLE.trim_end()).unwrap();
        assert_eq!((mount.at.as_str(), mount.device.as_str()), ("/srv/a b", "8:2"));
        assert_eq!(mount.state.options, "rw,nosuid,errors=continue");
        assert!(line("nonsense").is_none());
    }

    #[test]
    fn what_is_there_elsewhere_too_is_remembered_by_that_place() {
        let host = Layer::memory();
        let table = "1 0 8:1 / / rw - ext4 /dev/a rw\n2 1 8:2 /in /srv/data rw - ext4 /dev/b rw\n\
            3 1 8:1 /srv/x /srv/bound ro,relatime - ext4 /dev/a rw,errors=continue\n\
            4 1 8:2 /in/it /srv/part rw - ext4 /dev/b rw\n5 1 8:2 /out /srv/other rw - ext4 /dev/b rw\n\
            6 1 8:2 /in /srv/twice rw - ext4 /dev/b rw\n7 1 8:1 / /mnt/again ro - ext4 /dev/disk/root rw\n\
            8 1 0:50 / /net/a rw - nfs4 nas:/a rw\n9 1 0:50 / /net/b rw - nfs4 nas:/b rw\n";
        host.put_file(MOUNTS, table.as_bytes(), 0o444);
        for (at, source, options) in [
            ("/srv/bound", "/srv/x", "bind,ro,relatime,errors=continue"),
            ("/srv/part", "/srv/data/it", "bind,rw"),
            ("/srv/other", "/dev/b", "rw"),
            ("/srv/twice", "/srv/data", "bind,rw"),
            ("/srv/data", "/dev/b", "rw"),
            ("/mnt/again", "/", "bind,ro"),
            ("/net/b", "nas:/b", "rw"),
        ] {
            let image = mount_image(&host, &HostPath::new(at).unwrap()).unwrap().unwrap();
            assert_eq!((image.source.as_str(), image.options.as_str()), (source, options), "{at}");
        }
        assert_eq!(mount_image(&host, &HostPath::new("/srv").unwrap()).unwrap(), None);
    }

    #[test]
    fn ops_change_the_last_line_of_their_place() {
        let path = HostPath::new("/srv/a b").unwrap();
        let (source, fs, options) = ("tmpfs".to_owned(), "tmpfs".to_owned(), "noexec,size=1m".to_owned());
        let both = after(TABLE, &Op::Mount { path: path.clone(), source, fs, options }).unwrap();
        assert_eq!(line(both.lines().last().unwrap()).unwrap().state.options, "rw,noexec,size=1m");
        let op = Op::Remount { path: path.clone(), options: "ro,exec,size=2m".to_owned() };
        let changed = after(&both, &op).unwrap();
        assert_eq!(line(changed.lines().last().unwrap()).unwrap().state.options, "ro,size=2m");
        assert_eq!(after(&changed, &Op::Unmount { path: path.clone() }).unwrap(), TABLE);
        assert!(after("", &Op::Unmount { path }).is_err());
    }
    #[test]
    fn what_an_ext4_does_on_errors_is_known_also_where_the_table_says_nothing() {
        let host = Layer::memory();
        host.put_file(MOUNTS, TABLE.replace(",errors=continue", "").as_bytes(), 0o444);
        let options = || {
            let image = mount_image(&host, &HostPath::new("/srv/a b").unwrap());
            image.unwrap().unwrap().options
        };
        assert_eq!(options(), "rw,nosuid");
        let kind = EntryKind::Symlink { target: "../../devices/x/block/sda/sda2".to_owned() };
        host.put_entry("/sys/dev/block/8:2", Entry { kind, uid: 0, gid: 0, mode: 0o777 });
        assert_eq!(options(), "rw,nosuid", "an ext2 of another driver");
        host.put_file("/proc/fs/ext4/sda2/options", b"rw\ndelalloc\nerrors=remount-ro\ncommit=5\n", 0o444);
        assert_eq!(options(), "rw,nosuid,errors=remount-ro");
    }

    #[test]
    fn of_options_the_last_one_counts_and_some_mean_others() {
        for (options, shown) in [
            ("defaults,ro,rw,nofail", ""),
            ("rw,ro,noauto,_netdev,x-a=b,comment=c", "ro"),
            ("users", "nodev,noexec,nosuid"),
            ("exec,user,suid", "nodev,noexec"),
            ("owner", "nodev,nosuid"),
            ("user=ann,group=staff", ""),
            ("noatime,relatime,strictatime", "strictatime"),
            ("noatime,nodiratime,atime", "nodiratime"),
        ] {
            let flags = flags(options.split(',')).into_iter().collect::<Vec<_>>();
            assert_eq!(flags.join(","), shown, "{options}");
        }
    }
}
