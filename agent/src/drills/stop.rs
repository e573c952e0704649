//! The fault `stop`: a unit is stopped.

use super::fault::{Cannot, Fault};
use super::tools::{Tools, well};
use crate::kind::Listed;
use model::{Failure, Problem, Repair};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A unit that runs is stopped, and with it what cannot run without it, which is told. `stop = "nginx"` is short for `stop = { unit = "nginx" }`.
/// Taken back, all of them are started.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Stop {
    /// A service, socket, timer or path; `.service` unless it has a suffix.
    unit: String,
}

/// What was stopped: the unit, and those that systemd stops with it.
#[derive(Debug, Serialize, Deserialize)]
pub struct Note {
    units: Vec<String>,
}

/// What can be stopped.
const SUFFIXES: [&str; 4] = [".service", ".socket", ".timer", ".path"];

/// What systemd stops together with a unit (systemd.unit(5), as seen from that unit).
const GOES_ALONG: &str = "--property=RequiredBy,RequisiteOf,BoundBy,ConsistsOf,PropagatesStopTo";

/// These are stopped with what they stand for, and start more than was stopped.
const GROUPS: [&str; 4] = [".target", ".slice", ".scope", ".device"];

/// Nobody could end the drill without these, or reach the host.
const NEEDED: [&str; 11] = [
    "ssh.",
    "sshd.",
    "dropbear.",
    "systemd-",
    "dbus",
    "NetworkManager.",
    "networking.",
    "user@",
    "evenkeel-boot.",
    "keel-",
    "ifup@",
];

impl Stop {
    fn name(&self) -> String {
        match SUFFIXES.iter().any(|suffix| self.unit.ends_with(suffix)) {
            true => self.unit.clone(),
            false => format!("{}.service", self.unit),
        }
    }
}

impl Listed for Stop {
    const NAME: &'static str = "stop";
    const SHORT: &'static str = "unit";
    const EXAMPLE: &'static str = "[drill.cron-stops]\nstop   = \"cron\"\nsees   = \"drift\"         # the plan has a change while it is stopped\nseen   = \"5s\"\nrepair = \"apply\"\nwithin = \"30s\"\n";

    fn problems(&self) -> Vec<Problem> {
        let name = self.name();
        let is_name = |one: char| one.is_ascii_alphanumeric() || ":-_.\\@".contains(one);
        let other = [".target", ".slice", ".scope", ".mount", ".swap", ".device", ".automount"];
        if self.unit.is_empty() || self.unit.starts_with('-') || !self.unit.chars().all(is_name) {
            let problem = Problem::at("unit", format!("`{}` is no name of a unit", self.unit));
            return vec![problem.help("write it as systemctl does: \"nginx\"")];
        }
        if other.iter().any(|suffix| self.unit.ends_with(suffix)) {
            let problem = Problem::at("unit", format!("`{}` is more than one thing", self.unit));
            return vec![problem.help("a service, socket, timer or path can be stopped")];
        }
        if is_needed(&name) {
            let problem = Problem::at("unit", format!("`{name}` is needed to end the drill"));
            return vec![problem.help("stop another one")];
        }
        Vec::new()
    }
}

impl Fault for Stop {
    const REPAIR: Repair = Repair::Apply;
    type Note = Note;

    fn prepare(&self, tools: &dyn Tools) -> Result<Note, Cannot> {
        if !tools.has_services() {
            return Err(Cannot::Here("no service manager runs here: nothing can be stopped".to_owned()));
        }
        let unit = self.name();
        match state(&unit, tools)?.as_str() {
            "active" | "reloading" => {}
            state => {
                let why = format!("{unit} does not run: it is {state}");
                return Err(Failure::refused(why, "start it first").into());
            }
        }
        let units = with_those_on([unit.as_str()], tools)?;
        match units.iter().find(|unit| is_needed(unit)) {
            None => Ok(Note { units }),
            Some(needed) => {
                let why = format!("{needed} would be stopped with {unit}, and is needed to end the drill");
                Err(Failure::refused(why, "stop another one").into())
            }
        }
    }

    fn inject(&self, Note { units }: &Note, tools: &dyn Tools) -> Result<String, Cannot> {
        let unit = self.name();
        well(tools, &["systemctl", "stop", "--", &unit], "")?;
        let others: Vec<&str> = units.iter().map(String::as_str).filter(|one| *one != unit).collect();
        let with =
            if others.is_empty() { String::new() } else { format!(", and with it {}", others.join(", ")) };
        Ok(format!("{unit} was stopped{with}"))
    }

    fn undo(Note { units }: &Note, tools: &dyn Tools) -> Result<String, Failure> {
        start(units, tools).map(|done| done.join(", "))
    }
}

fn is_needed(unit: &str) -> bool {
    NEEDED.iter().any(|needed| unit.starts_with(needed))
}

/// These units, and those that run and are stopped when they are, near and far.
pub(super) fn with_those_on<'a>(
    units: impl IntoIterator<Item = &'a str>,
    tools: &dyn Tools,
) -> Result<Vec<String>, Failure> {
    let mut found: Vec<String> = units.into_iter().map(str::to_owned).collect();
    let mut at = 0;
    while let Some(unit) = found.get(at).filter(|_| tools.has_services()).cloned() {
        let said = well(tools, &["systemctl", "show", GOES_ALONG, "--value", "--", &unit], "")?.out;
        for name in said.split_whitespace() {
            if !found.iter().any(|one| one == name) && is_up(&state(name, tools)?) {
                found.push(name.to_owned());
            }
        }
        at += 1;
    }
    Ok(found)
}

/// The state of a unit, as systemctl(1) says it.
fn state(unit: &str, tools: &dyn Tools) -> Result<String, Failure> {
    let argv = ["systemctl", "show", "--property=ActiveState", "--value", "--", unit];
    Ok(well(tools, &argv, "")?.out.trim().to_owned())
}

fn is_up(state: &str) -> bool {
    matches!(state, "active" | "activating" | "reloading")
}

/// Starts all of these that do not run, and says which. One that cannot be started holds up no other.
pub(super) fn start(units: &[String], tools: &dyn Tools) -> Result<Vec<String>, Failure> {
    let (mut done, mut failed) = (Vec::new(), None);
    for unit in units.iter().filter(|unit| !GROUPS.iter().any(|suffix| unit.ends_with(suffix))) {
        match start_one(unit, tools) {
            Ok(true) => done.push(format!("{unit} was started")),
            Ok(false) => {}
            Err(failure) => failed = failed.or(Some(failure)),
        }
    }
    failed.map_or(Ok(done), Err)
}

/// False where it runs, or is about to.
fn start_one(unit: &str, tools: &dyn Tools) -> Result<bool, Failure> {
    if !tools.has_services() || is_up(&state(unit, tools)?) {
        return Ok(false);
    }
    // One that has died too often is not started without it; one that has not is none the worse.
    well(tools, &["systemctl", "reset-failed", "--", unit], "").ok();
    well(tools, &["systemctl", "start", "--", unit], "").map(|_| true)
}
