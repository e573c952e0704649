//! The subject `process`: how many processes of a program there are.

use super::ground::Ground;
use super::subject::Subject;
use crate::kind::Listed;
use crate::system::{Accounts, EntryKind, Look, System};
use model::{Failure, HostPath, Principal, Problem, Shortfall};
use schemars::JsonSchema;
use serde::Deserialize;
use std::ffi::OsString;

/// Processes of a program. `process = "nginx"` is short for `process = { name = "nginx" }`: there is one at least.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Process {
    /// The program's name: the kernel's for the process, of which it keeps 15 bytes, or the last part of the first argument.
    name: Option<String>,
    /// In place of `name`: the path of the program.
    exe: Option<HostPath>,
    /// Just so many.
    count: Option<u64>,
    /// At least so many; 1 unless said.
    min: Option<u64>,
    /// At most so many.
    max: Option<u64>,
    /// Who runs them, by name or number; others do not count.
    user: Option<Principal>,
}

/// As many bytes of a name the kernel keeps (proc_pid_comm(5)).
const COMM: usize = 15;

impl Listed for Process {
    const NAME: &'static str = "process";
    const SHORT: &'static str = "name";
    const EXAMPLE: &'static str = "[check.one-master]\nprocess = { name = \"nginx\", user = \"root\", count = 1 }\n\n[check.workers]\nprocess = { exe = \"/usr/sbin/nginx\", user = \"www-data\", min = 2 }\n";

    fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        if self.name.is_some() == self.exe.is_some() {
            problems
                .push(Problem::whole("a process is known by `name` or by `exe`").help("give one of the two"));
        }
        if self.count.is_some() && (self.min.is_some() || self.max.is_some()) {
            problems.push(Problem::at("count", "`count` says all").help("leave out `min` and `max`"));
        }
        problems
    }
}

impl Subject for Process {
    fn look(&self, ground: &Ground<'_>) -> Result<Vec<Shortfall>, Failure> {
        let system = ground.system()?;
        let accounts = system.accounts()?;
        let mut found = 0;
        for pid in system.list(&path("/proc")?)? {
            if pid.as_encoded_bytes().iter().all(u8::is_ascii_digit)
                && self.is_meant(system, &accounts, &pid)?
            {
                found += 1;
            }
        }
        let min = self.count.or(self.min).unwrap_or(if self.max.is_some() { 0 } else { 1 });
        let max = self.count.or(self.max).unwrap_or(u64::MAX);
        if (min..=max).contains(&found) {
            return Ok(Vec::new());
        }
        let wanted = match (min, max) {
            (min, max) if min == max => min.to_string(),
            (min, u64::MAX) => format!("at least {min}"),
            (0, max) => format!("at most {max}"),
            (min, max) => format!("{min} to {max}"),
        };
        Ok(vec![Shortfall::new("processes", wanted, found)])
    }
}

impl Process {
    fn is_meant(&self, system: &dyn System, accounts: &Accounts, pid: &OsString) -> Result<bool, Failure> {
        let own = path("/proc")?.join(pid);
        // Of one that ended meanwhile nothing is there any more.
        let Some(entry) = system.look(&own, Look::Bare)? else { return Ok(false) };
        if let Some(user) = &self.user
            && accounts.uid(user) != Some(entry.uid)
        {
            return Ok(false);
        }
        let read = |file: &str| gone(system.read(&own.join(file.as_ref()), 4 << 20));
        if let Some(exe) = &self.exe {
            let Some(link) = gone(system.look(&own.join("exe".as_ref()), Look::Bare))?.flatten() else {
                return Ok(false);
            };
            let EntryKind::Symlink { target } = &link.kind else { return Ok(false) };
            // A program that was replaced while it runs is `PATH (deleted)` (proc_pid_exe(5)).
            return Ok(target.strip_suffix(" (deleted)").unwrap_or(target) == exe.to_string());
        }
        let Some(name) = self.name.as_deref().map(str::as_bytes) else { return Ok(false) };
        if read("stat")?.is_some_and(|stat| has_ended(&stat)) {
            return Ok(false);
        }
        let comm = read("comm")?.unwrap_or_else(Vec::new);
        if comm.trim_ascii_end() == name.get(..COMM).unwrap_or(name) && name.len() <= COMM {
            return Ok(true);
        }
        let line = read("cmdline")?.unwrap_or_else(Vec::new);
        let program = line.split(|byte| *byte == 0).next().unwrap_or(&[]);
        Ok(program.rsplit(|byte| *byte == b'/').next() == Some(name))
    }
}

/// Whether nobody has asked yet how it ended, by `PID (NAME) STATE …` (proc_pid_stat(5)): it has a name until then, and does nothing.
fn has_ended(stat: &[u8]) -> bool {
    let after_name = stat.rsplit(|byte| *byte == b')').next().unwrap_or(&[]);
    matches!(after_name.trim_ascii_start().first(), Some(b'Z' | b'X'))
}

/// A process that ends while it is looked at is none. The kernel says so with ESRCH or ENOENT.
fn gone<T>(read: Result<T, Failure>) -> Result<Option<T>, Failure> {
    match read {
        Ok(found) => Ok(Some(found)),
        Err(Failure::Missing { .. }) => Ok(None),
        Err(Failure::Io { message, .. })
            if message.contains("os error 3)") || message.contains("os error 2)") =>
        {
            Ok(None)
        }
        Err(failure) => Err(failure),
    }
}

fn path(text: &str) -> Result<HostPath, Failure> {
    HostPath::new(text).map_err(|why| Failure::unknown(text, why))
}
