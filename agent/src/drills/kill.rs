//! The fault `kill`: processes get a signal.

use super::fault::{Cannot, Fault};
use super::tools::{Process, Signal, Tools};
use crate::kind::Listed;
use model::{Failure, Gather, Problem, Repair};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Processes of a name get a signal. `kill = "nginx"` is short for `kill = { process = "nginx" }`. Taken back, those that hang go on, and a
/// service that does not run any more is started.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Kill {
    /// The kernel's name for the process, of which it keeps 15 bytes: what `ps -o comm` shows. All of the name get it.
    process: String,
    /// `KILL`, `TERM`, `SEGV`, or `STOP`: it hangs.
    #[serde(default)]
    signal: Signal,
}

/// What got it.
#[derive(Debug, Serialize, Deserialize)]
pub struct Note {
    signal: Signal,
    processes: Vec<Process>,
    /// The services that they belong to, and what runs and does not without those.
    #[serde(default)]
    units: Vec<String>,
}

/// As many bytes of a name the kernel keeps (proc_pid_comm(5)).
const COMM: usize = 15;

/// Nobody could take back what happens without these, or reach the host. At most 15 bytes of each, as the kernel has them.
const NEEDED: [&str; 10] = [
    "systemd",
    "init",
    "dbus-daemon",
    "dbus-broker",
    "systemd-network",
    "dropbear",
    "NetworkManager",
    "dhclient",
    "boot",
    "keel-agent",
];

impl Listed for Kill {
    const NAME: &'static str = "kill";
    const SHORT: &'static str = "process";
    const EXAMPLE: &'static str = "[drill.web-dies]\nkill   = \"nginx\"\nsees   = []             # systemd is quicker than any check\nrepair = \"itself\"\nwithin = \"10s\"\n\n[drill.web-hangs]\nkill   = { process = \"nginx\", signal = \"STOP\" }\nsees   = \"drift\"\nrepair = \"undo\"\n";

    fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        let name = self.process.as_str();
        if name.is_empty() || name.len() > COMM || name.contains(['/', '\n']) {
            let problem = Problem::at("process", format!("`{name}` is no name of a process"));
            problems.push(problem.help("`ps -eo comm` lists them: at most 15 bytes, without a directory"));
        }
        if name.starts_with("sshd") || NEEDED.contains(&name) {
            let problem = Problem::at("process", format!("`{name}` is needed to end the drill"));
            problems.push(problem.help("kill another one"));
        }
        if self.signal == Signal::Cont {
            let problem = Problem::at("signal", "`CONT` is what ends a `STOP`");
            problems.push(problem.help("there is KILL, TERM, SEGV and STOP"));
        }
        problems
    }
}

impl Fault for Kill {
    const REPAIR: Repair = Repair::Itself;
    type Note = Note;

    fn prepare(&self, tools: &dyn Tools) -> Result<Note, Cannot> {
        let found = tools.processes()?;
        let processes: Vec<Process> = found.into_iter().filter(|one| one.name == self.process).collect();
        if processes.is_empty() {
            let why = format!("no process is called {}", self.process);
            return Err(match tools.has_services() {
                true => Failure::refused(why, "`ps -eo comm` lists what runs").into(),
                false => Cannot::Here(format!("{why}: no service manager runs here to start one")),
            });
        }
        let units: BTreeSet<&str> = processes.iter().map(|one| one.unit.as_str()).gather();
        let units = super::stop::with_those_on(units.into_iter().filter(|unit| !unit.is_empty()), tools)?;
        Ok(Note { signal: self.signal, processes, units })
    }

    fn inject(&self, note: &Note, tools: &dyn Tools) -> Result<String, Cannot> {
        let mut hit = Vec::new();
        for process in &note.processes {
            // Workers go with their master.
            if tools.signal(process, self.signal)? {
                hit.push(process.pid.to_string());
            }
        }
        if hit.is_empty() {
            return Err(Failure::refused(format!("all of {} had ended", self.process), "try again").into());
        }
        let signal = format!("{:?}", self.signal).to_uppercase();
        Ok(format!("SIG{signal} to {}, process {}", self.process, hit.join(", ")))
    }

    fn undo(note: &Note, tools: &dyn Tools) -> Result<String, Failure> {
        let mut done = Vec::new();
        if note.signal == Signal::Stop {
            for process in &note.processes {
                if tools.signal(process, Signal::Cont)? {
                    done.push(format!("process {} goes on", process.pid));
                }
            }
        }
        done.extend(super::stop::start(&note.units, tools)?);
        Ok(done.join(", "))
    }
}
