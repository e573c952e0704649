//! The system's `ssh` as a transport, for what libssh2 lacks: certificates, keys in hardware tokens, `ProxyCommand`, GSSAPI … It alone starts
//! programs here; `openssh_argv` says with what, `openssh_pipe` talks with them. Keys and questions are ssh's own affair: no secret
//! of a login goes through us.

use super::openssh_argv::{Files, arguments};
use super::openssh_pipe::OpenSshPipe;
use super::pipe::{Pipe, Remote};
use crate::endpoint::Endpoint;
use crate::known_hosts::given;
use crate::trouble::{Stage, Trouble};
use rustix::process::{Pid, Signal, kill_process_group};
use std::ffi::OsStr;
use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::fs::OpenOptionsExt as _;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use tempfile::TempDir;

/// How much of the log is looked at: its end, where it says why it ends.
const LOG: u64 = 256 << 10;

/// A host that the system's `ssh` is to reach. Each command has a connection of its own; it is made when the command is started, and what is
/// wrong with it is said when something is received.
pub(super) struct OpenSsh {
    endpoint: Endpoint,
}

impl OpenSsh {
    pub(super) fn new(endpoint: Endpoint) -> Self {
        Self { endpoint }
    }
}

impl Remote for OpenSsh {
    fn exec(&mut self, command: &str) -> Result<Box<dyn Pipe>, Trouble> {
        pinned_on_the_way(&self.endpoint)?;
        let process = Process::start(&self.endpoint, command)?;
        Ok(Box::new(OpenSshPipe::new(process, self.endpoint.clone())?))
    }

    fn connects_late(&self) -> bool {
        true
    }
}

/// Refuses a key of the inventory for a host on the way: `ssh` has no option that would hold it against that host alone, and what
/// somebody pinned is not judged by anything weaker.
fn pinned_on_the_way(endpoint: &Endpoint) -> Result<(), Trouble> {
    endpoint.jumps.iter().find(|hop| !hop.host_keys.is_empty()).map_or(Ok(()), |hop| {
        Err(Trouble::HostKey(format!(
            "{} is reached by the system's ssh, which cannot be given the host_key that the inventory has for {} on the way: keep that key in a known_hosts file instead",
            endpoint.alias, hop.alias
        )))
    })
}

/// The standard streams of a process, our ends.
pub(super) struct Streams {
    pub(super) input: OwnedFd,
    pub(super) output: OwnedFd,
    pub(super) errors: OwnedFd,
}

/// How it ended: a status, or the number of a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Exit {
    Status(i32),
    Signal(i32),
}

/// A running `ssh` and what it started here. It is killed with this value.
pub(super) struct Process {
    child: Child,
    directory: TempDir,
}

impl Process {
    /// Starts it in a process group of its own: a `^C` at our terminal is for us, and what is to become of the run is ours to decide.
    fn start(endpoint: &Endpoint, command: &str) -> Result<Self, Trouble> {
        let here =
            |what: &str, error: &io::Error| Trouble::Here(format!("{}: {what}: {error}", endpoint.alias));
        let directory = tempfile::Builder::new().prefix("keel-").tempdir();
        let directory = directory.map_err(|error| here("there is no place for ssh's log", &error))?;
        let (log, known_hosts) = (directory.path().join("log"), directory.path().join("known_hosts"));
        let lines: String = given(endpoint)?.iter().map(|key| format!("* {}\n", key.to_text())).collect();
        write_private(&known_hosts, &lines)
            .map_err(|error| here("the host's keys cannot be written down", &error))?;
        let arguments = arguments(endpoint, &Files { log: &log, known_hosts: &known_hosts }, command);
        let mut ssh = ssh();
        ssh.args(arguments).process_group(0);
        // `SendEnv` would have the host answer in the user's language, which nobody here understands.
        for (name, _) in std::env::vars_os().filter(|(name, _)| is_locale(name)) {
            ssh.env_remove(name);
        }
        ssh.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = ssh.spawn().map_err(|error| match error.kind() {
            ErrorKind::NotFound => Trouble::Here(format!(
                "{}: the system's ssh is needed and is not there: install OpenSSH's client",
                endpoint.alias
            )),
            _ => here("the system's ssh cannot be started", &error),
        })?;
        Ok(Self { child, directory })
    }

    /// Its streams, once.
    pub(super) fn streams(&mut self) -> Option<Streams> {
        let child = &mut self.child;
        let (input, output, errors) = (child.stdin.take()?, child.stdout.take()?, child.stderr.take()?);
        Some(Streams { input: input.into(), output: output.into(), errors: errors.into() })
    }

    /// How it ended, if it has.
    pub(super) fn exit(&mut self) -> Result<Option<Exit>, Trouble> {
        let ended = self.child.try_wait();
        let ended =
            ended.map_err(|error| Trouble::Lost { stage: Stage::Elevate, because: error.to_string() })?;
        Ok(ended.map(Exit::of))
    }

    /// The end of what it has logged; nothing where it has not begun to.
    pub(super) fn log(&self) -> Result<String, Trouble> {
        let path = self.directory.path().join("log");
        match tail(&path) {
            Ok(text) => Ok(text),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(String::new()),
            Err(error) => Err(Trouble::Here(format!("{}: cannot be read: {error}", path.display()))),
        }
    }
}

impl Exit {
    fn of(status: ExitStatus) -> Self {
        match (status.code(), status.signal()) {
            (Some(code), _) => Self::Status(code),
            (None, signal) => Self::Signal(signal.unwrap_or(0)),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // One that has ended keeps its number until it is waited for; then the number may be somebody else's.
        if matches!(self.child.try_wait(), Ok(None)) {
            let group = Pid::from_child(&self.child);
            // It may end by itself in this moment.
            let _ = kill_process_group(group, Signal::KILL);
            let _ = self.child.wait();
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place of this crate where a program is started")]
fn ssh() -> Command {
    Command::new("ssh")
}

fn is_locale(name: &OsStr) -> bool {
    let name = name.as_encoded_bytes();
    name.starts_with(b"LC_") || name == b"LANG" || name == b"LANGUAGE"
}

fn tail(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(LOG)))?;
    let mut bytes = Vec::new();
    file.take(LOG).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn write_private(path: &Path, text: &str) -> io::Result<()> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?.write_all(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::pinned_on_the_way;
    use crate::config::{Asked, Overrides, SshFiles, Surroundings, resolve};
    use std::path::Path;

    #[test]
    fn a_key_pinned_for_a_host_on_the_way_is_not_passed_over() {
        let (home, variables) = (Path::new("/home/ada"), Default::default());
        let (user, machine) = ("ada".to_owned(), "desk".to_owned());
        let surroundings = Surroundings { home: home.into(), user, uid: 1000, machine, variables };
        let files = SshFiles { instead: Some("/dev/null".into()), ..SshFiles::usual(home) };
        let inventory = Overrides { jump: Some("bastion".to_owned()), ..Overrides::default() };
        let asked = Asked { name: "web".into(), inventory, ..Asked::default() };
        let mut endpoint = resolve(&asked, &files, &surroundings).unwrap();
        assert_eq!(pinned_on_the_way(&endpoint), Ok(()));
        endpoint.jumps[0].host_keys.push("ssh-ed25519 AAAA".to_owned());
        let refused = pinned_on_the_way(&endpoint).unwrap_err();
        assert!(refused.is_unreachable() && refused.to_string().contains("bastion"), "{refused}");
    }
}
