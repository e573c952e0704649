//! A real sshd on loopback for tests: a port, host keys and an authorized key of its own in a directory that goes away with it. It runs
//! commands as whoever runs the tests: they start harmless ones only.
#![allow(dead_code, reason = "each binary of tests uses some of it")]
#![expect(
    clippy::disallowed_methods,
    reason = "a test sets up its own directory and starts its own programs"
)]

use fleet::{Endpoint, RecordedNames, UnknownKeys};
use std::fs::{self, File};
use std::io::Read as _;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Root's, where an sshd is started with one.
pub const PASSWORD: &str = "correct horse";
/// Its hash, by `openssl passwd -6`.
const HASH: &str =
    "$6$evenkeel$Wjin2Q/i.f9xU2ODuQi5UtPpiCjhafRkzT4CUSQwWR8.rRO7Kdx4lv/jqjBviJfA.u38JLZw03tim2ABNXy.U/";

/// Ends with its value.
pub struct Sshd {
    dir: TempDir,
    child: Child,
    port: u16,
}

impl Sshd {
    /// Starts one with these lines of sshd_config(5) before its own; the first of a keyword counts.
    pub fn start(options: &[&str]) -> Self {
        Self::start_by(options, |_| Command::new("/usr/sbin/sshd"))
    }

    /// Starts one that also lets in root with [`PASSWORD`]. In a namespace of its own, so that the machine's accounts stay as they are:
    /// needs root.
    pub fn with_password(options: &[&str]) -> Self {
        let options = [&["UsePAM yes", "PermitRootLogin yes"], options].concat();
        Self::start_by(&options, |dir| {
            fs::write(dir.join("shadow"), format!("root:{HASH}:19000:0:99999:7:::\n")).unwrap();
            fs::write(
                dir.join("pam"),
                "auth required pam_unix.so\naccount required pam_permit.so\nsession required pam_permit.so\n",
            )
            .unwrap();
            let mut command = Command::new("unshare");
            let script = "mount --bind \"$1/shadow\" /etc/shadow && mount --bind \"$1/pam\" /etc/pam.d/sshd && shift && exec /usr/sbin/sshd \"$@\"";
            command.args(["-m", "sh", "-c", script, "sh"]).arg(dir);
            command
        })
    }

    fn start_by(options: &[&str], program: impl Fn(&Path) -> Command) -> Self {
        let dir = tempfile::tempdir().unwrap();
        for (file, kind) in [("host_ed25519", "ed25519"), ("host_ecdsa", "ecdsa"), ("id_ed25519", "ed25519")]
        {
            keygen(&["-q", "-t", kind, "-N", "", "-C", "", "-f"], &dir.path().join(file));
        }
        fs::copy(dir.path().join("id_ed25519.pub"), dir.path().join("authorized_keys")).unwrap();
        // Somebody else may take a port between our choice and sshd's; then another is tried.
        for _ in 0..5 {
            let port = free_port();
            let mut child = run(dir.path(), port, options, program(dir.path()));
            if answers(port, &mut child) {
                return Self { dir, child, port };
            }
            end(&mut child);
        }
        panic!("sshd does not start: {}", log(dir.path()));
    }

    /// Where its files are: `authorized_keys`, `host_ed25519`, `host_ecdsa`, `id_ed25519`, each with its `.pub`.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// The private key that may log in; it has no passphrase.
    pub fn key(&self) -> PathBuf {
        self.dir().join("id_ed25519")
    }

    /// Its key of a file, such as `host_ed25519`, as `ssh-ed25519 AAAA…`.
    pub fn host_key(&self, file: &str) -> String {
        let line = fs::read_to_string(self.dir().join(file).with_extension("pub")).unwrap();
        line.split_whitespace().take(2).collect::<Vec<_>>().join(" ")
    }

    /// What it has logged.
    pub fn log(&self) -> String {
        log(self.dir())
    }

    /// Ends what serves the connections there are, without a word to their other ends.
    pub fn end_sessions(&self) {
        self.signal_sessions("-KILL");
    }

    /// Has what serves the connections there are fall silent.
    pub fn still_sessions(&self) {
        self.signal_sessions("-STOP");
    }

    fn signal_sessions(&self, signal: &str) {
        let mut pids = vec![self.child.id()];
        while let Some(pid) = pids.pop() {
            // It may have ended by itself.
            let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
            pids.extend(children.split_whitespace().map(|child| child.parse::<u32>().unwrap()));
            if pid != self.child.id() {
                Command::new("kill").args([signal, &pid.to_string()]).status().unwrap();
            }
        }
    }

    /// A way in: its key from the inventory, our key, no agent.
    pub fn endpoint(&self) -> Endpoint {
        Endpoint {
            alias: "127.0.0.1".to_owned(),
            host: "127.0.0.1".to_owned(),
            port: self.port,
            user: user(),
            identities: vec![self.key()],
            identities_only: true,
            agent: None,
            jumps: Vec::new(),
            known_hosts: vec![self.dir().join("known_hosts")],
            recorded_names: RecordedNames::Plain,
            host_key_alias: None,
            host_keys: vec![self.host_key("host_ed25519")],
            unknown_keys: UnknownKeys::Refuse,
            connect_timeout: Duration::from_secs(10),
            alive_interval: Duration::from_secs(5),
            alive_count: 3,
            keep: Duration::from_secs(60),
            needs_openssh: None,
            openssh_options: vec![
                format!("Port={}", self.port),
                format!("IdentityFile={}", self.key().display()),
                "IdentitiesOnly=yes".to_owned(),
                "IdentityAgent=none".to_owned(),
                format!("UserKnownHostsFile={}", self.dir().join("known_hosts").display()),
                "GlobalKnownHostsFile=/dev/null".to_owned(),
            ],
            openssh_config: Some("/dev/null".into()),
        }
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        // What is kept of a connection ends with it.
        self.end_sessions();
        end(&mut self.child);
    }
}

/// Makes or changes a key: `arguments`, then `file`.
pub fn keygen(arguments: &[&str], file: &Path) {
    let output = Command::new("ssh-keygen").args(arguments).arg(file).output().unwrap();
    assert!(output.status.success(), "ssh-keygen: {}", String::from_utf8_lossy(&output.stderr));
}

/// Whoever runs the tests.
pub fn user() -> String {
    let output = Command::new("id").arg("-un").output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// A port on which nobody listens.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn run(dir: &Path, port: u16, options: &[&str], mut command: Command) -> Child {
    let place = dir.display();
    let own = format!(
        "Port {port}\nListenAddress 127.0.0.1\nHostKey {place}/host_ed25519\nHostKey {place}/host_ecdsa\n\
         AuthorizedKeysFile {place}/authorized_keys\nPidFile none\nStrictModes no\nUsePAM no\nUseDNS no\n\
         PermitRootLogin yes\nMaxStartups 200\nMaxSessions 50\nPrintMotd no\nSubsystem sftp /bin/false\n"
    );
    fs::write(dir.join("sshd_config"), format!("{}\n{own}", options.join("\n"))).unwrap();
    // Where root starts it, sshd wants an empty directory to lock itself up in; packages leave that to their unit file.
    if user() == "root" {
        fs::create_dir_all("/run/sshd").unwrap();
    }
    let log = File::create(dir.join("log")).unwrap();
    command.args(["-D", "-e", "-f"]).arg(dir.join("sshd_config")).stdin(Stdio::null()).stdout(Stdio::null());
    command.stderr(log).spawn().expect("/usr/sbin/sshd is there: apt-get install openssh-server")
}

/// Waits for its banner; false where it has ended.
fn answers(port: u16, child: &mut Child) -> bool {
    let until = Instant::now() + Duration::from_secs(20);
    while child.try_wait().unwrap().is_none() {
        assert!(Instant::now() < until, "sshd does not answer on port {port}");
        if let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) {
            let mut banner = [0; 4];
            stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
            return stream.read_exact(&mut banner).is_ok() && &banner == b"SSH-";
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    false
}

fn end(child: &mut Child) {
    // It may have ended by itself.
    child.kill().ok();
    child.wait().unwrap();
}

fn log(dir: &Path) -> String {
    String::from_utf8_lossy(&fs::read(dir.join("log")).unwrap()).into_owned()
}
