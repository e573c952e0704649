//! What is mounted, from the text of proc_pid_mountinfo(5), and what an op makes of that text: on the model of a host, and in a throwaway copy
//! of one. Pure but for reading the text; it mounts nothing.

use super::{Layer, System, once};
use model::{Failure, HostPath, MountState, Op};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The table of the mounts that this process sees.
pub const MOUNTS: &str = "/proc/self/mountinfo";
/// What a layer of a throwaway copy of a machine calls itself.
const LAYER: &str = "keel-rehearsal";
/// The device of what was foreseen: the kernel gives no other one that number.
const FORESEEN: &str = "0:0";
/// Options of a single mount: the others are those of its file system (mount(8)).
const OF_MOUNT: [&str; 11] =
    ["ro", "rw", "nosuid", "suid", "nodev", "dev", "noexec", "exec", "noatime", "nodiratime", "relatime"];

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

    /// Where what is seen at `bound` is seen by this mount as well, if it is.
    fn shows(&self, bound: &Self) -> Option<String> {
        let is_same = (&self.device, &self.state.fs, &self.state.source)
            == (&bound.device, &bound.state.fs, &bound.state.source);
        if !is_same || self.at == bound.at || self.is_foreseen() {
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
        None => state,
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

/// A line with other options, those of the mount and those of its file system each at their place.
fn with_options(line: &str, options: &str) -> String {
    let (own, of_fs): (Vec<&str>, Vec<&str>) = options.split(',').partition(|it| OF_MOUNT.contains(it));
    let mut own: Vec<&str> = own.into_iter().filter(|it| !["suid", "dev", "exec"].contains(it)).collect();
    if !own.iter().any(|it| ["ro", "rw"].contains(it)) {
        own.insert(0, "rw");
    }
    let of_fs: Vec<&str> = of_fs.into_iter().filter(|it| it.contains('=')).collect();
    let of_fs = if of_fs.is_empty() { "rw".to_owned() } else { format!("rw,{}", of_fs.join(",")) };
    let own = own.join(",");
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
    changed.split(',').chain(kept).collect::<Vec<_>>().join(",")
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
    use super::{MOUNTS, after, line, mount_image};
    use crate::system::Layer;
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
            6 1 8:2 /in /srv/twice rw - ext4 /dev/b rw\n";
        host.put_file(MOUNTS, table.as_bytes(), 0o444);
        for (at, source, options) in [
            ("/srv/bound", "/srv/x", "bind,ro,relatime,errors=continue"),
            ("/srv/part", "/srv/data/it", "bind,rw"),
            ("/srv/other", "/dev/b", "rw"),
            ("/srv/twice", "/srv/data", "bind,rw"),
            ("/srv/data", "/dev/b", "rw"),
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
}
