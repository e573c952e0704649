//! `sysctl`: a value of the kernel, now and after the next boot. It only decides; the engine sets it and writes the file.

use crate::kind::{Class, Kind};
use crate::parts::boot_values::{self, Later};
use crate::parts::ensure::Ensure;
use crate::parts::place;
use crate::parts::tree::{Tree, removed};
use crate::system::{Entry, EntryKind, Look, System, sysctl};
use model::{
    Claim, Content, Failure, HostPath, Op, Principal, Problem, Secret, Step, Text, Thing, Val,
    sysctl_is_secret, sysctl_key, sysctl_path,
};
use schemars::JsonSchema;
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use std::fmt;

/// Longest value, in bytes.
const LONGEST: usize = 4000;
/// Mode of the file, and of one with a secret in it.
const MODE: u32 = 0o644;
const SECRET_MODE: u32 = 0o600;

/// A value of the running kernel, which is kept in a file of sysctl.d(5) as well, so that it is the same after a boot. Both are looked at, and
/// a difference says which of them it is: `live` or `persisted`. The name is the key, as sysctl(8) has it: `net.ipv4.ip_forward`, or with
/// slashes. A value of several numbers is compared number by number. In a container the kernel may be for reading only: that is a failure.
/// A secret value is shown nowhere, and its file is for root alone; `net.ipv4.tcp_fastopen_key` and `stable_secret` of IPv6 always are secret.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sysctl {
    #[serde(rename = "name")]
    #[schemars(skip)]
    key: String,
    /// `"present"`: the kernel has the value, now and after a boot. `"absent"`: the file is gone; the kernel keeps its value until the next boot.
    #[serde(default)]
    ensure: Ensure,
    /// The value: a number, or text. Left out only with `ensure = "absent"`. Examples: `1`, `"32768 60999"`.
    value: Option<Value>,
    /// The file in /etc/sysctl.d, which holds this value alone. Files are read in the order of their names, and the last that has a key
    /// counts: one that would undo this at boot is told. Default: `"/etc/sysctl.d/60-keel-KEY.conf"`.
    file: Option<HostPath>,
    /// True: a key that this kernel lacks is no failure; the file is kept all the same, with the `-` of sysctl.d(5) before the key.
    #[serde(default)]
    optional: bool,
    /// True: the value, written in quotes, is not shown. One that holds a secret is so by itself.
    #[serde(default)]
    sensitive: bool,
}

/// What was found.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Seen {
    /// The value of the running kernel.
    live: Option<String>,
    /// What stands where the file is to be.
    entry: Option<Entry>,
    /// What is in it.
    text: String,
    /// What would undo it at boot.
    later: Option<Later>,
}

/// A value as it is written: text, or an integer; and text may be secret.
#[derive(Clone, Debug)]
pub struct Value(Text);

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Written)
    }
}

struct Written;

impl<'de> Visitor<'de> for Written {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number or a text")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Value, E> {
        Ok(Value(Text::Plain(text.trim().to_owned())))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Value, A::Error> {
        let text = Text::deserialize(MapAccessDeserializer::new(map))?;
        Ok(Value(Text::Hidden(Secret::new(text.expose().trim().to_owned()))))
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Value, E> {
        Ok(Value(Text::Plain(number.to_string())))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Value, E> {
        Ok(Value(Text::Plain(number.to_string())))
    }
}

impl JsonSchema for Value {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Value".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": ["string", "integer"], "x-keel-text": true })
    }

    fn inline_schema() -> bool {
        true
    }
}

impl Sysctl {
    /// Its file below /proc/sys.
    fn path(&self) -> Result<HostPath, Failure> {
        sysctl_path(&self.key).ok_or_else(|| Failure::unknown(&self.key, "it is no key of sysctl(8)"))
    }

    /// Its name with dots.
    fn dotted(&self) -> String {
        self.path().ok().and_then(|path| sysctl_key(&path)).unwrap_or_else(|| self.key.clone())
    }

    fn file(&self) -> Result<HostPath, Failure> {
        if let Some(file) = &self.file {
            return Ok(file.clone());
        }
        // A slash stands for a dot in the name of an interface.
        let name = self.dotted().replace('/', "_");
        HostPath::new(format!("{}/60-keel-{name}.conf", boot_values::DIR))
            .map_err(|why| Failure::unknown(&self.key, why))
    }

    fn text(&self, value: &str) -> String {
        let dash = if self.optional { "-" } else { "" };
        format!("# Kept by Evenkeel.\n{dash}{} = {value}\n", self.dotted())
    }

    fn is_secret(&self) -> bool {
        let is_hidden = self.value.as_ref().is_some_and(|Value(value)| value.is_secret());
        self.sensitive || is_hidden || self.path().is_ok_and(|path| sysctl_is_secret(&path))
    }

    /// A value in a difference.
    fn shown(&self, value: &str) -> Val {
        if self.is_secret() { Val::Hidden } else { value.into() }
    }

    fn live_step(&self, seen: &Seen, value: &str) -> Result<Option<Step>, Failure> {
        match &seen.live {
            None if self.optional => Ok(None),
            None => {
                let help = "load the module that brings it, correct the key, or set `optional = true`";
                Err(Failure::refused(format!("this kernel has no {}", self.dotted()), help))
            }
            Some(live) if words(live) == words(value) => Ok(None),
            Some(live) => {
                let (before, after) = (self.shown(&words(live)), self.shown(value));
                let value = value.to_owned();
                let value =
                    if self.is_secret() { Text::Hidden(Secret::new(value)) } else { Text::Plain(value) };
                let op = Op::SetSysctl { path: self.path()?, value };
                Ok(Some(Step::new(op).because("live", before, after)))
            }
        }
    }

    fn file_step(&self, seen: &Seen, value: &str) -> Result<Option<Step>, Failure> {
        let (path, text) = (self.file()?, self.text(value));
        let root = Principal::Number(0);
        let bytes = text.clone().into_bytes();
        let (content, wanted_mode) = match self.is_secret() {
            true => (Content::Hidden(Secret::new(bytes.into())), SECRET_MODE),
            false => (Content::held(bytes), MODE),
        };
        let op = Op::WriteFile {
            path: path.clone(),
            content,
            owner: root.clone(),
            group: root,
            mode: wanted_mode,
            validate: Vec::new(),
        };
        let mut step = Step::new(op);
        match &seen.entry {
            None => step = step.because("persisted", Val::Absent, self.shown(value)),
            Some(Entry { kind: EntryKind::File { .. }, uid, gid, mode }) => {
                let kept = boot_values::last(&seen.text, &self.path()?);
                if kept.as_deref().map(words) != Some(words(value)) {
                    let kept = kept.map_or(Val::Absent, |kept| self.shown(&kept));
                    step = step.because("persisted", kept, self.shown(value));
                } else if seen.text != text {
                    step = step.because("file", "other lines", "this value alone");
                }
                if *mode != wanted_mode {
                    step = step.because("mode", format!("{mode:04o}"), format!("{wanted_mode:04o}"));
                }
                if (*uid, *gid) != (0, 0) {
                    step = step.because("owner", format!("{uid}:{gid}"), "root:root");
                }
            }
            Some(entry) => {
                place::clear(&path, entry, &Tree::default(), place::Force::No, "file")?;
            }
        }
        Ok((!step.diffs.is_empty()).then_some(step))
    }
}

impl Sysctl {
    /// A secret that stands in the clear. It is told of the whole: nobody is shown the line that holds it.
    fn open_secret(&self) -> Option<Problem> {
        let Some(Value(Text::Plain(_))) = &self.value else { return None };
        let (why, help) = match (self.is_secret(), self.sensitive) {
            (false, _) => return None,
            (true, true) => ("a number is not hidden".to_owned(), "write the value in quotes"),
            (true, false) => (
                format!("{} is a secret", self.dotted()),
                "set sensitive = true, or take `value` from an input of the type secret",
            ),
        };
        Some(Problem::whole(why).help(help))
    }
}

/// With one space between its words, however they are spaced.
fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

impl Kind for Sysctl {
    const NAME: &'static str = "sysctl";
    const CLASS: Class = Class::Files;
    const EXAMPLE: &'static str = r#"[sysctl."net.ipv4.ip_forward"]
value = 1

[sysctl."net.ipv4.ip_local_port_range"]
value = "15000 60999"

[sysctl."net.bridge.bridge-nf-call-iptables"]
value    = 0
optional = true
"#;
    type Seen = Seen;

    fn check(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        if sysctl_path(&self.key).is_none() {
            let problem = Problem::whole(format!("`{}` is no key of sysctl(8)", self.key.escape_debug()));
            problems.push(problem.help("write one as `sysctl -a` does, such as \"net.ipv4.ip_forward\""));
        }
        let wrong = match self.value.as_ref().map(|Value(value)| value.expose()) {
            None if self.ensure == Ensure::Present => {
                problems.push(
                    Problem::whole("there is no `value`").help("write value = …, or ensure = \"absent\""),
                );
                None
            }
            Some("") => Some("a value cannot be empty".to_owned()),
            Some(value) if value.len() > LONGEST => Some(format!("a value is at most {LONGEST} bytes")),
            Some(value) if value.chars().any(|it| it.is_control() && it != '\t') => {
                Some("the value holds a control character".to_owned())
            }
            _ => None,
        };
        problems.extend(wrong.map(|message| Problem::at("value", message)));
        problems.extend(self.open_secret());
        if let Some(file) = &self.file {
            let is_read = file.as_path().parent() == Some(boot_values::DIR.as_ref())
                && file.as_path().extension().is_some_and(|it| it == "conf");
            if !is_read {
                let problem = Problem::at("file", format!("nothing reads {file} at boot"));
                problems
                    .push(problem.help(format!("name a file in {} that ends in `.conf`", boot_values::DIR)));
            }
        }
        problems
    }

    fn claims(&self) -> Vec<Claim> {
        let file = self.file().ok().map(|file| self.ensure.claim(Thing::Path(file)));
        let live = self.path().ok().filter(|_| self.ensure == Ensure::Present);
        file.into_iter().chain(live.map(|path| self.ensure.claim(Thing::Path(path)))).collect()
    }

    fn wants(&self) -> Vec<Thing> {
        self.file().iter().flat_map(place::wants).collect()
    }

    fn probe(&self, system: &dyn System) -> Result<Seen, Failure> {
        let file = self.file()?;
        let mut seen = Seen { entry: system.look(&file, Look::Bare)?, ..Seen::default() };
        if self.ensure == Ensure::Absent {
            return Ok(seen);
        }
        let path = self.path()?;
        seen.live = sysctl(system, &path)?;
        if let Some(Entry { kind: EntryKind::File { .. }, .. }) = seen.entry {
            seen.text = boot_values::read(system, &file)?;
        }
        seen.later = boot_values::later(system, &file, &path)?;
        Ok(seen)
    }

    fn plan(&self, seen: &Seen) -> Result<Vec<Step>, Failure> {
        let (Ensure::Present, Some(Value(text))) = (self.ensure, &self.value) else {
            let Some(entry) = &seen.entry else { return Ok(Vec::new()) };
            let file = self.file()?;
            return match entry.kind {
                EntryKind::File { .. } | EntryKind::Symlink { .. } => Ok(vec![removed(&file, entry)]),
                _ => place::clear(&file, entry, &Tree::default(), place::Force::No, "file"),
            };
        };
        let value = text.expose();
        if let Some(later) = seen.later.as_ref().filter(|later| words(&later.value) != words(value)) {
            let why = format!(
                "at boot {} sets {} to {} after this",
                later.file,
                self.dotted(),
                self.shown(&words(&later.value))
            );
            return Err(Failure::refused(why, "take that line out, or give `file` a name that comes later"));
        }
        // The kernel judges the value before it is kept for the next boot.
        let live = self.live_step(seen, value)?;
        Ok(live.into_iter().chain(self.file_step(seen, value)?).collect())
    }

    fn removal(&self, seen: &Seen) -> Option<Vec<Step>> {
        match &seen.entry {
            None => Some(Vec::new()),
            Some(entry) if matches!(entry.kind, EntryKind::File { .. }) => {
                Some(vec![removed(&self.file().ok()?, entry)])
            }
            Some(_) => None,
        }
    }
}
