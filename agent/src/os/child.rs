//! Starting another program, the only place where that happens: an argv and no shell, a cleared environment, a session of its own,
//! no terminal, capped output, a deadline, and the rights of the wanted user only.
//! It must not retry and must not judge an exit status; `pipes` carries the bytes while the child runs.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;

use model::{Failure, Secret};
use rustix::fs::Mode;
use rustix::process::{Gid, Signal, Uid, getegid, geteuid, set_parent_process_death_signal, setsid, umask};
use rustix::thread::{set_thread_groups, set_thread_res_gid, set_thread_res_uid};

use super::capture::{Cap, Capture, printable};
use super::error::show;
use super::pipes::{Ending, carry};
use super::tied::Tied;

/// Where programs are looked for, whatever the environment of the agent says.
pub const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Whom a child runs as: exactly these, no other group stays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunAs {
    /// User.
    pub uid: u32,
    /// Primary group.
    pub gid: u32,
    /// Supplementary groups.
    pub groups: Vec<u32>,
}

/// Whether the arguments may be shown in messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Echo {
    /// All of them.
    Arguments,
    /// Only the program; what it printed is kept out of messages too.
    Program,
}

/// Whether a child outlives its parent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bond {
    /// It may.
    Loose,
    /// It is killed when the thread that started it ends, however that comes (PR_SET_PDEATHSIG(2const)).
    Tied,
}

/// Where the standard output of a tied child goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outlet {
    /// To this process.
    Piped,
    /// Where that of this process goes.
    Inherited,
}

/// What to start, and how.
#[derive(Debug, Clone)]
pub struct Child {
    /// Program and arguments; the program is looked for in `PATH` unless it has a slash.
    pub argv: Vec<OsString>,
    /// Added to `PATH`, `LC_ALL`, `HOME`, `USER` and `LOGNAME`, or in their place.
    pub env: BTreeMap<OsString, OsString>,
    /// Working directory.
    pub cwd: PathBuf,
    /// What it reads; it always reads an end of file after that.
    pub stdin: Option<Secret<Vec<u8>>>,
    /// Whom it runs as; the agent's own user if `None`.
    pub user: Option<RunAs>,
    /// File mode creation mask.
    pub umask: u32,
    /// How long it may take.
    pub timeout: Duration,
    /// How much of each of its two outputs is kept.
    pub cap: Cap,
    /// What messages may show.
    pub echo: Echo,
}

/// How a child ended, and what it wrote.
#[derive(Debug, Clone)]
pub struct Output {
    /// Exit code or signal.
    pub status: ExitStatus,
    /// Standard output.
    pub stdout: Capture,
    /// Standard error.
    pub stderr: Capture,
    shown: String,
    echo: Echo,
}

impl Child {
    /// A child with the defaults: working directory `/`, no input, umask 022, ten minutes.
    pub fn new<I: IntoIterator<Item: Into<OsString>>>(argv: I) -> Self {
        Self {
            argv: argv.into_iter().map(Into::into).collect(),
            env: BTreeMap::new(),
            cwd: PathBuf::from("/"),
            stdin: None,
            user: None,
            umask: 0o022,
            timeout: Duration::from_secs(600),
            cap: Cap::default(),
            echo: Echo::Arguments,
        }
    }

    /// Runs it to its end.
    ///
    /// # Errors
    /// `Failure::Command` if it cannot be started, `Failure::Timeout` if it had to be killed. An exit status other than 0 is no error here.
    pub fn run(&self) -> Result<Output, Failure> {
        let mut child = self.command(Bond::Loose)?.spawn().map_err(|error| self.not_started(&error))?;
        let input = self.stdin.as_ref().map_or(&[][..], |bytes| bytes.expose());
        let carried = carry(&mut child, input, self.timeout, self.cap);
        let (ending, stdout, stderr) =
            carried.map_err(|error| self.failed(format!("could not be watched: {error}")))?;
        match ending {
            Ending::Exited(status) => {
                Ok(Output { status, stdout, stderr, shown: self.shown(), echo: self.echo })
            }
            Ending::TimedOut => {
                Err(Failure::Timeout { what: format!("`{}`", self.shown()), seconds: self.timeout.as_secs() })
            }
        }
    }

    /// Starts it and hands it back, to be talked with over its standard input and output. It is killed when the calling thread
    /// ends, and has an end of file on its input if that happens before it can be tied. Its errors go where ours go.
    ///
    /// # Errors
    /// `Failure::Command` if it cannot be started.
    pub fn start(&self, outlet: Outlet) -> Result<Tied, Failure> {
        let mut command = self.command(Bond::Tied)?;
        command.stdin(Stdio::piped()).stderr(Stdio::inherit());
        command.stdout(match outlet {
            Outlet::Piped => Stdio::piped(),
            Outlet::Inherited => Stdio::inherit(),
        });
        let child = command.spawn().map_err(|error| self.not_started(&error))?;
        Ok(Tied::new(child, self.shown()))
    }

    /// Starts it and lets it go: it outlives this process, and has no outputs.
    ///
    /// # Errors
    /// `Failure::Command` if it cannot be started.
    pub fn release(&self) -> Result<(), Failure> {
        let mut command = self.command(Bond::Loose)?;
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().map(|_| ()).map_err(|error| self.not_started(&error))
    }

    #[expect(clippy::disallowed_methods, reason = "the one place where a program is started")]
    fn command(&self, bond: Bond) -> Result<Command, Failure> {
        let Some((program, arguments)) = self.argv.split_first() else {
            return Err(self.failed("is empty: there is no program to run".to_owned()));
        };
        let mut command = Command::new(program);
        command.args(arguments).current_dir(&self.cwd).env_clear().env("PATH", PATH).env("LC_ALL", "C");
        if self.user.is_none() && geteuid().is_root() {
            command.envs([("HOME", "/root"), ("USER", "root"), ("LOGNAME", "root")]);
        }
        command.envs(&self.env).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.stdin(if self.stdin.is_some() { Stdio::piped() } else { Stdio::null() });
        let (mask, rights) = (self.umask, self.user.as_ref().and_then(Rights::to_drop_to));
        let prepare = move || prepare(mask, rights.as_ref(), bond);
        #[expect(unsafe_code, reason = "std has no safe way to set groups, umask and session of a child")]
        // SAFETY: between fork and exec only async-signal-safe calls are allowed. `prepare` makes bare system calls on values that
        // were allocated before the fork, and takes no lock and allocates nothing itself.
        unsafe {
            command.pre_exec(prepare);
        }
        Ok(command)
    }

    fn shown(&self) -> String {
        let shown = match self.echo {
            Echo::Arguments => &self.argv[..],
            Echo::Program => &self.argv[..self.argv.len().min(1)],
        };
        // Of a whole script its first line is enough: what matters is what the program had to say.
        let word = |word: &OsString| {
            let text = printable(word.as_encoded_bytes());
            match text.trim().split_once('\n') {
                Some((first, _)) => format!("{first}…"),
                None => text.trim_end_matches('\n').to_owned(),
            }
        };
        shown.iter().map(word).collect::<Vec<_>>().join(" ")
    }

    fn failed(&self, status: String) -> Failure {
        Failure::Command { argv: self.shown(), status, stderr: String::new() }
    }

    /// Tells apart what execve(2) and chdir(2) put into the same number.
    fn not_started(&self, error: &io::Error) -> Failure {
        let program = Path::new(&self.argv[0]);
        let status = match error.kind() {
            _ if !self.cwd.is_dir() => format!("was not started: there is no directory {}", show(&self.cwd)),
            io::ErrorKind::NotFound if program.is_absolute() && program.exists() => {
                "was not started: the interpreter or loader it names does not exist".to_owned()
            }
            io::ErrorKind::NotFound => "was not found".to_owned(),
            io::ErrorKind::PermissionDenied => "is not executable, or its user may not run it".to_owned(),
            _ => format!("was not started: {error}"),
        };
        self.failed(status)
    }
}

impl Output {
    /// The output if the child exited with 0.
    ///
    /// # Errors
    /// `Failure::Command` with the status and the last lines of what it wrote.
    pub fn success(self) -> Result<Self, Failure> {
        if self.status.success() { Ok(self) } else { Err(self.failure()) }
    }

    /// This end, told as a failure.
    #[must_use]
    pub fn failure(&self) -> Failure {
        let status = match (self.status.code(), self.status.signal()) {
            (Some(code), _) => format!("exited with {code}"),
            (None, Some(signal)) => format!("was killed by signal {signal}"),
            (None, None) => format!("ended with {}", self.status),
        };
        let said = match self.stderr.last_words() {
            words if words.is_empty() => self.stdout.last_words(),
            words => words,
        };
        let stderr = if self.echo == Echo::Arguments { said } else { String::new() };
        Failure::Command { argv: self.shown.clone(), status, stderr }
    }

    /// Standard output, whole and as text.
    ///
    /// # Errors
    /// `Failure::Unknown` if it was too long to be kept, or is not UTF-8.
    pub fn text(&self) -> Result<String, Failure> {
        let what = || format!("the output of `{}`", self.shown);
        let bytes = self.stdout.complete().ok_or_else(|| Failure::unknown(what(), "it is too long"))?;
        String::from_utf8(bytes).map_err(|_| Failure::unknown(what(), "it is not UTF-8"))
    }
}

/// The numbers to drop to, made before the fork.
struct Rights {
    uid: Uid,
    gid: Gid,
    groups: Vec<Gid>,
}

impl Rights {
    /// `None` if we are that user already and have no other rights to drop.
    fn to_drop_to(user: &RunAs) -> Option<Self> {
        let (uid, gid) = (Uid::from_raw(user.uid), Gid::from_raw(user.gid));
        if !geteuid().is_root() && uid == geteuid() && gid == getegid() {
            return None;
        }
        Some(Self { uid, gid, groups: user.groups.iter().copied().map(Gid::from_raw).collect() })
    }
}

/// Runs in the child, before exec.
fn prepare(mask: u32, rights: Option<&Rights>, bond: Bond) -> io::Result<()> {
    if bond == Bond::Tied {
        set_parent_process_death_signal(Some(Signal::KILL))?;
    }
    setsid()?;
    umask(Mode::from_raw_mode(mask));
    let Some(Rights { uid, gid, groups }) = rights else { return Ok(()) };
    // The order is what CVE-2012-1053 was about: each step needs a right that a later one gives up.
    set_thread_groups(groups)?;
    set_thread_res_gid(*gid, *gid, *gid)?;
    set_thread_res_uid(*uid, *uid, *uid)?;
    let regained = !uid.is_root() && set_thread_res_uid(None, Uid::ROOT, None).is_ok();
    if regained || geteuid() != *uid || getegid() != *gid {
        return Err(rustix::io::Errno::PERM.into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Cap, Child, Echo, RunAs};
    use model::{Failure, Secret};
    use rustix::process::{Pid, getegid, geteuid, test_kill_process};
    use std::path::Path;
    use std::time::{Duration, Instant};

    fn sh(script: &str) -> Child {
        Child::new(["sh", "-c", script])
    }

    fn text(child: &Child) -> String {
        child.run().unwrap().success().unwrap().text().unwrap()
    }

    fn status(failure: &Failure) -> &str {
        let Failure::Command { status, .. } = failure else { panic!("{failure:?}") };
        status
    }

    #[test]
    fn has_a_clean_environment_and_a_session_of_its_own() {
        let mut child = sh("env | sort; umask; pwd; ps -o sid= -p $$ | tr -d ' '; echo $$; cat");
        child.env.insert("EXTRA".into(), "1".into());
        child.umask = 0o077;
        let text = text(&child);
        let mut lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.pop(), lines.pop(), "the session's number is the process's");
        assert_eq!((lines.pop(), lines.pop()), (Some("/"), Some("0077")));
        assert!(lines.contains(&"EXTRA=1") && lines.contains(&"LC_ALL=C"));
        let names: Vec<&str> = lines.iter().filter_map(|line| line.split('=').next()).collect();
        let allowed = ["EXTRA", "HOME", "LC_ALL", "LOGNAME", "PATH", "PWD", "USER", "_", "SHLVL", "OLDPWD"];
        assert!(names.iter().all(|name| allowed.contains(name)), "{names:?}");
    }

    #[test]
    fn feeds_more_than_a_pipe_holds_and_survives_a_reader_that_stops() {
        let input = vec![b'x'; 1 << 20];
        let mut child = sh("wc -c");
        child.stdin = Some(Secret::new(input.clone()));
        assert_eq!(text(&child).trim(), "1048576");
        let mut child = sh("head -c 3");
        child.stdin = Some(Secret::new(input));
        assert_eq!(text(&child), "xxx");
    }

    #[test]
    fn tells_failures_apart() {
        let run = |argv: &[&str]| Child::new(argv).run().and_then(super::Output::success).unwrap_err();
        assert_eq!(status(&run(&["keel-no-such-program"])), "was not found");
        assert_eq!(status(&run(&["/etc/passwd"])), "is not executable, or its user may not run it");
        assert_eq!(status(&run(&["sh", "-c", "exit 3"])), "exited with 3");
        assert_eq!(status(&run(&["sh", "-c", "kill -9 $$"])), "was killed by signal 9");
        assert!(status(&run(&[])).contains("no program"));
        let mut child = sh("true");
        child.cwd = "/no/such/place".into();
        assert_eq!(
            status(&child.run().unwrap_err()),
            "was not started: there is no directory /no/such/place"
        );
    }

    #[test]
    fn shows_the_last_words_but_not_those_of_a_sensitive_command() {
        let mut child = sh("echo secret-word; printf '\\033[1mbad\\033[0m\\n' >&2; exit 1");
        let Failure::Command { argv, stderr, .. } = child.run().unwrap().failure() else { panic!() };
        assert!(argv.starts_with("sh -c echo secret-word"));
        assert_eq!(stderr, "bad");
        let script = Child::new(["sh", "-c", "exit 1\n# more\n", "one"]).run().unwrap().failure();
        assert_eq!(script.to_string(), "`sh -c exit 1… one` exited with 1");
        child.echo = Echo::Program;
        let failure = child.run().unwrap().failure();
        assert_eq!(failure.to_string(), "`sh` exited with 1");
    }

    #[test]
    fn kills_the_whole_group_when_time_is_up() {
        let dir = tempfile::tempdir().unwrap();
        let mut child = sh("sleep 60 & echo $! > pid; wait");
        child.cwd = dir.path().into();
        child.timeout = Duration::from_millis(300);
        let start = Instant::now();
        let failure = child.run().unwrap_err();
        assert!(matches!(failure, Failure::Timeout { .. }), "{failure}");
        assert!(start.elapsed() < Duration::from_secs(3));
        assert_gone(&dir.path().join("pid"));
    }

    #[test]
    fn kills_what_does_not_listen() {
        let mut child = sh("trap '' TERM; while :; do sleep 0.1; done");
        child.timeout = Duration::from_millis(100);
        let start = Instant::now();
        assert!(matches!(child.run(), Err(Failure::Timeout { .. })));
        let took = start.elapsed();
        assert!(took > Duration::from_secs(5) && took < Duration::from_secs(8), "{took:?}");
    }

    #[test]
    fn does_not_wait_for_a_daemon_that_keeps_the_pipes() {
        let dir = tempfile::tempdir().unwrap();
        let mut child = sh("setsid sleep 30 & echo $! > pid; echo started");
        child.cwd = dir.path().into();
        let start = Instant::now();
        assert_eq!(text(&child), "started\n");
        assert!(start.elapsed() < Duration::from_secs(2));
        let pid = std::fs::read_to_string(dir.path().join("pid")).unwrap();
        let pid = Pid::from_raw(pid.trim().parse().unwrap()).unwrap();
        rustix::process::kill_process(pid, rustix::process::Signal::KILL).expect("the daemon was left alone");
    }

    #[test]
    fn keeps_a_flood_within_its_cap() {
        let mut child = sh("yes | head -c 5000000; echo end");
        child.cap = Cap { head: 10, tail: 4 };
        let output = child.run().unwrap();
        assert_eq!(output.stdout.dropped(), 5_000_004 - 14);
        assert!(output.stdout.printable().ends_with("end\n"));
        assert!(matches!(output.text(), Err(Failure::Unknown { .. })));
    }

    #[test]
    fn drops_all_rights_but_the_wanted_ones() {
        let mut child = sh("id -u; id -g; id -G; grep CapEff /proc/self/status");
        let (root, groups) = (geteuid().is_root(), vec![12345]);
        let other = RunAs { uid: 65534, gid: 65533, groups };
        let own = RunAs { uid: geteuid().as_raw(), gid: getegid().as_raw(), groups: Vec::new() };
        child.user = Some(if root { other } else { own.clone() });
        let text = text(&child);
        let lines: Vec<&str> = text.lines().collect();
        let expected = if root { (65534, 65533) } else { (own.uid, own.gid) };
        assert_eq!((lines[0], lines[1]), (&*expected.0.to_string(), &*expected.1.to_string()));
        assert!(!root || lines[2] == "65533 12345", "{text}");
        assert!(text.contains("CapEff:\t0000000000000000"), "{text}");
    }

    /// The process whose number is in the file is dead, or will be in a moment.
    fn assert_gone(file: &Path) {
        let pid = Pid::from_raw(std::fs::read_to_string(file).unwrap().trim().parse().unwrap()).unwrap();
        let until = Instant::now() + Duration::from_secs(2);
        while test_kill_process(pid).is_ok() {
            let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            if stat.contains(") Z ") {
                return;
            }
            assert!(Instant::now() < until, "still alive: {stat}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}
