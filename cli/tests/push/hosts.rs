//! Hosts to push to: an sshd each, at an address of 127.0.0.0/8, in a mount namespace where `/srv` and the state directory are
//! its own; and a site whose inventory has them.

use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use std::fs::{self, File, OpenOptions};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// All of them, and the laptop. They end with the value.
pub struct Hosts {
    dir: tempfile::TempDir,
    port: u16,
    sshds: Vec<Child>,
}

/// What a call of the program came to.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

const MOUNTS: &str = "mount --make-rprivate / && mkdir -p /var/lib/evenkeel && \
    mount -t tmpfs -o mode=0755 none /var/lib/evenkeel && mount -t tmpfs -o mode=0755 none /srv && exec \"$@\"";

impl Hosts {
    /// `web1`, `web2`, … in the group `web`, with `role` as their one role.
    pub fn new(count: u8, role: &str) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let port = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("it has one").port();
        let mut hosts = Self { dir, port, sshds: Vec::new() };
        for directory in ["bin", "roles", ".ssh"] {
            fs::create_dir(hosts.path(directory)).expect("made");
        }
        for key in ["host", ".ssh/id_ed25519"] {
            run(Command::new("ssh-keygen")
                .args(["-q", "-t", "ed25519", "-N", "", "-f"])
                .arg(hosts.path(key)));
        }
        fs::hard_link(env!("CARGO_BIN_EXE_keel"), hosts.path("bin/keel"))
            .or_else(|_| fs::copy(env!("CARGO_BIN_EXE_keel"), hosts.path("bin/keel")).map(|_| ()))
            .expect("keel is there");
        run(Command::new("strip").arg("-o").arg(hosts.path("bin/keel-agent-x86_64")).arg(agent()));
        fs::rename(
            hosts.path("bin/keel-agent-x86_64"),
            hosts.path(&format!("bin/keel-agent-{}", std::env::consts::ARCH)),
        )
        .expect("renamed");
        hosts.site(count, role);
        hosts.sshds = (1..=count).map(|number| hosts.start(number)).collect();
        (0..hosts.sshds.len()).for_each(|index| hosts.wait_for(index));
        hosts
    }

    fn site(&self, count: u8, role: &str) {
        let key = fs::read_to_string(self.path("host.pub")).expect("a key");
        let (port, key) = (self.port, key.trim());
        let mut text = format!(
            "[group.web]\nuser = \"root\"\nport = {port}\nhost_key = \"{key}\"\nroles = [\"web\"]\n\
             [host.gone]\naddress = \"127.0.0.1\"\nport = 1\nroles = [\"web\"]\n"
        );
        for number in 1..=count {
            text.push_str(&format!(
                "[host.web{number}]\naddress = \"127.0.1.{number}\"\ngroups = [\"web\"]\n"
            ));
        }
        fs::write(self.path("hosts.toml"), text).expect("written");
        fs::write(self.path("keel.toml"), "[project]\nname = \"test\"\n").expect("written");
        self.role(role);
    }

    /// Replaces the role.
    pub fn role(&self, text: &str) {
        fs::write(self.path("roles/web.toml"), text).expect("written");
    }

    fn start(&self, number: u8) -> Child {
        let path = |name: &str| self.path(name).display().to_string();
        let options = [
            format!("ListenAddress=127.0.1.{number}:{}", self.port),
            format!("HostKey={}", path("host")),
            format!("AuthorizedKeysFile={}", path(".ssh/id_ed25519.pub")),
            "StrictModes=no".to_owned(),
            "UsePAM=no".to_owned(),
            "PidFile=none".to_owned(),
        ];
        fs::create_dir_all("/run/sshd").expect("made");
        let mut sshd = Command::new("unshare");
        sshd.args(["-m", "sh", "-c", MOUNTS, "sh", "/usr/sbin/sshd", "-D", "-f", "/dev/null", "-E"]);
        sshd.arg(self.path(&format!("log{number}")));
        options.iter().for_each(|option| {
            sshd.args(["-o", option]);
        });
        sshd.stdin(Stdio::null()).spawn().expect("unshare starts")
    }

    fn wait_for(&mut self, index: usize) {
        let deadline = Instant::now() + Duration::from_secs(20);
        while !self.log(index + 1).contains("Server listening") {
            let ended = self.sshds[index].try_wait().expect("it is ours");
            assert!(ended.is_none() && Instant::now() < deadline, "{}", self.log(index + 1));
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// What the sshd of `web<number>` has logged.
    pub fn log(&self, number: usize) -> String {
        fs::read_to_string(self.path(&format!("log{number}"))).unwrap_or_default()
    }

    /// Ends all connections to `web<number>`, without a word.
    pub fn cut(&self, number: usize) {
        let sshd = self.sshds[number - 1].id();
        let children = fs::read_to_string(format!("/proc/{sshd}/task/{sshd}/children")).expect("it is there");
        for child in children.split_whitespace().filter_map(|pid| Pid::from_raw(pid.parse().ok()?)) {
            // It may have ended by itself.
            let _gone = kill_process(child, Signal::KILL);
        }
    }

    /// What is kept here of runs that go on.
    pub fn kept(&self) -> String {
        let files = fs::read_dir(self.path(".local/state/evenkeel")).into_iter().flatten();
        files.filter_map(|file| fs::read_to_string(file.ok()?.path()).ok()).collect()
    }

    /// A path of `web<number>` as it is seen from here.
    pub fn on(&self, number: usize, path: &str) -> PathBuf {
        PathBuf::from(format!("/proc/{}/root{path}", self.sshds[number - 1].id()))
    }

    /// A path of the laptop.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// The program, in the directory of the site.
    pub fn command(&self, words: &[&str]) -> Command {
        let mut keel = Command::new(self.path("bin/keel"));
        keel.env_clear().env("HOME", self.dir.path()).env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
        keel.current_dir(self.dir.path()).stdin(Stdio::null()).args(words);
        keel
    }

    /// Calls the program; `words` are parted by blanks.
    pub fn keel(&self, words: &str) -> Ran {
        let words: Vec<&str> = words.split_whitespace().collect();
        self.ran(self.command(&words).output().expect("keel starts"))
    }

    /// What it came to, with the names of this one test taken out.
    pub fn ran(&self, output: Output) -> Ran {
        let text = |bytes: Vec<u8>| {
            let text = String::from_utf8(bytes).expect("UTF-8");
            text.replace(&format!(":{}", self.port), ":PORT")
        };
        Ran { code: output.status.code().unwrap_or(-1), out: text(output.stdout), err: text(output.stderr) }
    }
}

impl Drop for Hosts {
    fn drop(&mut self) {
        // What is kept of a connection ends with it.
        (1..=self.sshds.len()).for_each(|number| self.cut(number));
        for sshd in &mut self.sshds {
            // It may have ended by itself; both times it has to be waited for.
            sshd.kill().and_then(|()| sshd.wait()).expect("it is ours");
        }
    }
}

/// A terminal: our side of it, and the program's.
pub fn terminal() -> (File, File) {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
    grantpt(&master).and_then(|()| unlockpt(&master)).expect("ours");
    let name = ptsname(&master, Vec::new()).expect("it has a name");
    let name = name.to_str().expect("UTF-8");
    (File::from(master), OpenOptions::new().read(true).write(true).open(name).expect("opened"))
}

/// The agent beside the program under test, as a build of the workspace leaves it.
fn agent() -> PathBuf {
    let there = Path::new(env!("CARGO_BIN_EXE_keel")).with_file_name("keel-agent");
    if !there.exists() {
        run(Command::new(env!("CARGO")).args([
            "build",
            "--quiet",
            "--package",
            "agent",
            "--bin",
            "keel-agent",
        ]));
    }
    there
}

fn run(command: &mut Command) {
    let output = command.output().expect("it starts");
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}
