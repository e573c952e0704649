//! What makes this machine have an agent, as a catalog like any other: installing is applying it, and a second time changes nothing.

use agent::detached::quoted;
use daemon::settings::ALLOWED;
use model::{Catalog, CatalogError, Common, Digest, Edge, EdgeKind, Id, Node};
use serde_json::{Value, json};
use std::path::Path;
use wire::Terms;

/// Which resources of other catalogs are told from these.
pub const SCOPE: &str = "the agent of this host";

/// How these catalogs are applied: each names what it is about, and what an earlier one has put there besides stays, as settings and
/// signers do that are not said again.
pub fn part() -> Terms {
    Terms { is_part: true, ..Terms::default() }
}

/// When the agent runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Runs {
    /// All the time: it watches.
    Always,
    /// By a timer, each time once.
    ByTimer {
        /// How often, in seconds.
        every: u64,
    },
}

pub(super) const SERVICE: &str = "evenkeel-agent.service";
const TIMER: &str = "evenkeel-agent.timer";
/// What is run in place of an agent without settings.
const UNSAID: &str = "echo 'no agent was set up here before: say where the catalog comes from, --source PLACE and --name SITE' >&2; exit 1";
/// True of a service that runs all the time: at boot, or now. One that a timer starts is enabled by nobody, and is never more than on its way.
const ALL_THE_TIME: &str = "test -L /etc/systemd/system/multi-user.target.wants/evenkeel-agent.service || systemctl is-active --quiet evenkeel-agent.service";
/// Where an administrator's units are (systemd.unit(5)).
pub(super) const UNITS: &str = "/etc/systemd/system";

/// What stands on the host already.
#[derive(Clone, Copy, Debug)]
pub enum There {
    /// It was looked for.
    Known {
        /// The unit of the service.
        service: bool,
        /// The unit of the timer.
        timer: bool,
    },
    /// It is for the host to say.
    Unknown,
}

impl There {
    /// As it is now on this machine.
    pub fn now() -> Self {
        let is = |name: &str| Path::new(UNITS).join(name).exists();
        Self::Known { service: is(SERVICE), timer: is(TIMER) }
    }

    /// What stops the unit, if it is there.
    fn off(self, name: &str) -> Option<Node> {
        match self {
            Self::Known { service, timer } => {
                let is_there = if name == SERVICE { service } else { timer };
                // What a timer starts has no place of its own at boot.
                let is_by_timer = name == SERVICE && timer;
                let mut off = json!({ "running": false });
                if !is_by_timer {
                    off["enabled"] = Value::Bool(false);
                }
                is_there.then(|| node("service", name, off))
            }
            Self::Unknown => {
                let command = json!(["systemctl", "disable", "--quiet", "--now", name]);
                let only = json!(["test", "-e", format!("{UNITS}/{name}")]);
                Some(node("exec", &format!("{name} off"), json!({ "command": command, "onlyif": only })))
            }
        }
    }
}

/// The program, where it is brought to the host.
#[derive(Clone, Copy, Debug)]
pub struct Brought {
    /// Its digest.
    pub digest: Digest,
    /// Its bytes.
    pub size: u64,
}

/// What an agent is made of.
pub struct Parts<'a> {
    /// The program that it runs.
    pub program: &'a Path,
    /// The same, where it is not there by itself.
    pub brought: Option<Brought>,
    /// The text of its settings; `None` where those that are there stay.
    pub settings: Option<&'a str>,
    /// Where they stand.
    pub path: &'a Path,
    /// Who may sign bundles, where that is said.
    pub signers: Option<&'a str>,
}

/// A host with an agent.
pub fn installed(parts: &Parts<'_>, runs: Runs, there: There) -> Result<Catalog, CatalogError> {
    let Parts { program, brought, settings, path, signers } = parts;
    let mut nodes = Vec::new();
    if settings.is_none() {
        let path = path.to_str();
        nodes.push(node("exec", "settings of the agent", json!({ "shell": UNSAID, "creates": path })));
    }
    nodes.push(node("directory", "/etc/evenkeel", json!({ "mode": "0755" })));
    nodes.extend(brought.map(|brought| program_node(program, brought)));
    nodes.extend(signers.map(|text| node("file", ALLOWED, json!({ "content": text, "mode": "0644" }))));
    let path_name = path.display().to_string();
    nodes.extend(settings.map(|text| node("file", &path_name, json!({ "content": text, "mode": "0600" }))));
    nodes.push(node("systemd_unit", SERVICE, json!({ "content": service(program, path, runs) })));
    match runs {
        Runs::Always => {
            if !matches!(there, There::Known { timer: false, .. }) {
                nodes.extend(there.off(TIMER));
                nodes.push(node("systemd_unit", TIMER, json!({ "ensure": "absent" })));
            }
            nodes.push(node("service", SERVICE, json!({ "running": true, "enabled": true })));
        }
        Runs::ByTimer { every } => {
            if !matches!(there, There::Known { service: false, .. }) {
                // It may be one that ran all the time. What the timer starts has no place of its own at boot.
                nodes.push(node(
                    "exec",
                    "evenkeel-agent by timer",
                    json!({
                        "command": ["systemctl", "disable", "--now", SERVICE],
                        "onlyif": ["sh", "-c", ALL_THE_TIME],
                    }),
                ));
            }
            nodes.push(node("systemd_unit", TIMER, json!({ "content": timer(every) })));
            nodes.push(node("service", TIMER, json!({ "running": true, "enabled": true })));
        }
    }
    in_turn(nodes)
}

/// The program itself. One that cannot run there is not put in place.
fn program_node(program: &Path, Brought { digest, size }: Brought) -> Node {
    let content = json!({ "$blob": [digest.to_string(), size] });
    let whole = json!({
        "content": content,
        "owner": "root",
        "group": "root",
        "mode": "0755",
        "validate": ["{{ path }}", "--version"],
    });
    node("file", &program.display().to_string(), whole)
}

/// A host without one. `program` was brought for it.
pub fn uninstalled(path: &Path, program: Option<&Path>, there: There) -> Result<Catalog, CatalogError> {
    let mut nodes = Vec::new();
    for name in [TIMER, SERVICE] {
        nodes.extend(there.off(name));
        nodes.push(node("systemd_unit", name, json!({ "ensure": "absent" })));
    }
    for path in std::iter::once(path).chain(program) {
        nodes.push(node("file", &path.display().to_string(), json!({ "ensure": "absent" })));
    }
    in_turn(nodes)
}

fn node(kind: &str, name: &str, params: Value) -> Node {
    Node { id: Id::new(kind, name), origins: Vec::new(), params, common: Common::default() }
}

/// One after the other; what runs is told of what came before it.
fn in_turn(nodes: Vec<Node>) -> Result<Catalog, CatalogError> {
    let tells = |from: &Node, to: &Node| {
        let is_on = to.params.get("running") == Some(&Value::Bool(true));
        to.id.kind() == "service" && is_on && matches!(from.id.kind(), "file" | "systemd_unit")
    };
    let mut edges = Vec::new();
    for to in 1..nodes.len() {
        for from in 0..to {
            let kind = if tells(&nodes[from], &nodes[to]) { EdgeKind::Notify } else { EdgeKind::Require };
            if from + 1 == to || kind == EdgeKind::Notify {
                edges.push(Edge { from, to, kind, because: "agent install".to_owned() });
            }
        }
    }
    Catalog::new(nodes, edges)
}

pub(super) fn service(program: &Path, path: &Path, runs: Runs) -> String {
    let word = |path: &Path| quoted(path.as_os_str()).unwrap_or_default();
    let (program, path) = (word(program), word(path));
    let start = match runs {
        Runs::Always => format!(
            "Type=exec\nExecStart={program} agent run --settings {path}\nExecReload=kill -HUP $MAINPID\n\
             Restart=always\nRestartSec=2\n\
             # A run comes to a safe point first.\nKillMode=mixed\nTimeoutStopSec=15min\n"
        ),
        Runs::ByTimer { .. } => format!(
            "Type=oneshot\nExecStart={program} agent run --once --settings {path}\n\
             # What is only observed is no failure.\nSuccessExitStatus=2 6\n"
        ),
    };
    let install = match runs {
        Runs::Always => "\n[Install]\nWantedBy=multi-user.target\n",
        Runs::ByTimer { .. } => "",
    };
    let reach = "# Keys of a bucket, a proxy: what a place of bundles is reached with.\nEnvironmentFile=-/etc/evenkeel/agent.env\n";
    format!(
        "# `keel agent install` put this here, and `keel agent uninstall` takes it away.\n\
         [Unit]\nDescription=Evenkeel keeps this host even\n\
         # However often it has ended, it is started again.\nStartLimitIntervalSec=0\n\n[Service]\n{start}{reach}\
         # One heap, whose end goes back to the system: it waits for days with nothing to do.\n\
         Environment=MALLOC_ARENA_MAX=1 MALLOC_TRIM_THRESHOLD_=65536 MALLOC_MMAP_THRESHOLD_=65536\n{install}"
    )
}

fn timer(every: u64) -> String {
    format!(
        "# `keel agent install` put this here, and `keel agent uninstall` takes it away.\n\
         [Unit]\nDescription=Evenkeel looks at this host\n\n[Timer]\nOnBootSec=2min\nOnUnitActiveSec={every}s\n\
         # Hosts are spread over the time, and each stays where it is.\n\
         RandomizedDelaySec={every}s\nFixedRandomDelay=true\n\n[Install]\nWantedBy=timers.target\n"
    )
}
