//! The kind `systemd_unit`: decides about the file of a unit or one of its drop-ins. It never reloads the service manager
//! (the engine does) and never starts anything (`service` does).

use crate::kind::{Class, Kind};
use crate::parts::ensure::Ensure;
use crate::system::{Entry, EntryKind, Look, System};
use model::{Claim, Content, Digest, Failure, HostPath, Op, Principal, Problem, Step, Thing, Val};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The file of a unit of systemd, `/etc/systemd/system/NAME`, or with `drop_in` a part that is added to a unit. The name has its
/// suffix: `app.service`, `backup.timer`. It belongs to root with mode 0644, or 0600 where its content is secret. The service
/// manager reads it by itself; a `service` of the same unit comes after it, and restarts only where it is notified.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SystemdUnit {
    #[schemars(skip)]
    name: String,
    /// Whether the file is there.
    #[serde(default)]
    ensure: Ensure,
    /// The file, as text. One of `content`, `source` and `template` is given, unless it is to be absent.
    content: Option<Content>,
    /// The file, from one beside the declaration or in its folder `files/`. Example: `"app.service"`.
    #[schemars(extend("x-keel" = "source"))]
    source: Option<String>,
    /// The file, rendered from a Handlebars template beside the declaration or in its folder `templates/`. Example:
    /// `"app.service.hbs"`.
    #[schemars(extend("x-keel" = "template"))]
    template: Option<String>,
    /// Name of a drop-in, without `.conf`: `"override"` writes `/etc/systemd/system/NAME.d/override.conf`, and leaves the file
    /// of the unit to its package. The directory is made, and removed with its last entry.
    drop_in: Option<String>,
}

/// What was found.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Seen {
    /// What stands where the file belongs.
    file: Option<Entry>,
    /// Of a drop-in: what stands where its directory belongs.
    directory: Option<Entry>,
    /// Of a drop-in that is to go: true where nothing else is in its directory.
    alone: bool,
}

const SUFFIXES: [&str; 9] =
    ["service", "socket", "mount", "automount", "swap", "target", "path", "timer", "slice"];

impl Kind for SystemdUnit {
    const NAME: &'static str = "systemd_unit";
    const CLASS: Class = Class::Files;
    const EXAMPLE: &'static str = r#"[systemd_unit."app.service"]
content = """
[Service]
ExecStart=/usr/local/bin/app

[Install]
WantedBy=multi-user.target
"""

[systemd_unit."nginx.service"]
drop_in = "limits"
content = "[Service]\nLimitNOFILE=65536\n"
"#;
    type Seen = Seen;

    fn check(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        let fits = |c: char| c.is_ascii_alphanumeric() || ":-_.\\@".contains(c);
        let known = self.name.rsplit_once('.').is_some_and(|(base, suffix)| {
            !base.is_empty() && !base.starts_with(['-', '.']) && SUFFIXES.contains(&suffix)
        });
        if !known || !self.name.chars().all(fits) || self.name.len() > 255 {
            let problem = Problem::whole(format!("`{}` is no name of a unit", self.name.escape_debug()));
            problems.push(problem.help(format!("a name ends in one of .{}", SUFFIXES.join(", ."))));
        }
        let bad = |name: &String| name.is_empty() || name.starts_with('.') || name.len() > 250;
        if self
            .drop_in
            .as_ref()
            .is_some_and(|name| bad(name) || name.contains(|c: char| c == '/' || c.is_control()))
        {
            let problem = Problem::at("drop_in", "this is no name of a file");
            problems.push(problem.help("write a short name, such as \"override\""));
        } else if self.drop_in.as_ref().is_some_and(|name| name.ends_with(".conf")) {
            problems.push(Problem::at("drop_in", "`.conf` is added by itself").help("leave it out"));
        }
        let given = [self.content.is_some(), self.source.is_some(), self.template.is_some()];
        let given = given.into_iter().filter(|given| *given).count();
        if given == 0 && self.ensure == Ensure::Present {
            let problem = Problem::whole("nothing says what is in the unit");
            problems.push(problem.help("give it `content`, `source` or `template`"));
        } else if given > 1 {
            let problem = Problem::whole("more than one of `content`, `source` and `template` is given");
            problems.push(problem.help("leave out all but one"));
        }
        problems
    }

    fn claims(&self) -> Vec<Claim> {
        let path = self.path().map(|path| self.ensure.claim(Thing::Path(path)));
        path.into_iter().chain([self.ensure.claim(Thing::UnitFile(self.name.clone()))]).collect()
    }

    fn wants(&self) -> Vec<Thing> {
        self.path().ok().and_then(|path| path.parent()).map(Thing::Path).into_iter().collect()
    }

    fn probe(&self, system: &dyn System) -> Result<Seen, Failure> {
        let path = self.path()?;
        let file = system.look(&path, Look::Digest)?;
        let mut seen = Seen { file, ..Seen::default() };
        if let (Some(_), Some(directory)) = (&self.drop_in, path.parent()) {
            seen.directory = system.look(&directory, Look::Bare)?;
            seen.alone = seen.file.is_some() && system.list(&directory)?.len() == 1;
        }
        Ok(seen)
    }

    fn plan(&self, seen: &Seen) -> Result<Vec<Step>, Failure> {
        match self.ensure {
            Ensure::Present => self.have(seen),
            Ensure::Absent => self.rid_of(seen),
        }
    }

    fn removal(&self, seen: &Seen) -> Option<Vec<Step>> {
        self.rid_of(seen).ok()
    }
}

impl SystemdUnit {
    fn path(&self) -> Result<HostPath, Failure> {
        let path = match &self.drop_in {
            Some(part) => format!("/etc/systemd/system/{}.d/{part}.conf", self.name),
            None => format!("/etc/systemd/system/{}", self.name),
        };
        HostPath::new(path).map_err(|why| Failure::refused(why, "choose another name"))
    }

    fn have(&self, seen: &Seen) -> Result<Vec<Step>, Failure> {
        let path = self.path()?;
        let Some(content) = &self.content else {
            return Err(Failure::unknown(path.to_string(), "its content was not compiled"));
        };
        let mode = if content.is_secret() { 0o600 } else { 0o644 };
        let after = show(content, content.size(), content.digest());
        let write = |before: Val| Step::new(write(&path, content, mode)).because("content", before, after);
        let Some(entry) = &seen.file else {
            let directory = self.make_directory(&path, seen)?;
            return Ok(directory.into_iter().chain([write(Val::Absent)]).collect());
        };
        let EntryKind::File { size, digest } = entry.kind else { return Err(in_the_way(&path, entry)) };
        let Some(digest) = digest else {
            return Err(Failure::unknown(path.to_string(), "its bytes could not be read"));
        };
        let same = (entry.uid, entry.gid, entry.mode) == (0, 0, mode);
        if digest != content.digest() {
            let step = write(show(content, size, digest));
            return Ok(vec![if same { step } else { explain(step, entry, mode) }]);
        }
        if same {
            return Ok(Vec::new());
        }
        let (owner, group) = ((entry.uid != 0).then(root), (entry.gid != 0).then(root));
        let op = Op::SetAttributes { path, owner, group, mode: Some(mode) };
        Ok(vec![explain(Step::new(op), entry, mode)])
    }

    fn make_directory(&self, path: &HostPath, seen: &Seen) -> Result<Option<Step>, Failure> {
        let (Some(_), Some(directory)) = (&self.drop_in, path.parent()) else { return Ok(None) };
        match &seen.directory {
            None => {
                let op = Op::MakeDirectory { path: directory, owner: root(), group: root(), mode: 0o755 };
                Ok(Some(Step::new(op).because("directory", Val::Absent, "present")))
            }
            Some(entry) if entry.kind == EntryKind::Directory => Ok(None),
            Some(entry) => Err(in_the_way(&directory, entry)),
        }
    }

    fn rid_of(&self, seen: &Seen) -> Result<Vec<Step>, Failure> {
        let path = self.path()?;
        let Some(entry) = &seen.file else { return Ok(Vec::new()) };
        if !matches!(entry.kind, EntryKind::File { .. }) {
            return Err(in_the_way(&path, entry));
        }
        let remove =
            |path: HostPath, what: &str| Step::new(Op::Remove { path }).because("ensure", what, Val::Absent);
        let directory = path.parent().filter(|_| self.drop_in.is_some() && seen.alone);
        let directory = directory.map(|directory| remove(directory, "empty directory"));
        Ok([remove(path, "file")].into_iter().chain(directory).collect())
    }
}

fn root() -> Principal {
    Principal::Name("root".to_owned())
}

fn write(path: &HostPath, content: &Content, mode: u32) -> Op {
    let (path, content, validate) = (path.clone(), content.clone(), Vec::new());
    Op::WriteFile { path, content, owner: root(), group: root(), mode, validate }
}

fn show(content: &Content, size: u64, digest: Digest) -> Val {
    if content.is_secret() {
        return Val::Hidden;
    }
    let digest = digest.to_string();
    format!("{size} bytes sha256:{}", &digest[..12]).into()
}

fn explain(mut step: Step, entry: &Entry, mode: u32) -> Step {
    for (field, id) in [("owner", entry.uid), ("group", entry.gid)] {
        if id != 0 {
            step = step.because(field, id.to_string(), "root");
        }
    }
    if entry.mode == mode {
        step
    } else {
        step.because("mode", format!("{:04o}", entry.mode), format!("{mode:04o}"))
    }
}

fn in_the_way(path: &HostPath, entry: &Entry) -> Failure {
    let why = match &entry.kind {
        EntryKind::Symlink { target } if target == "/dev/null" => {
            format!("{path} is a link to /dev/null: the unit is masked")
        }
        EntryKind::Symlink { target } => format!("{path} is a link to {target}"),
        _ => format!("a {} stands at {path}", entry.what()),
    };
    let help = match &entry.kind {
        EntryKind::Symlink { target } if target == "/dev/null" => "unmask it first, with `systemctl unmask`",
        _ => "remove it first",
    };
    Failure::refused(why, help)
}
