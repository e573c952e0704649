//! Runs the program under ptrace(2) and counts the system calls that write to the scratch host or its state, over all threads in
//! the order in which they happen: strace's own injection counts each thread for itself. The n-th can be the last, or fail.

use crate::scratch::{Ran, Scratch};
use nix::sys::ptrace::{self, Options};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use std::collections::BTreeMap;
use std::fs::File;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What befalls the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    None,
    /// It is dead before this call is made.
    Kill(u64),
    /// This call is not made, and says that it failed with this errno.
    Fail(u64, i32),
}

/// A system call that writes.
#[derive(Clone, Debug)]
pub struct Call {
    /// Its name.
    pub name: &'static str,
    /// What it writes to.
    pub path: PathBuf,
    /// The new name, of a rename or link.
    pub to: Option<PathBuf>,
    /// The inode, where there is one already.
    pub inode: Option<u64>,
    /// What is written.
    pub bytes: Vec<u8>,
    /// How many calls had begun when it ended; none begins after what never ended.
    pub ended: usize,
}

/// A run that was watched.
pub struct Traced {
    pub ran: Ran,
    /// All calls that it came to, the one that was hurt the last or among them.
    pub calls: Vec<Call>,
    /// The one that was hurt.
    pub hurt: Option<Call>,
    /// Those after it.
    pub after: Vec<Call>,
}

/// Runs `verb` on the scratch host.
pub fn traced(scratch: &Scratch, verb: &str, more: &[&str], fault: Fault) -> Traced {
    let [out, err] = ["traced.out", "traced.err"].map(|name| scratch.root().join(name));
    let file = |path: &Path| Stdio::from(File::create(path).expect("made"));
    let mut command = Command::new("sh");
    // It waits until it is watched.
    command.args(["-c", r#"kill -STOP $$; exec "$0" "$@""#, env!("CARGO_BIN_EXE_keel")]);
    command.args(scratch.arguments(verb, more)).current_dir(scratch.root()).env_clear();
    command.env("HOME", scratch.root()).env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
    let mut child = command.stdin(Stdio::null()).stdout(file(&out)).stderr(file(&err)).spawn().expect("sh");
    let pid = Pid::from_raw(i32::try_from(child.id()).expect("a process number"));
    let mut tracer = Tracer { root: scratch.root().to_owned(), fault, ..Tracer::default() };
    let code = tracer.follow(pid);
    // Its end has been seen already.
    drop(child.try_wait());
    let text = |path: &Path| std::fs::read_to_string(path).expect("UTF-8");
    let ran = Ran { code, out: text(&out), err: text(&err) };
    let hurt = tracer.hurt.and_then(|at| tracer.calls.get(at).cloned());
    let after = tracer.hurt.map_or(Vec::new(), |at| tracer.calls[at + 1..].to_vec());
    Traced { ran, calls: tracer.calls, hurt, after }
}

struct Tracer {
    root: PathBuf,
    fault: Fault,
    /// True once it is the program, and no longer the shell.
    started: bool,
    /// Threads that are inside a call.
    inside: BTreeMap<Pid, Inside>,
    calls: Vec<Call>,
    hurt: Option<usize>,
}

/// A call that has begun.
#[derive(Clone, Copy, Default)]
struct Inside {
    /// The errno that it will end with.
    errno: Option<i32>,
    /// Its place among the calls that write, if it is one.
    at: Option<usize>,
}

impl Default for Tracer {
    fn default() -> Self {
        let inside = BTreeMap::new();
        Self {
            root: PathBuf::new(),
            fault: Fault::None,
            started: false,
            inside,
            calls: Vec::new(),
            hurt: None,
        }
    }
}

impl Tracer {
    /// Follows all threads to the end of the process. Its exit code.
    fn follow(&mut self, pid: Pid) -> i32 {
        waitpid(pid, Some(WaitPidFlag::WUNTRACED)).expect("the shell stops");
        let options = Options::PTRACE_O_TRACESYSGOOD
            | Options::PTRACE_O_TRACECLONE
            | Options::PTRACE_O_TRACEEXEC
            | Options::PTRACE_O_EXITKILL;
        ptrace::seize(pid, options).expect("root may");
        kill(pid, Signal::SIGCONT).expect("it is there");
        // Other tests' children are not ours to reap.
        let flags = WaitPidFlag::__WALL | WaitPidFlag::__WNOTHREAD;
        loop {
            match waitpid(None, Some(flags)).expect("there is somebody to wait for") {
                WaitStatus::Exited(who, code) if who == pid => return code,
                WaitStatus::Signaled(who, signal, _) if who == pid => return 128 + signal as i32,
                WaitStatus::PtraceSyscall(thread) => {
                    self.call(thread);
                    resume(thread, None);
                }
                WaitStatus::PtraceEvent(thread, _, event) => {
                    self.started |= event == ptrace::Event::PTRACE_EVENT_EXEC as i32;
                    resume(thread, None);
                }
                WaitStatus::Stopped(thread, signal) => resume(thread, Some(signal)),
                _ => {}
            }
        }
    }

    fn call(&mut self, thread: Pid) {
        // A thread that was killed meanwhile has no registers.
        let Ok(mut regs) = ptrace::getregs(thread) else { return };
        if let Some(Inside { errno, at }) = self.inside.remove(&thread) {
            if let Some(at) = at {
                self.calls[at].ended = self.calls.len();
            }
            if let Some(errno) = errno {
                regs.rax = (-i64::from(errno)).cast_unsigned();
                ptrace::setregs(thread, regs).expect("it is stopped");
            }
            return;
        }
        self.inside.insert(thread, Inside::default());
        let arguments = [regs.rdi, regs.rsi, regs.rdx, regs.r10];
        let Some(call) = self.started.then(|| self.look(thread, regs.orig_rax, arguments)).flatten() else {
            return;
        };
        self.inside.insert(thread, Inside { errno: None, at: Some(self.calls.len()) });
        self.calls.push(call);
        let number = self.calls.len() as u64;
        match self.fault {
            Fault::Kill(at) if at == number => {
                self.hurt = Some(self.calls.len() - 1);
                kill(thread, Signal::SIGKILL).expect("it is there");
            }
            Fault::Fail(at, errno) if at == number => {
                self.hurt = Some(self.calls.len() - 1);
                regs.orig_rax = u64::MAX;
                ptrace::setregs(thread, regs).expect("it is stopped");
                self.inside.insert(thread, Inside { errno: Some(errno), at: None });
            }
            _ => {}
        }
    }

    /// The call, if it writes to something below the root. Numbers are those of x86-64.
    fn look(&self, thread: Pid, number: u64, [a, b, c, d]: [u64; 4]) -> Option<Call> {
        let of = Thread(thread);
        let (name, path, to) = match number {
            257 if c & CREATE != 0 => ("openat", of.at(a, b)?, None),
            437 if of.word(c)? & CREATE != 0 => ("openat2", of.at(a, b)?, None),
            1 | 18 | 20 if a > 2 => ("write", of.open(a)?, None),
            74 => ("fsync", of.open(a)?, None),
            75 => ("fdatasync", of.open(a)?, None),
            77 => ("ftruncate", of.open(a)?, None),
            285 => ("fallocate", of.open(a)?, None),
            91 => ("fchmod", of.open(a)?, None),
            93 => ("fchown", of.open(a)?, None),
            190 => ("fsetxattr", of.open(a)?, None),
            199 => ("fremovexattr", of.open(a)?, None),
            82 | 86 => (NAMES[usize::from(number == 86)], of.at(HERE, a)?, Some(of.at(HERE, b)?)),
            264 | 316 => ("renameat", of.at(a, b)?, Some(of.at(c, d)?)),
            265 => ("linkat", of.at(a, b)?, Some(of.at(c, d)?)),
            266 => ("symlinkat", of.at(b, c)?, None),
            263 => ("unlinkat", of.at(a, b)?, None),
            258 => ("mkdirat", of.at(a, b)?, None),
            259 => ("mknodat", of.at(a, b)?, None),
            268 | 452 => ("fchmodat", of.at(a, b)?, None),
            260 => ("fchownat", of.at(a, b)?, None),
            83 | 84 | 87 | 90 | 92 | 94 | 188 | 189 | 197 | 198 => ("by path", of.at(HERE, a)?, None),
            _ => return None,
        };
        if !path.starts_with(&self.root) {
            return None;
        }
        let inode = std::fs::symlink_metadata(&path).ok().map(|meta| meta.ino());
        let bytes = if matches!(number, 1 | 18) { of.bytes(b, c)? } else { Vec::new() };
        Some(Call { name, path, to, inode, bytes, ended: usize::MAX })
    }
}

const NAMES: [&str; 2] = ["rename", "link"];
const CREATE: u64 = 0o100;
/// AT_FDCWD.
const HERE: u64 = (-100_i64).cast_unsigned();

fn resume(thread: Pid, signal: Option<Signal>) {
    // It may have died of somebody else's doing: then there is nobody to resume.
    let resumed = ptrace::syscall(thread, signal);
    assert!(matches!(resumed, Ok(()) | Err(nix::errno::Errno::ESRCH)), "{resumed:?}");
}

/// The memory and the descriptors of a thread that is stopped.
struct Thread(Pid);

impl Thread {
    fn open(&self, descriptor: u64) -> Option<PathBuf> {
        std::fs::read_link(format!("/proc/{}/fd/{descriptor}", self.0)).ok()
    }

    /// The path that a descriptor of a directory and the name at `address` make.
    fn at(&self, directory: u64, address: u64) -> Option<PathBuf> {
        let bytes = self.bytes(address, 4096)?;
        let name = bytes.split(|byte| *byte == 0).next()?;
        let name = PathBuf::from(String::from_utf8(name.to_vec()).ok()?);
        if let Ok(descriptor) = name.strip_prefix("/proc/self/fd") {
            return self.open(descriptor.to_str()?.parse().ok()?);
        }
        if name.is_absolute() {
            return Some(name);
        }
        // The upper half of the register is not part of the number.
        let here = u32::try_from(directory & 0xffff_ffff).ok()? == (HERE & 0xffff_ffff) as u32;
        let base = if here {
            std::fs::read_link(format!("/proc/{}/cwd", self.0)).ok()
        } else {
            self.open(directory)
        };
        let base = base?;
        Some(if name.as_os_str().is_empty() { base } else { base.join(name) })
    }

    fn word(&self, address: u64) -> Option<u64> {
        Some(u64::from_le_bytes(self.bytes(address, 8)?.try_into().ok()?))
    }

    /// Up to `most` bytes: less where the memory ends before.
    fn bytes(&self, address: u64, most: u64) -> Option<Vec<u8>> {
        let memory = File::open(format!("/proc/{}/mem", self.0)).ok()?;
        let mut bytes = vec![0; usize::try_from(most).ok()?];
        let count = memory.read_at(&mut bytes, address).ok()?;
        bytes.truncate(count);
        Some(bytes)
    }
}
