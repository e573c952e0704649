//! A laptop with keys of SSH, and a site with secrets.

use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// The home, and in it the site.
pub struct Laptop(tempfile::TempDir);

/// What a call of the program came to.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self {
            code: output.status.code().unwrap_or(-1),
            out: text(&output.stdout),
            err: text(&output.stderr),
        }
    }
}

impl Laptop {
    /// With a key of Ann's, who is the only recipient.
    pub fn new() -> Self {
        let laptop = Self(tempfile::tempdir().expect("a directory"));
        for dir in [".ssh", "site/secrets"] {
            fs::create_dir_all(laptop.path(dir)).expect("made");
        }
        laptop.key(".ssh/id_ed25519", &["-t", "ed25519", "-C", "ann@laptop", "-N", ""]);
        laptop.write("site/secrets/recipients", &laptop.read(".ssh/id_ed25519.pub"));
        laptop
    }

    /// Makes a key.
    pub fn key(&self, name: &str, arguments: &[&str]) {
        let made =
            Command::new("ssh-keygen").arg("-q").args(arguments).arg("-f").arg(self.path(name)).status();
        assert!(made.expect("ssh-keygen is there").success());
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    #[track_caller]
    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).expect(name)
    }

    pub fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).expect(name);
    }

    /// The program in the site, with no environment but a home.
    pub fn command(&self, words: &[&str]) -> Command {
        let mut keel = Command::new(env!("CARGO_BIN_EXE_keel"));
        keel.env_clear().env("HOME", self.0.path()).env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
        keel.current_dir(self.path("site")).args(words).stdin(Stdio::null());
        keel
    }

    /// Calls it.
    pub fn keel(&self, words: &[&str]) -> Ran {
        self.command(words).output().expect("keel starts").into()
    }

    /// Calls it with `input` on standard input.
    pub fn fed(&self, words: &[&str], input: &str) -> Ran {
        fed(&mut self.command(words), input)
    }

    /// Seals a secret, which has to work.
    #[track_caller]
    pub fn sealed(&self, name: &str, value: &str) {
        let ran = self.fed(&["secret", "create", name], value);
        assert_eq!((ran.code, ran.out.as_str()), (0, ""), "{ran:?}");
    }

    /// Calls it at a terminal of its own, where each question is answered by the next of `answers`. What stood there.
    pub fn at_terminal(&self, words: &[&str], answers: &[(&str, &str)]) -> String {
        let line = [&[env!("CARGO_BIN_EXE_keel")], words].concat().join(" ");
        let mut script = Command::new("script");
        script.args(["-qefc", &line, "/dev/null"]).env_clear().env("HOME", self.0.path());
        script.env("PATH", "/usr/bin:/bin").current_dir(self.path("site"));
        let mut script =
            script.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("script(1) is there");
        let (mut typed, mut shown) =
            (script.stdin.take().expect("piped"), script.stdout.take().expect("piped"));
        let (mut seen, mut piece) = (String::new(), [0; 4096]);
        for (question, answer) in answers {
            let from = seen.len();
            while !seen[from..].contains(question) {
                match shown.read(&mut piece).expect("readable") {
                    0 => panic!("{question} was not asked: {seen}"),
                    got => seen += &String::from_utf8_lossy(&piece[..got]),
                }
            }
            hidden(&script);
            writeln!(typed, "{answer}").expect("typed");
        }
        shown.read_to_string(&mut seen).expect("readable");
        script.wait().expect("it ends");
        seen
    }
}

/// Waits until the terminal that script(1) has made shows nothing of what is typed: it is told so after the question was printed.
fn hidden(script: &Child) {
    let (begun, pid) = (Instant::now(), script.id());
    loop {
        // The shell in it, by proc_pid_task(5).
        let shell = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).expect("it lives");
        let terminal = fs::read_link(format!("/proc/{}/fd/0", shell.trim())).expect("it lives");
        let said = Command::new("stty").arg("-aF").arg(&terminal).output().expect("stty(1) is there");
        if String::from_utf8_lossy(&said.stdout).contains(" -echo ") {
            return;
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "{terminal:?} shows what is typed");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Runs a command with `input` on standard input.
pub fn fed(command: &mut Command, input: &str) -> Ran {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    // Who refuses before reading has closed the pipe.
    child.stdin.take().expect("piped").write_all(input.as_bytes()).ok();
    child.wait_with_output().expect("it ends").into()
}

/// A program of a shell that can be an editor.
pub fn editor(laptop: &Laptop, text: &str) -> String {
    use std::os::unix::fs::PermissionsExt;
    let path = laptop.path("editor");
    fs::write(&path, format!("#!/bin/sh\n{text}\n")).expect("written");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("ours");
    Path::new(&path).display().to_string()
}
