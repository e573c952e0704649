//! Hosts of the lab, and a laptop's home that knows them: an `~/.ssh/config` and the hosts' keys. Nothing of this machine's own `~/.ssh` is read by
//! what runs with it. It measures nothing. Next: `run`.

use crate::account;
use crate::contest::{Contest, Outcome};
use crate::proxy;
use crate::workloads::OPT;
use anyhow::Context;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A host as the laptop reaches it.
#[derive(Clone, Debug)]
pub struct Host {
    /// What the configuration of ssh calls it; `root-NAME` is the same host as root.
    pub name: String,
    /// Address.
    pub address: String,
    /// Port.
    pub port: u16,
    /// The line of known_hosts, without its name.
    key: String,
}

/// Some hosts, and a home.
pub struct Fleet {
    hosts: Vec<Host>,
    home: PathBuf,
    key: PathBuf,
}

/// What a configuration of ssh does with connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Connections {
    /// One for each call.
    Fresh,
    /// One is kept, and used again.
    Kept,
}

impl Fleet {
    /// Boots so many hosts, unless they run; from the twenty-first on without systemd. They run on: `cargo xtask lab down` ends them.
    pub fn up(count: usize, home: &Path) -> anyhow::Result<Self> {
        let mut text = String::new();
        for (hosts, small) in [(count.min(10), false), (count, true)] {
            let mut up = Command::new("cargo");
            up.args(["xtask", "lab", "up", &hosts.to_string()]).args(small.then_some("--small"));
            let output = up.stderr(Stdio::inherit()).output().context("cannot start cargo")?;
            anyhow::ensure!(output.status.success(), "the lab did not come up");
            text = String::from_utf8(output.stdout)?;
        }
        let key = text.lines().find_map(|line| line.strip_prefix("key: "));
        let key = PathBuf::from(key.context("the lab told of no key")?);
        let host = |line: &str| -> Option<anyhow::Result<Host>> {
            let (name, rest) = line.split_once('\t')?;
            let known = key.with_file_name("hosts").join(name).join("known_hosts");
            let (address, _) = rest.split_once('\t')?;
            Some(read_key(&known).map(|key| Host {
                name: name.into(),
                address: address.into(),
                port: 22,
                key,
            }))
        };
        let hosts: Vec<Host> = text.lines().filter_map(host).collect::<anyhow::Result<_>>()?;
        anyhow::ensure!(hosts.len() == count, "the lab told of other hosts:\n{text}");
        Self { hosts, home: home.to_owned(), key }.written(Connections::Fresh)
    }

    /// The first hosts of these, with a home of their own.
    pub fn first(&self, count: usize, home: &Path, connections: Connections) -> anyhow::Result<Self> {
        let hosts = self.hosts[..count].to_vec();
        Self { hosts, home: home.to_owned(), key: self.key.clone() }.written(connections)
    }

    /// The same hosts, each behind a proxy that takes so much longer; it lives as long as this process.
    pub fn delayed(&self, milliseconds: u64, home: &Path) -> anyhow::Result<Self> {
        let mut hosts = self.hosts.clone();
        for host in &mut hosts {
            host.port = proxy::start((host.address.clone(), host.port), milliseconds)?;
            host.address = "127.0.0.1".to_owned();
        }
        Self { hosts, home: home.to_owned(), key: self.key.clone() }.written(Connections::Fresh)
    }

    fn written(self, connections: Connections) -> anyhow::Result<Self> {
        let (mut config, mut known) = (String::new(), String::new());
        for Host { name, address, port, key } in &self.hosts {
            writeln!(config, "Host {name} root-{name}\nHostName {address}\nPort {port}")?;
            let known_as = if *port == 22 { address.clone() } else { format!("[{address}]:{port}") };
            writeln!(known, "{known_as} {key}")?;
        }
        let path = |name: &str| self.home.join(name).display().to_string();
        write!(config, "Host root-*\nUser root\nHost *\nUser admin\nIdentitiesOnly yes\nBatchMode yes\n")?;
        write!(
            config,
            "IdentityFile {}\nUserKnownHostsFile {}\n",
            self.key.display(),
            path(".ssh/known_hosts")
        )?;
        writeln!(config, "GlobalKnownHostsFile none")?;
        match connections {
            Connections::Fresh => config.push_str("ControlPersist no\n"),
            Connections::Kept => {
                writeln!(config, "ControlMaster auto\nControlPersist 60\nControlPath {}", path(".ssh/%C"))?;
            }
        }
        lay(&self.home, &[(".ssh/config".into(), config), (".ssh/known_hosts".into(), known)])?;
        Ok(self)
    }

    /// The hosts.
    pub fn hosts(&self) -> &[Host] {
        &self.hosts
    }

    /// The home of a user who may log in as `admin`, and from there use sudo.
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// The key that opens them.
    pub fn key(&self) -> &Path {
        &self.key
    }

    /// The configuration of ssh.
    pub fn config(&self) -> PathBuf {
        self.home.join(".ssh/config")
    }

    /// `ssh HOST WORDS…` to all of them at once, as one program; `HOST` is as the configuration has it, with this before its name.
    pub fn ssh(&self, as_whom: &str, words: &[String]) -> Vec<String> {
        let script = "config=$1 count=$2; shift 2; hosts=; while [ $count -gt 0 ]; do hosts=\"$hosts $1\"; shift; count=$((count-1)); done
            pids=; for host in $hosts; do ssh -F $config $host \"$@\" & pids=\"$pids $!\"; done; for pid in $pids; do wait $pid || exit 1; done";
        let config = self.config().display().to_string();
        let mut argv: Vec<String> = match &self.hosts[..] {
            [host] => ["ssh", "-F", &config, &format!("{as_whom}{}", host.name)].map(str::to_owned).into(),
            all => {
                let mut argv: Vec<String> = ["sh", "-c", script, "sh", &config].map(str::to_owned).into();
                argv.push(all.len().to_string());
                argv.extend(all.iter().map(|host| format!("{as_whom}{}", host.name)));
                argv
            }
        };
        argv.extend(words.iter().map(|word| quoted(word)));
        argv
    }

    /// Runs a shell script on each, as root.
    pub fn script(&self, script: &str) -> anyhow::Result<()> {
        if script.is_empty() {
            return Ok(());
        }
        for host in &self.hosts {
            self.feed(host, "sh -es", script.as_bytes())?;
        }
        Ok(())
    }

    /// Copies what is in a directory, or a program, to the same path or to another on the first host.
    pub fn copy(&self, from: &Path, to: &str) -> anyhow::Result<()> {
        let (directory, name) = if from.is_dir() {
            (from, ".".into())
        } else {
            (
                from.parent().context("a file without a directory")?,
                from.file_name().context("no name")?.to_owned(),
            )
        };
        let mut tar = Command::new("tar");
        tar.arg("-C").arg(directory).arg("-c").arg(name);
        let packed = tar.stderr(Stdio::inherit()).output()?;
        anyhow::ensure!(packed.status.success(), "cannot pack {}", from.display());
        self.feed(
            &self.hosts[0],
            &format!("mkdir -p {to} && tar -C {to} --no-same-owner -x"),
            &packed.stdout,
        )?;
        Ok(())
    }

    /// The pid namespaces of the hosts.
    pub fn namespaces(&self) -> anyhow::Result<Vec<String>> {
        let directory = |host: &Host| self.key.with_file_name("hosts").join(&host.name).display().to_string();
        account::namespaces(&self.hosts.iter().map(directory).collect::<Vec<_>>())
    }

    /// The largest process that `push` starts on the first host, in MiB.
    pub fn peak(&self, push: impl FnOnce() -> anyhow::Result<()>) -> anyhow::Result<f64> {
        let (host, keys, peak) = (&self.hosts[0], "~admin/.ssh/authorized_keys", account::PEAK);
        let spy = format!("sed -i 's|^|command=\"{OPT}/bench peak\" |' {keys}; rm -f {peak}");
        self.feed(host, &spy, &[])?;
        let pushed = push();
        let said = self.feed(host, &format!("sed -i 's|^command=\"[^\"]*\" ||' {keys}; cat {peak}"), &[]);
        pushed?;
        Ok(String::from_utf8(said?)?.trim().parse::<f64>()? / 1024.0)
    }

    /// Holds a contest on the first host.
    pub fn hold(&self, contest: &Contest) -> anyhow::Result<Vec<Outcome>> {
        let said = self.feed(&self.hosts[0], "/opt/bench/bench contest", &serde_json::to_vec(contest)?)?;
        Ok(serde_json::from_slice(&said)?)
    }

    /// What a program on the first host prints.
    pub fn said(&self, argv: &[String]) -> anyhow::Result<String> {
        let words: Vec<String> = argv.iter().map(|word| quoted(word)).collect();
        Ok(String::from_utf8(self.feed(&self.hosts[0], &words.join(" "), &[])?)?)
    }

    /// Runs a line of shell as root, with these bytes as its input.
    fn feed(&self, host: &Host, line: &str, input: &[u8]) -> anyhow::Result<Vec<u8>> {
        let mut ssh = Command::new("ssh");
        ssh.arg("-F").arg(self.config()).arg(format!("root-{}", host.name)).arg(line);
        let mut child = ssh.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let mut stdin = child.stdin.take().context("no input")?;
        let output = std::thread::scope(|scope| {
            let fed = scope.spawn(move || stdin.write_all(input));
            let output = child.wait_with_output();
            fed.join().map_err(|_| anyhow::anyhow!("what feeds a host died"))??;
            Ok::<_, anyhow::Error>(output?)
        })?;
        let said = String::from_utf8_lossy(&output.stdout);
        anyhow::ensure!(
            output.status.success(),
            "{} on {}: {line}\n{}",
            output.status,
            host.name,
            said.trim()
        );
        Ok(output.stdout)
    }
}

fn read_key(known: &Path) -> anyhow::Result<String> {
    let text = fs::read_to_string(known).with_context(|| known.display().to_string())?;
    let (_, key) = text.trim().split_once(' ').context("a line of known_hosts without a key")?;
    Ok(key.to_owned())
}

/// Writes files below a directory.
pub fn lay(at: &Path, files: &[(String, String)]) -> anyhow::Result<()> {
    for (name, text) in files {
        let path = at.join(name);
        fs::create_dir_all(path.parent().context("a path without a directory")?)?;
        fs::write(&path, text).with_context(|| path.display().to_string())?;
    }
    Ok(())
}

/// A word as a POSIX shell reads it.
pub fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}
