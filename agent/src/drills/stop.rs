//! The fault `stop`: a unit is stopped.

use super::fault::{Cannot, Fault};
use super::tools::{Tools, well};
use crate::kind::Listed;
use model::{Failure, Problem, Repair};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A unit that runs is stopped. `stop = "nginx"` is short for `stop = { unit = "nginx" }`. Taken back, it is started.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Stop {
    /// A service, socket, timer or path; `.service` unless it has a suffix.
    unit: String,
}

/// What was stopped.
#[derive(Debug, Serialize, Deserialize)]
pub struct Note {
    unit: String,
}

/// What can be stopped.
const SUFFIXES: [&str; 4] = [".service", ".socket", ".timer", ".path"];

/// Nobody could end the drill without these, or reach the host.
const NEEDED: [&str; 10] = [
    "ssh.",
    "sshd.",
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
        if NEEDED.iter().any(|needed| name.starts_with(needed)) {
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
            "active" | "reloading" => Ok(Note { unit }),
            state => {
                Err(Failure::refused(format!("{unit} does not run: it is {state}"), "start it first").into())
            }
        }
    }

    fn inject(&self, Note { unit }: &Note, tools: &dyn Tools) -> Result<String, Cannot> {
        well(tools, &["systemctl", "stop", "--", unit], "")?;
        Ok(format!("{unit} was stopped"))
    }

    fn undo(Note { unit }: &Note, tools: &dyn Tools) -> Result<String, Failure> {
        Ok(if start(unit, tools)? { format!("{unit} was started") } else { String::new() })
    }
}

/// The state of a unit, as systemctl(1) says it.
fn state(unit: &str, tools: &dyn Tools) -> Result<String, Failure> {
    let argv = ["systemctl", "show", "--property=ActiveState", "--value", "--", unit];
    Ok(well(tools, &argv, "")?.out.trim().to_owned())
}

/// Starts a unit; false where it runs, or is about to.
pub(super) fn start(unit: &str, tools: &dyn Tools) -> Result<bool, Failure> {
    if !tools.has_services() || matches!(state(unit, tools)?.as_str(), "active" | "activating" | "reloading")
    {
        return Ok(false);
    }
    // One that has died too often is not started without it; one that has not is none the worse.
    well(tools, &["systemctl", "reset-failed", "--", unit], "").ok();
    well(tools, &["systemctl", "start", "--", unit], "").map(|_| true)
}
