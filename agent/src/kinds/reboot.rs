//! The kind `reboot`: decides whether the machine has to be rebooted. How a run comes back from it is not its business (`session` and
//! `detached` see to that).

use crate::kind::{Class, Kind};
use crate::system::{BOOT_ID, Look, REQUIRED, System};
use model::{Claim, Content, Failure, HostPath, Op, Principal, Problem, Scope, Step, Thing, Val};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// A reboot in the middle of a run, which goes on by itself when the machine is up again: same run, what has been done stays done, what
/// comes after the reboot (by `require`, `before`, `notify` or `subscribe`) is done then. Its name is a label of its module: letters,
/// digits, `-` and `_`. It waits until everything that does not come after it is done, and nothing else goes on meanwhile. The machine
/// may take 10 minutes to go down and as long to be up again, or as long as the common key `timeout` says; one that does not go down
/// is a failure. A rehearsal does not reboot, and a rollback does not either. Refused where systemd does not run the host: nothing could
/// go on there.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Reboot {
    #[serde(rename = "name")]
    #[schemars(skip)]
    label: String,
    /// When the machine is rebooted. Anything but these words is the condition that every resource may have: a CEL expression, of a
    /// reboot where it is required.
    #[serde(default)]
    when: When,
}

/// When the machine is rebooted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum When {
    /// Where the host asks for it: `/run/reboot-required` is there, as after a package brought a kernel or a C library.
    #[default]
    Required,
    /// Only as the answer to a notification: something that `notify`s it, or that it `subscribe`s to, has changed.
    Pending,
    /// Once for this resource on this host, in any run; a file below `/var/lib/evenkeel/rebooted` remembers it. A rollback of the run
    /// forgets it.
    AlwaysOnce,
}

/// What was found, as far as `when` asks for it.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Seen {
    /// Whether systemd runs the host.
    systemd: bool,
    /// The file that asks for a reboot, where there is one.
    required: Option<String>,
    /// Boot id of the kernel.
    boot: String,
    /// The boot id under which the reboot was asked for, where it was.
    asked: Option<String>,
    /// Directories that are missing above the file that remembers it, the upper one first.
    missing: Vec<HostPath>,
}

/// Where it is remembered that a machine was rebooted once.
const REMEMBERED: &str = "/var/lib/evenkeel/rebooted";

impl Kind for Reboot {
    const NAME: &'static str = "reboot";
    const CLASS: Class = Class::Alone;
    const SCOPE: Scope = Scope::Module;
    const EXAMPLE: &'static str = r#"[file."/etc/modules-load.d/nf.conf"]
content = "nf_conntrack\n"
notify  = ["reboot.modules"]

[reboot.modules]
when    = "pending"
timeout = "5m"

[reboot.kernel]
when = "required"
"#;
    type Seen = Seen;

    fn check(&self) -> Vec<Problem> {
        let fits = |c: char| c.is_ascii_alphanumeric() || "-_/".contains(c);
        if self.label.chars().all(fits) && (1..=200).contains(&self.label.len()) {
            return Vec::new();
        }
        let problem = Problem::whole(format!("`{}` is no label of a reboot", self.label.escape_debug()));
        vec![problem.help("write a short one of letters, digits, `-` and `_`, such as \"kernel\"")]
    }

    fn claims(&self) -> Vec<Claim> {
        Vec::new()
    }

    fn wants(&self) -> Vec<Thing> {
        Vec::new()
    }

    fn probe(&self, system: &dyn System) -> Result<Seen, Failure> {
        let mut seen = Seen { systemd: runs_systemd(system)?, ..Seen::default() };
        match self.when {
            When::Pending => {}
            When::Required => {
                for path in REQUIRED {
                    if system.look(&at(path)?, Look::Bare)?.is_some() {
                        seen.required = Some(path.to_owned());
                        break;
                    }
                }
            }
            When::AlwaysOnce => {
                seen.boot = word(&system.read(&at(BOOT_ID)?, 4096)?, BOOT_ID)?;
                let file = self.remembered()?;
                if system.look(&file, Look::Bare)?.is_some() {
                    seen.asked = Some(word(&system.read(&file, 4096)?, &file.to_string())?);
                }
                for path in file.ancestors().filter(|path| path.as_path() != Path::new("/")) {
                    if path != file && system.look(&path, Look::Bare)?.is_none() {
                        seen.missing.insert(0, path);
                    }
                }
            }
        }
        Ok(seen)
    }

    fn plan(&self, seen: &Seen) -> Result<Vec<Step>, Failure> {
        if !seen.systemd {
            let why = "systemd does not run this host, so that no run could go on after a reboot";
            return Err(Failure::refused(why, "reboot it by hand, and leave this resource out"));
        }
        match self.when {
            When::Pending => Ok(Vec::new()),
            When::Required => {
                Ok(seen.required.iter().map(|path| reboot("required", path.as_str())).collect())
            }
            When::AlwaysOnce => self.once(seen),
        }
    }

    fn refresh(&self, seen: &Seen) -> Vec<Step> {
        match self.when {
            When::Pending if seen.systemd => vec![reboot("notified", "yes")],
            _ => Vec::new(),
        }
    }
}

impl Reboot {
    /// A module's label has a slash; no name has a dot, so that no two labels share a file.
    fn remembered(&self) -> Result<HostPath, Failure> {
        at(&format!("{REMEMBERED}/{}", self.label.replace('/', ".")))
    }

    /// It is written down first under which boot id it is asked for: one that did not come is asked for again.
    fn once(&self, seen: &Seen) -> Result<Vec<Step>, Failure> {
        match &seen.asked {
            Some(asked) if *asked != seen.boot => return Ok(Vec::new()),
            Some(_) => return Ok(vec![reboot("rebooted", "not yet")]),
            None => {}
        }
        let directory = |path: &HostPath| {
            let op = Op::MakeDirectory { path: path.clone(), owner: root(), group: root(), mode: 0o700 };
            Step::new(op).because("directory", Val::Absent, "present")
        };
        let content = Content::held(seen.boot.clone().into_bytes());
        let path = self.remembered()?;
        let op =
            Op::WriteFile { path, content, owner: root(), group: root(), mode: 0o600, validate: Vec::new() };
        let remember = Step::new(op).because("remembered", Val::Absent, "present");
        Ok(seen.missing.iter().map(directory).chain([remember, reboot("rebooted", "never")]).collect())
    }
}

fn reboot(field: &str, before: &str) -> Step {
    let after = if field == "rebooted" { "once" } else { "no" };
    Step::new(Op::Reboot).because(field, before, after)
}

fn root() -> Principal {
    Principal::Number(0)
}

fn at(path: &str) -> Result<HostPath, Failure> {
    HostPath::new(path).map_err(|why| Failure::unknown(path, why))
}

/// The one word of a small file.
fn word(bytes: &[u8], path: &str) -> Result<String, Failure> {
    let text = std::str::from_utf8(bytes).map_err(|error| Failure::unknown(path, error.to_string()))?;
    Ok(text.trim_end().to_owned())
}

/// sd_booted(3). In a rehearsal, where no manager runs, its unit for this is there all the same.
fn runs_systemd(system: &dyn System) -> Result<bool, Failure> {
    let directory = system.look(&at("/run/systemd/system")?, Look::Bare)?;
    Ok(directory.is_some() || system.unit("reboot.target")?.is_some())
}
