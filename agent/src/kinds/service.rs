//! The kind `service`: decides how a unit of systemd runs, starts at boot and answers a notification. It never writes a
//! unit file (`systemd_unit` does) and never reloads the manager (the engine does).

use crate::kind::{Class, Kind};
use crate::system::{EntryKind, Look, System, is_running};
use model::{
    Answer, Check, Claim, Failure, HostPath, Op, Presence, Problem, Step, Thing, UnitAction, UnitState, Val,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A service, or another unit of systemd that can be started: the name may leave out `.service`, every other suffix
/// (`.socket`, `.timer` …) has to be there, and an instance of a template is written `name@instance`. It comes by itself
/// after the package of the same name and after the `systemd_unit` that brings its file or a drop-in.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Service {
    #[schemars(skip)]
    name: String,
    /// Whether it runs now. A unit that failed does not run, and is started again. Left out, it stays as it is.
    running: Option<bool>,
    /// Whether it starts at boot. Refused where its file leaves no choice (no `[Install]` section). Left out, it stays as
    /// it is.
    enabled: Option<bool>,
    /// Whether it is impossible to start, by hand too. Left out, it stays as it is.
    masked: Option<bool>,
    /// The answer to a notification. A service that does not run, and is not wanted to, is left alone.
    #[serde(default)]
    on_notify: OnNotify,
    /// A command, program and arguments, that changes nothing and fails where the configuration is bad. It runs before each
    /// start, restart and reload by the run: where it fails the resource fails with its words, the unit stays as it is, and what it is
    /// owed is answered by a later run. It has 60 s. Example: `["nginx", "-t"]`.
    #[serde(default)]
    check: Vec<String>,
}

/// The answer to a notification.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum OnNotify {
    /// Stop it and start it.
    #[default]
    Restart,
    /// Let it read its configuration again; restarted where it cannot.
    Reload,
    /// Leave it as it is.
    None,
}

/// What was found.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Seen {
    /// The unit; `None` where the service manager finds none.
    unit: Option<UnitState>,
    /// True where a file lies at the place of the link that masks it, asked for where it is to be masked.
    in_the_way: bool,
}

/// Packages of Debian and Ubuntu that do not bear the name of their service.
const PACKAGES: &[(&str, &[&str])] = &[
    ("atd", &["at"]),
    ("docker", &["docker.io", "docker-ce"]),
    ("dovecot", &["dovecot-core"]),
    ("mysql", &["mysql-server", "default-mysql-server"]),
    ("mariadb", &["mariadb-server", "default-mysql-server"]),
    ("named", &["bind9"]),
    ("networking", &["ifupdown"]),
    ("nfs-server", &["nfs-kernel-server"]),
    ("nmbd", &["samba"]),
    ("redis", &["redis-server"]),
    ("smbd", &["samba"]),
    ("ssh", &["openssh-server"]),
    ("sshd", &["openssh-server"]),
    ("wg-quick", &["wireguard", "wireguard-tools"]),
];

/// What the state of a unit's file (`is-enabled` of systemctl(1)) means for `enabled`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Boot {
    /// It starts at boot.
    Yes,
    /// It does not, and could.
    No,
    /// It is not for us to say, for this reason.
    Fixed(&'static str),
    /// It cannot be told.
    Unknown,
}

/// `enabled-runtime` and `linked-runtime` are gone after the next boot. An `indirect` unit is started by one that its
/// `Also=` names, an `alias` by the unit it stands for: both are as wanted either way. `bad` is a file that cannot be read.
fn boot(file: &str) -> Boot {
    match file {
        "enabled" | "indirect" | "alias" => Boot::Yes,
        "disabled" | "enabled-runtime" | "linked" | "linked-runtime" => Boot::No,
        "masked" | "masked-runtime" => Boot::Fixed("it is masked"),
        "static" => Boot::Fixed("its file has no [Install] section: other units start it"),
        "generated" => Boot::Fixed("its file is generated at each boot, from fstab(5) or an init script"),
        "transient" => Boot::Fixed("it was made at run time and is gone after the next boot"),
        "" => Boot::Fixed("it has no file"),
        _ => Boot::Unknown,
    }
}

impl Kind for Service {
    const NAME: &'static str = "service";
    const CLASS: Class = Class::Units;
    const EXAMPLE: &'static str = r#"[service.nginx]
running   = true
enabled   = true
on_notify = "reload"
check     = ["nginx", "-t"]

[service."apt-daily.timer"]
running = false
enabled = false
"#;
    type Seen = Seen;

    fn check(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        let unit = self.unit();
        let fits = |c: char| c.is_ascii_alphanumeric() || ":-_.\\@".contains(c);
        if !unit.chars().all(fits) || unit.starts_with(['-', '.']) || unit.len() > 255 {
            let problem = Problem::whole(format!("`{}` is no name of a unit", self.name.escape_debug()));
            problems
                .push(problem.help("a name has only letters, digits and `:-_.\\@`, and at most 255 of them"));
        } else if unit.contains("@.") {
            let problem = Problem::whole(format!("`{}` is a template and cannot run itself", self.name));
            problems
                .push(problem.help(format!("name an instance, such as `{}`", unit.replace("@.", "@main."))));
        }
        for (key, wanted) in [("running", self.running), ("enabled", self.enabled)] {
            if self.masked == Some(true) && wanted == Some(true) {
                let problem = Problem::at("masked", format!("a masked unit cannot be {key}"));
                problems.push(problem.help(format!("set masked = false, or leave out {key} = true")));
            }
        }
        if self.check.first().is_some_and(String::is_empty) {
            problems
                .push(Problem::at("check", "there is no program").help("write [\"program\", \"argument\"]"));
        }
        if self.check.iter().any(|word| word.contains('\0')) {
            problems
                .push(Problem::at("check", "an argument cannot hold a NUL character").help("leave it out"));
        }
        problems
    }

    fn claims(&self) -> Vec<Claim> {
        // What is to be stopped is stopped before its file or package goes.
        let gone = self.running == Some(false) && self.enabled != Some(true);
        let presence = if gone { Presence::Absent } else { Presence::Present };
        vec![Claim { thing: Thing::Unit(self.unit()), presence }]
    }

    fn wants(&self) -> Vec<Thing> {
        let unit = self.unit();
        let (base, suffix) = unit.rsplit_once('.').unwrap_or((&unit, "service"));
        let (base, instance) = base.split_once('@').map_or((base, None), |(base, it)| (base, Some(it)));
        let mut things = vec![Thing::UnitFile(unit.clone()), Thing::Package(base.to_owned())];
        if instance.is_some() {
            things.push(Thing::UnitFile(format!("{base}@.{suffix}")));
        }
        if suffix != "service" {
            // A timer or socket starts the service of its name.
            things.push(Thing::UnitFile(format!("{base}.service")));
        }
        let other = PACKAGES.iter().filter(|(service, _)| *service == base).flat_map(|(_, names)| *names);
        things.extend(other.map(|name| Thing::Package((*name).to_owned())));
        things
    }

    fn probe(&self, system: &dyn System) -> Result<Seen, Failure> {
        let place = format!("/etc/systemd/system/{}", self.unit());
        let link = HostPath::new(place).ok().filter(|_| self.masked == Some(true));
        let stands = link.map(|path| system.look(&path, Look::Bare)).transpose()?.flatten();
        let in_the_way = stands.is_some_and(|entry| matches!(entry.kind, EntryKind::File { .. }));
        Ok(Seen { unit: system.unit(&self.unit())?, in_the_way })
    }

    fn plan(&self, seen: &Seen) -> Result<Vec<Step>, Failure> {
        if seen.in_the_way {
            // systemctl refuses as well, but only once the unit has been stopped.
            let why = format!("{} cannot be masked: its own file lies in /etc/systemd/system", self.unit());
            return Err(Failure::refused(
                why,
                "set running = false and enabled = false, or take its file away",
            ));
        }
        let Some(unit) = &seen.unit else { return self.plan_missing() };
        let mut steps = Vec::new();
        let is_masked = unit.file.starts_with("masked");
        if is_masked && self.masked.is_none() && (self.running == Some(true) || self.enabled == Some(true)) {
            return Err(Failure::refused(
                format!("{} is masked", self.unit()),
                "set masked = false to unmask it",
            ));
        }
        if self.masked == Some(false) && is_masked {
            if unit.file == "masked-runtime" {
                let why = format!("{} is masked until the next boot", self.unit());
                return Err(Failure::refused(why, "run `systemctl unmask --runtime` by hand"));
            }
            steps.push(self.step(UnitAction::Unmask).because("masked", "true", "false"));
        }
        steps.extend(self.plan_boot(unit)?);
        match self.running {
            Some(true) if !is_running(&unit.active) => {
                steps.extend(self.checked());
                steps.push(self.step(UnitAction::Start).because("running", unit.active.as_str(), "active"));
            }
            Some(false) if !matches!(unit.active.as_str(), "inactive" | "failed") => {
                steps.push(self.step(UnitAction::Stop).because("running", unit.active.as_str(), "inactive"));
            }
            _ => {}
        }
        if self.masked == Some(true) && unit.file != "masked" {
            steps.push(self.step(UnitAction::Mask).because("masked", "false", "true"));
        }
        Ok(steps)
    }

    fn refresh(&self, seen: &Seen) -> Vec<Step> {
        let runs = seen.unit.as_ref().is_some_and(|unit| is_running(&unit.active));
        let wanted = match self.running {
            Some(wanted) => wanted && seen.unit.is_some(),
            None => runs,
        };
        let action = match self.on_notify {
            OnNotify::Restart if wanted => UnitAction::Restart,
            // What does not run cannot be reloaded.
            OnNotify::Reload if wanted && runs => UnitAction::Reload,
            OnNotify::Reload if wanted => UnitAction::Restart,
            _ => return Vec::new(),
        };
        self.checked().into_iter().chain([self.step(action)]).collect()
    }

    fn config_check(&self) -> Option<Check> {
        Check::of(&self.unit(), &self.check)
    }

    fn answer(&self) -> Option<Answer> {
        let action = match self.on_notify {
            OnNotify::Restart => UnitAction::Restart,
            OnNotify::Reload => UnitAction::Reload,
            OnNotify::None => return None,
        };
        let answer = Answer { unit: self.unit(), action, check: self.check.clone() };
        (self.running != Some(false)).then_some(answer)
    }

    fn removal(&self, seen: &Seen) -> Option<Vec<Step>> {
        let Some(unit) = &seen.unit else { return Some(Vec::new()) };
        let disable = self.step(UnitAction::Disable).because("enabled", unit.file.as_str(), "disabled");
        let stop = self.step(UnitAction::Stop).because("running", unit.active.as_str(), "inactive");
        let disable = (unit.file == "enabled").then_some(disable);
        Some(disable.into_iter().chain(is_running(&unit.active).then_some(stop)).collect())
    }
}

impl Service {
    /// The unit's name with its suffix; systemctl(1) completes names in the same way.
    fn unit(&self) -> String {
        const SUFFIXES: [&str; 9] =
            ["service", "socket", "mount", "automount", "swap", "target", "path", "timer", "slice"];
        match self.name.rsplit_once('.') {
            Some((_, suffix)) if SUFFIXES.contains(&suffix) => self.name.clone(),
            _ => format!("{}.service", self.name),
        }
    }

    fn step(&self, action: UnitAction) -> Step {
        Step::new(Op::Unit { name: self.unit(), action })
    }

    /// What comes before the unit reads its configuration.
    fn checked(&self) -> Option<Step> {
        self.config_check().map(|check| Step::new(Op::Check(check)))
    }

    /// A unit that is not there neither runs nor starts; to mask it in advance is allowed.
    fn plan_missing(&self) -> Result<Vec<Step>, Failure> {
        if self.running == Some(true) || self.enabled == Some(true) {
            return Err(Failure::Missing { what: format!("unit {}", self.unit()) });
        }
        let mask = || self.step(UnitAction::Mask).because("masked", Val::Absent, "true");
        Ok((self.masked == Some(true)).then(mask).into_iter().collect())
    }

    fn plan_boot(&self, unit: &UnitState) -> Result<Option<Step>, Failure> {
        let Some(wanted) = self.enabled else { return Ok(None) };
        let name = self.unit();
        let set =
            |action, after: &str| Ok(Some(self.step(action).because("enabled", unit.file.as_str(), after)));
        if unit.file == "masked" && self.masked == Some(false) {
            // What the mask hid shows only once it is gone; both verbs may be said twice.
            return if wanted {
                set(UnitAction::Enable, "enabled")
            } else {
                set(UnitAction::Disable, "disabled")
            };
        }
        match (wanted, boot(&unit.file)) {
            (true, Boot::No) => set(UnitAction::Enable, "enabled"),
            (false, Boot::Yes) if unit.file == "enabled" => set(UnitAction::Disable, "disabled"),
            (true, Boot::Fixed(why)) => {
                let help = "leave out `enabled`, or give the unit an [Install] section";
                Err(Failure::refused(format!("{name} cannot be enabled: {why}"), help))
            }
            (false, Boot::Fixed(why)) if unit.file == "generated" => {
                let help = "leave out `enabled`, change what it is generated from, or set masked = true";
                Err(Failure::refused(format!("{name} cannot be disabled: {why}"), help))
            }
            (_, Boot::Unknown) => {
                Err(Failure::unknown(format!("unit {name}"), format!("its file is `{}`", unit.file)))
            }
            _ => Ok(None),
        }
    }
}
