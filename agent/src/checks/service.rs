//! The subject `service`: whether a unit runs, and whether it starts with the host.

use super::ground::Ground;
use super::subject::Subject;
use crate::kind::Listed;
use crate::system::is_running;
use model::{Failure, Problem, Shortfall, Thing};
use schemars::JsonSchema;
use serde::Deserialize;

/// A unit of systemd. `service = "nginx"` is short for `service = { name = "nginx" }`: it runs.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Service {
    /// Its name; `.service` unless it has another suffix.
    name: String,
    /// Whether it runs. A unit that is not there does not; one that is still starting neither runs nor does not.
    #[serde(default = "yes")]
    running: bool,
    /// Whether it is started with the host; either is well, unless said. Of a unit that is static or generated it cannot be told.
    enabled: Option<bool>,
}

fn yes() -> bool {
    true
}

/// Whether a unit is there to be used, by its `ActiveState` (systemctl(1)).
fn is_up(active: &str) -> bool {
    is_running(active) && active != "activating"
}

/// The suffixes of units (systemd.unit(5)).
const SUFFIXES: [&str; 11] = [
    ".service",
    ".socket",
    ".target",
    ".timer",
    ".mount",
    ".path",
    ".device",
    ".automount",
    ".swap",
    ".slice",
    ".scope",
];

impl Service {
    /// The unit's name with its suffix.
    pub fn unit(&self) -> String {
        match SUFFIXES.iter().any(|suffix| self.name.ends_with(suffix)) {
            true => self.name.clone(),
            false => format!("{}.service", self.name),
        }
    }
}

impl Listed for Service {
    const NAME: &'static str = "service";
    const SHORT: &'static str = "name";
    const EXAMPLE: &'static str = "[check.nginx-runs]\nservice = \"nginx\"\n\n[check.backup-comes]\nservice = { name = \"backup.timer\", enabled = true }\n\n[check.no-cups]\nservice = { name = \"cups\", running = false }\n";

    fn problems(&self) -> Vec<Problem> {
        let bad = self.name.is_empty() || self.name.contains(char::is_whitespace);
        let problem = || Problem::at("name", format!("`{}` is no name of a unit", self.name));
        if bad { vec![problem().help("write it as systemctl does: \"nginx\"")] } else { Vec::new() }
    }
}

impl Subject for Service {
    fn things(&self) -> Vec<Thing> {
        vec![Thing::Unit(self.unit())]
    }

    fn look(&self, ground: &Ground<'_>) -> Result<Vec<Shortfall>, Failure> {
        let name = self.unit();
        let unit = ground.system()?.unit(&name)?;
        let (active, file) = match &unit {
            Some(unit) => (unit.active.as_str(), unit.file.as_str()),
            None => ("not there", "not there"),
        };
        let mut short = Vec::new();
        // One that is about to start has not started: it may never come to it.
        let is_so = if self.running { is_up(active) } else { !is_running(active) };
        if !is_so {
            let wanted = if self.running { "running" } else { "not running" };
            short.push(Shortfall::new(&name, wanted, active));
        }
        // Links of its own say it (systemctl(1), "is-enabled"). What starts one without them is said elsewhere.
        let is_told = !matches!(file, "static" | "generated" | "transient");
        if self.enabled.is_some() && !is_told && short.is_empty() {
            let why = format!("it is {file}: nothing says whether it is started with the host");
            return Err(Failure::unknown(name, why));
        }
        let is_enabled = matches!(file, "enabled" | "indirect" | "alias");
        if let Some(wanted) = self.enabled.filter(|wanted| is_told && *wanted != is_enabled) {
            let wanted = if wanted { "enabled" } else { "not enabled" };
            short.push(Shortfall::new(&name, wanted, if file.is_empty() { "no unit file" } else { file }));
        }
        Ok(short)
    }
}
