//! Which functions a program runs, each counted once: a breakpoint at the first byte of each, which goes when it is reached, so that all
//! else runs as fast as ever (ptrace(2)). It changes nothing but the memory of what it watches; what the names are for, `list` says.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::os::unix::fs::FileExt;

use anyhow::{Context, Result};
use nix::sys::ptrace::{self, Event, Options};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

use super::map::Function;

/// `int3`.
const BREAKPOINT: u8 = 0xcc;

/// Watches a process that has stopped itself and is about to become a program with these functions, to its end: those it ran.
///
/// # Errors
/// It may not be watched.
pub fn functions(process: i32, all: &[Function]) -> Result<BTreeSet<Function>> {
    let process = Pid::from_raw(process);
    let options = Options::PTRACE_O_TRACECLONE
        | Options::PTRACE_O_TRACEFORK
        | Options::PTRACE_O_TRACEVFORK
        | Options::PTRACE_O_TRACEEXEC
        | Options::PTRACE_O_EXITKILL;
    ptrace::seize(process, options).with_context(|| format!("cannot watch process {process}"))?;
    kill(process, Signal::SIGCONT)?;
    let mut program = None;
    loop {
        match waitpid(None, Some(WaitPidFlag::__WALL))? {
            WaitStatus::Exited(who, _) | WaitStatus::Signaled(who, ..) if who == process => {
                return Ok(program.map(|program: Program| program.ran).unwrap_or_default());
            }
            WaitStatus::PtraceEvent(who, _, event) if event == Event::PTRACE_EVENT_EXEC as i32 => {
                // What it starts is another program.
                if who != process || program.is_some() {
                    ptrace::detach(who, None)?;
                    continue;
                }
                program = Some(Program::marked(process, all)?);
                resume(who, None)?;
            }
            WaitStatus::Stopped(who, Signal::SIGTRAP) if program.is_some() => {
                let reached = program.as_mut().map(|program| program.reached(who)).transpose()?;
                resume(who, if reached == Some(true) { None } else { Some(Signal::SIGTRAP) })?;
            }
            WaitStatus::Stopped(who, signal) => resume(who, Some(signal))?,
            WaitStatus::PtraceEvent(who, ..) => resume(who, None)?,
            _ => {}
        }
    }
}

/// One that died meanwhile has nothing to resume.
fn resume(who: Pid, signal: Option<Signal>) -> Result<()> {
    match ptrace::cont(who, signal) {
        Ok(()) | Err(nix::errno::Errno::ESRCH) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// A program with breakpoints in it.
struct Program {
    /// By address: what stood there, and the functions.
    marks: BTreeMap<u64, (u8, Vec<Function>)>,
    ran: BTreeSet<Function>,
}

impl Program {
    fn marked(process: Pid, all: &[Function]) -> Result<Self> {
        let maps = std::fs::read_to_string(format!("/proc/{process}/maps"))?;
        // Its own first page is the first of all (proc_pid_maps(5)).
        let start = maps.split('-').next().and_then(|start| u64::from_str_radix(start, 16).ok());
        let start = start.context("a process without memory")?;
        let memory = memory(process)?;
        let mut marks = BTreeMap::new();
        for function in all {
            let address = start + function.address;
            // Functions that are the same byte by byte may share a place.
            let (_, here) = match marks.entry(address) {
                Entry::Occupied(mark) => mark.into_mut(),
                Entry::Vacant(place) => {
                    let mut byte = [0];
                    memory.read_exact_at(&mut byte, address)?;
                    memory.write_all_at(&[BREAKPOINT], address)?;
                    place.insert((byte[0], Vec::new()))
                }
            };
            here.push(function.clone());
        }
        Ok(Self { marks, ran: BTreeSet::new() })
    }

    /// Takes away the breakpoint that a thread has come to; false where there was none.
    fn reached(&mut self, thread: Pid) -> Result<bool> {
        let mut registers = ptrace::getregs(thread)?;
        let address = registers.rip.wrapping_sub(1);
        let Some((byte, here)) = self.marks.get(&address) else { return Ok(false) };
        // A process that is about to become another program has memory of its own, with the same breakpoints.
        memory(thread)?.write_all_at(&[*byte], address)?;
        self.ran.extend(here.iter().cloned());
        registers.rip = address;
        ptrace::setregs(thread, registers)?;
        Ok(true)
    }
}

fn memory(process: Pid) -> Result<File> {
    let path = format!("/proc/{process}/mem");
    File::options().read(true).write(true).open(&path).with_context(|| format!("cannot open {path}"))
}
