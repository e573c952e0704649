//! Ways in for tests: who is asked, an agent, and a command with all it says.
#![expect(clippy::disallowed_methods, reason = "a test starts its own agent")]

use crate::sshd::{Sshd, keygen};
use fleet::{
    Access, Endpoint, Keep, Keyring, Passwords, Pipe, Prompts, Received, Remote, Transport, Trouble, connect,
};
use model::Secret;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// Longer than anything here takes.
pub const LONG: Duration = Duration::from_secs(30);

/// Someone who gives these answers in turn, and what they were asked.
#[derive(Default)]
pub struct Door {
    pub answers: Mutex<Vec<&'static str>>,
    pub asked: Mutex<Vec<String>>,
    pub notes: Mutex<Vec<String>>,
    pub keyring: Keyring,
    pub passwords: Passwords,
    pub transport: Transport,
    pub keep: Option<Keep>,
}

impl Prompts for Door {
    fn secret(&self, question: &str) -> Option<Secret<String>> {
        self.asked.lock().unwrap().push(question.to_owned());
        let mut answers = self.answers.lock().unwrap();
        if answers.is_empty() { None } else { Some(Secret::new(answers.remove(0).to_owned())) }
    }
}

impl Door {
    /// Someone who knows these passphrases, the first first.
    pub fn knowing(answers: &[&'static str]) -> Self {
        Self { answers: Mutex::new(answers.to_vec()), transport: Transport::Ssh2, ..Self::default() }
    }

    pub fn connect(&self, endpoint: &Endpoint) -> Result<Box<dyn Remote>, Trouble> {
        let notes = |note: &str| self.notes.lock().unwrap().push(note.to_owned());
        let access = Access {
            prompts: self,
            transport: self.transport,
            passwords: self.passwords,
            keyring: &self.keyring,
            notes: &notes,
            keep: self.keep.as_ref(),
        };
        connect(endpoint, &access)
    }

    /// What a command says, and how it ends.
    pub fn run(&self, endpoint: &Endpoint, command: &str) -> Result<(String, Option<i32>), Trouble> {
        let mut pipe = self.connect(endpoint)?.exec(command)?;
        let said = rest(&mut *pipe)?;
        Ok((String::from_utf8(said).unwrap(), pipe.finish(LONG)?))
    }

    /// `in`, or why not.
    pub fn enter(&self, endpoint: &Endpoint) -> String {
        match self.run(endpoint, "echo in") {
            Ok((said, _)) => said.trim().to_owned(),
            Err(trouble) => trouble.to_string(),
        }
    }
}

/// All that is left of standard output.
pub fn rest(pipe: &mut dyn Pipe) -> Result<Vec<u8>, Trouble> {
    let mut all = Vec::new();
    let mut buffer = vec![0; 100_000];
    loop {
        match pipe.receive(&mut buffer, LONG)? {
            Received::Bytes(count) => all.extend_from_slice(&buffer[..count]),
            Received::Nothing => panic!("nothing within {LONG:?} after {} bytes", all.len()),
            Received::End => return Ok(all),
        }
    }
}

/// A new key beside the others of `sshd`, let in.
pub fn authorized(sshd: &Sshd, name: &str, arguments: &[&str]) -> PathBuf {
    let path = fresh(sshd, name, arguments);
    let public = fs::read(path.with_extension("pub")).unwrap();
    let list = sshd.dir().join("authorized_keys");
    OpenOptions::new().append(true).open(list).unwrap().write_all(&public).unwrap();
    path
}

/// A new key beside the others of `sshd`.
pub fn fresh(sshd: &Sshd, name: &str, arguments: &[&str]) -> PathBuf {
    let path = sshd.dir().join(name);
    keygen(&[&["-q", "-C", name], arguments, &["-f"]].concat(), &path);
    path
}

/// An `ssh-agent`; ends with its value.
pub struct Agent {
    pub socket: PathBuf,
    child: Child,
}

impl Agent {
    /// One whose socket is in `dir`, with these keys.
    pub fn start(dir: &Path, keys: &[&Path]) -> Self {
        let socket = dir.join("agent");
        let mut command = Command::new("ssh-agent");
        let child = command.arg("-D").arg("-a").arg(&socket).stdout(Stdio::null()).spawn().unwrap();
        let until = Instant::now() + LONG;
        while !socket.exists() {
            assert!(Instant::now() < until, "ssh-agent does not start");
            std::thread::sleep(Duration::from_millis(5));
        }
        for key in keys {
            let mut command = Command::new("ssh-add");
            assert!(command.arg("-q").arg(key).env("SSH_AUTH_SOCK", &socket).status().unwrap().success());
        }
        Self { socket, child }
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().unwrap();
    }
}
