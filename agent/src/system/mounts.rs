//! What is mounted, from the text of proc_pid_mountinfo(5), and what an op makes of that text: on the model of a host, and in a throwaway copy
//! of one. Pure but for reading the text; it mounts nothing.

use super::{Layer, System};
use model::{Failure, HostPath, MountState, Op};

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
}

/// All mounts, in the order in which they were made; none where there is no table, as in memory.
pub fn mounts(system: &dyn System) -> Result<Vec<Mounted>, Failure> {
    Ok(table(system)?.lines().filter_map(line).collect())
}

/// What is seen at `path`, if something is mounted there: the last one hides those before it.
pub fn mounted(system: &dyn System, path: &HostPath) -> Result<Option<Mounted>, Failure> {
    let at = path.to_string();
    Ok(mounts(system)?.into_iter().rfind(|mount| mount.at == at))
}

/// The text of the table.
pub fn table(system: &dyn System) -> Result<String, Failure> {
    let path = HostPath::new(MOUNTS).map_err(|why| Failure::unknown(MOUNTS, why))?;
    match system.read(&path, 16 << 20) {
        Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
        Err(Failure::Missing { .. }) => Ok(String::new()),
        Err(failure) => Err(failure),
    }
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
        let path = HostPath::new(MOUNTS).map_err(|why| Failure::unknown(MOUNTS, why))?;
        match text.is_empty() {
            true => drop(self.delta().paths.insert(path, None)),
            false => self.put_view(path, text),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{after, line};
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
