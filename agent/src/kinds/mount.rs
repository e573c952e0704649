//! `mount`: what is mounted at a place, and its line in fstab(5). It only decides; the engine mounts and writes.

use crate::kind::{Class, Kind};
use crate::parts::follow::follow;
use crate::parts::fstab::{self, FSTAB};
use crate::parts::mounting::{self, Found};
use crate::parts::place;
use crate::system::{Entry, EntryKind, Look, System, once};
use model::{Claim, Content, Failure, HostPath, Op, Presence, Principal, Problem, Step, Thing, Val};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Largest fstab that is edited, in bytes.
const LARGEST: u64 = 1 << 20;

/// A file system at its place: mounted now, and by its line in /etc/fstab after a boot as well. Other lines and comments stay as they are. The name
/// is the mount point, which is made where there is nothing, as root:root with mode 0755. A directory resource for the same path comes after
/// the mount, and is about what is mounted; so does everything below. Where only options differ it is mounted anew in place (`remount`);
/// something else that is mounted there is unmounted first, and a place that is in use is left, with who uses it. With `x-systemd.automount`
/// it is enough that it is mounted when somebody comes.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Mount {
    #[serde(rename = "name")]
    #[schemars(skip)]
    path: HostPath,
    /// `"mounted"`: now and at boot. `"present"`: the line in fstab alone. `"unmounted"`: not now; fstab stays as it is. `"absent"`: neither.
    /// The mount point stays.
    #[serde(default)]
    ensure: State,
    /// What is mounted: a path, `LABEL=…` or `UUID=…`, `HOST:/PATH`, or a word for what has no device. Examples: `"UUID=3e6b…"`, `"tmpfs"`.
    device: Option<String>,
    /// The type of the file system, such as `"ext4"`; `"none"` with the option `bind`.
    fstype: Option<String>,
    /// The options of mount(8). Compared with what is mounted are those that the kernel shows; where `uid`, `gid`, `mode` or a mask differs
    /// that a mounted file system keeps, it is refused until somebody unmounts it. Example: `["noatime", "nofail"]`.
    #[serde(default = "usual")]
    options: Vec<String>,
    /// Whether dump(8) saves it: the fifth field of fstab.
    #[serde(default)]
    dump: u32,
    /// In which turn fsck(8) looks at it at boot: the sixth field of fstab, 0 for never.
    #[serde(default)]
    pass: u32,
}

fn usual() -> Vec<String> {
    vec!["defaults".to_owned()]
}

/// What is to be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum State {
    /// Mounted now and at boot.
    #[default]
    Mounted,
    /// A line in fstab.
    Present,
    /// Not mounted now.
    Unmounted,
    /// Not mounted now, nor at boot.
    Absent,
}

/// What was found.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Seen {
    /// What is mounted there.
    live: Option<Found>,
    /// What fstab is.
    entry: Option<Entry>,
    /// What is in it.
    fstab: String,
    /// What stands at the place.
    place: Option<Entry>,
    /// The place without the links on the way to it, where there are any.
    real: Option<HostPath>,
}

/// fstab(5), as all resources of this kind find it.
struct Table {
    entry: Option<Entry>,
    text: String,
}

impl Table {
    fn read(system: &dyn System, path: &HostPath) -> Result<Self, Failure> {
        let entry = system.look(path, Look::Bare)?;
        let text = match entry {
            Some(Entry { kind: EntryKind::File { .. }, .. }) => {
                let text = String::from_utf8(system.read(path, LARGEST)?);
                text.map_err(|_| Failure::unknown(FSTAB, "it is not UTF-8"))?
            }
            _ => String::new(),
        };
        Ok(Self { entry, text })
    }
}

impl Mount {
    fn wanted(&self) -> fstab::Line {
        fstab::Line {
            source: self.device.clone().unwrap_or_default(),
            at: self.path.to_string(),
            fs: self.fstype.clone().unwrap_or_default(),
            options: self.options.join(","),
            dump: self.dump,
            pass: self.pass,
        }
    }

    fn mount_step(&self) -> Step {
        let wanted = self.wanted();
        let (source, fs, path) = (wanted.source, wanted.fs, self.path.clone());
        let mounted = format!("{source} ({fs})");
        Step::new(Op::Mount { path, source, fs, options: wanted.options }).because(
            "mounted",
            Val::Absent,
            mounted,
        )
    }

    fn unmount_step(&self, live: &Found) -> Result<Step, Failure> {
        if live.is_stacked {
            let why = format!("{live} hides another mount at {}", self.path);
            return Err(Failure::refused(
                why,
                format!("look at both, and unmount them by hand: umount {}", self.path),
            ));
        }
        let step = Step::new(Op::Unmount { path: self.path.clone() });
        Ok(step.because("mounted", live.to_string(), Val::Absent))
    }

    fn live_steps(&self, seen: &Seen) -> Result<Vec<Step>, Failure> {
        let mut steps = Vec::new();
        if let Some(entry) =
            seen.place.as_ref().filter(|entry| matches!(entry.kind, EntryKind::Symlink { .. }))
        {
            let why = format!("a {} stands at {}", entry.what(), self.path);
            return Err(Failure::refused(why, "name the directory that it leads to"));
        }
        match &seen.live {
            Some(live) if live.is_other => steps.extend([self.unmount_step(live)?, self.mount_step()]),
            Some(live) => {
                if let Some((is, wanted)) = mounting::lasting(&self.options, live) {
                    let why = format!("{live} was mounted at {} with {is}, which it keeps", self.path);
                    let help = format!("unmount it, so that it is mounted with {wanted}, or write {is}");
                    return Err(Failure::refused(why, help));
                }
                if let Some((before, options)) = mounting::differing(&self.options, live) {
                    let op = Op::Remount { path: self.path.clone(), options: options.clone() };
                    steps.push(Step::new(op).because("options", before, options));
                }
            }
            None => {
                if seen.place.is_none() {
                    let (path, root) = (self.path.clone(), Principal::Number(0));
                    let op = Op::MakeDirectory { path, owner: root.clone(), group: root, mode: 0o755 };
                    steps.push(Step::new(op).because("mount point", Val::Absent, "directory"));
                }
                steps.push(self.mount_step());
            }
        }
        Ok(steps)
    }

    /// The step that gives fstab this line, or none, about the place.
    fn fstab_step(&self, seen: &Seen, wanted: Option<&fstab::Line>) -> Result<Option<Step>, Failure> {
        let at = self.path.to_string();
        let lines = fstab::about(&seen.fstab, &at);
        if lines.first() == wanted && lines.len() <= 1 {
            return Ok(None);
        }
        if lines.len() > 1 && wanted.is_some() {
            let why = format!("{} lines of {FSTAB} are about {at}", lines.len());
            return Err(Failure::refused(why, "keep one of them"));
        }
        let text = fstab::with(&seen.fstab, &at, wanted);
        // What mount(8) will read there is what was meant.
        if fstab::about(&text, &at).first() != wanted {
            return Err(Failure::refused(
                format!("{FSTAB} cannot hold `{}`", self.wanted()),
                "write it otherwise",
            ));
        }
        let root = Principal::Number(0);
        let (owner, group, mode) = match &seen.entry {
            None => (root.clone(), root, 0o644),
            Some(Entry { kind: EntryKind::File { .. }, uid, gid, mode }) => {
                (Principal::Number(*uid), Principal::Number(*gid), *mode)
            }
            Some(entry) => {
                let why = format!("a {} stands at {FSTAB}", entry.what());
                return Err(Failure::refused(why, "put a file there"));
            }
        };
        let path = HostPath::new(FSTAB).map_err(|why| Failure::unknown(FSTAB, why))?;
        let content = Content::held(text.into_bytes());
        let op = Op::WriteFile { path, content, owner, group, mode, validate: Vec::new() };
        let shown = |line: Option<&fstab::Line>| line.map(ToString::to_string);
        Ok(Some(Step::new(op).because("fstab", shown(lines.first()), shown(wanted))))
    }
}

impl Kind for Mount {
    const NAME: &'static str = "mount";
    /// One at a time: all of them edit the same file.
    const CLASS: Class = Class::Commands;
    const EXAMPLE: &'static str = r#"[mount."/srv/scratch"]
device  = "tmpfs"
fstype  = "tmpfs"
options = ["size=64m", "mode=0750", "nosuid"]

[directory."/srv/scratch"]
mode = "0750"
"#;
    type Seen = Seen;

    fn check(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        if self.path.parent().is_none() && self.ensure != State::Present {
            problems.push(
                Problem::whole("`/` is mounted before anybody can say so").help("write ensure = \"present\""),
            );
        }
        let needs = matches!(self.ensure, State::Mounted | State::Present);
        for (key, field) in [("device", &self.device), ("fstype", &self.fstype)] {
            match field {
                None if needs => {
                    problems.push(
                        Problem::whole(format!("there is no `{key}`")).help(format!("write {key} = \"…\"")),
                    );
                }
                Some(text)
                    if text.is_empty() || text.starts_with(['-', '#']) || text.contains(char::is_control) =>
                {
                    problems.push(Problem::at(
                        key,
                        format!("`{}` cannot stand in fstab(5)", text.escape_debug()),
                    ));
                }
                _ => {}
            }
        }
        let is_bad = |option: &String| {
            option.is_empty() || option.contains(|it: char| it.is_whitespace() || it == ',')
        };
        if let Some(option) = self.options.iter().find(|option| is_bad(option)) {
            let problem = Problem::at("options", format!("`{}` is no single option", option.escape_debug()));
            problems.push(
                problem.help("write each option as an element of its own, such as [\"ro\", \"nofail\"]"),
            );
        }
        if let Some((key, _)) =
            self.options.iter().find(|it| mounting::is_secret(it)).and_then(|it| it.split_once('='))
        {
            let problem =
                Problem::at("options", format!("everybody on the host could read what `{key}=` says"));
            problems.push(problem.help(
                "put it into a file that root alone reads, and name that: credentials=, or secretfile=",
            ));
        }
        if self.options.is_empty() {
            problems.push(
                Problem::at("options", "fstab(5) wants at least one")
                    .help("write [\"defaults\"], or leave it out"),
            );
        }
        problems
    }

    fn claims(&self) -> Vec<Claim> {
        let presence = match self.ensure {
            State::Mounted | State::Present => Presence::Present,
            State::Unmounted | State::Absent => Presence::Absent,
        };
        vec![Claim { thing: Thing::Mount(self.path.clone()), presence }]
    }

    fn wants(&self) -> Vec<Thing> {
        let fstab = HostPath::new(FSTAB).ok().map(Thing::Path);
        let device = self.device.as_ref().filter(|it| it.starts_with('/'));
        let device = device.and_then(|it| HostPath::new(it).ok()).map(Thing::Path);
        let helper =
            self.fstype.as_deref().and_then(mounting::helper).map(|it| Thing::Package(it.to_owned()));
        let owners = self.options.iter().filter_map(|option| match option.split_once('=')? {
            ("uid", name) => Some(Thing::User(name.to_owned())),
            ("gid", name) => Some(Thing::Group(name.to_owned())),
            _ => None,
        });
        place::wants(&self.path).chain(fstab).chain(device).chain(helper).chain(owners).collect()
    }

    fn probe(&self, system: &dyn System) -> Result<Seen, Failure> {
        let mut seen = Seen::default();
        if self.ensure != State::Unmounted {
            let path = HostPath::new(FSTAB).map_err(|why| Failure::unknown(FSTAB, why))?;
            let table = once(system, &path, || Table::read(system, &path))?;
            seen.entry.clone_from(&table.entry);
            seen.fstab.clone_from(&table.text);
        }
        if self.ensure != State::Present {
            let is_to_be = self.ensure == State::Mounted;
            let live = Found::at(system, &self.path, &self.wanted())?;
            seen.live = live.filter(|live| is_to_be || !live.waits());
            if seen.live.is_none() {
                seen.place = system.look(&self.path, Look::Bare)?;
                // The kernel tells what is mounted by the path without links: by another one it would not be found again.
                let above = self.path.parent().map(|above| follow(system, &above)).transpose()?;
                let real = above.map(|above| above.join(self.path.file_name()));
                seen.real = real.filter(|real| *real != self.path);
            }
        }
        Ok(seen)
    }

    fn plan(&self, seen: &Seen) -> Result<Vec<Step>, Failure> {
        if let Some(real) = &seen.real {
            let why = format!("a link on the way to {} leads to {real}", self.path);
            return Err(Failure::refused(why, format!("name {real}")));
        }
        let wanted = self.wanted();
        let gone = || seen.live.iter().map(|live| self.unmount_step(live)).collect::<Result<Vec<_>, _>>();
        // The kernel judges before anything is kept for the next boot.
        let (mut steps, line): (Vec<Step>, _) = match self.ensure {
            State::Mounted => (self.live_steps(seen)?, Some(&wanted)),
            State::Present => (Vec::new(), Some(&wanted)),
            State::Unmounted => return gone(),
            State::Absent => (gone()?, None),
        };
        steps.extend(self.fstab_step(seen, line)?);
        Ok(steps)
    }

    fn removal(&self, seen: &Seen) -> Option<Vec<Step>> {
        if seen.real.is_some() {
            return None;
        }
        let mut steps: Vec<Step> =
            seen.live.iter().map(|live| self.unmount_step(live).ok()).collect::<Option<_>>()?;
        steps.extend(self.fstab_step(seen, None).ok()?);
        Some(steps)
    }
}
