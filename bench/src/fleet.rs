//! Hosts of the lab to push to, and a laptop's home that knows them: a site, an `~/.ssh/config`. Nothing of this machine's own
//! `~/.ssh` is read by what runs with it.

use anyhow::Context;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// A host of the lab.
struct Host {
    name: String,
    address: String,
}

/// The hosts, and the home.
pub struct Fleet {
    hosts: Vec<Host>,
    home: TempDir,
    keel: PathBuf,
}

impl Fleet {
    /// Boots the hosts and writes a site in which each has `files` files of 1 KiB, a package and a service. `h1` is the first as a user with
    /// sudo, `root-h1` the same as root.
    pub fn up(keel: &Path, hosts: u8, files: usize) -> anyhow::Result<Self> {
        #[expect(clippy::disallowed_methods, reason = "the benchmark boots the hosts it measures")]
        let mut up = Command::new("cargo");
        up.args(["xtask", "lab", "up", &hosts.to_string()]).stderr(Stdio::inherit());
        let output = up.output().context("cannot start cargo")?;
        anyhow::ensure!(output.status.success(), "the lab did not come up");
        let text = String::from_utf8(output.stdout)?;
        let host = |line: &str| -> Option<Host> {
            let (name, rest) = line.split_once('\t')?;
            Some(Host { name: name.to_owned(), address: rest.split_once('\t')?.0.to_owned() })
        };
        let fleet = Self {
            hosts: text.lines().filter_map(host).collect(),
            home: tempfile::tempdir()?,
            keel: keel.to_owned(),
        };
        anyhow::ensure!(fleet.hosts.len() == usize::from(hosts), "the lab told of other hosts:\n{text}");
        let key =
            text.lines().find_map(|line| line.strip_prefix("key: ")).context("the lab told of no key")?;
        fleet.write(Path::new(key), files)?;
        Ok(fleet)
    }

    fn write(&self, key: &Path, files: usize) -> anyhow::Result<()> {
        let (mut config, mut known, mut inventory) = (String::new(), String::new(), String::new());
        for Host { name, address } in &self.hosts {
            writeln!(config, "Host {name} root-{name}\nHostName {address}")?;
            writeln!(
                inventory,
                "[host.{name}]\nroles = [\"bench\"]\n[host.root-{name}]\nroles = [\"bench\"]"
            )?;
            let of_lab = key.with_file_name("hosts").join(name).join("known_hosts");
            known.push_str(&fs::read_to_string(of_lab)?);
        }
        let known_hosts = self.put("known_hosts", &known)?;
        writeln!(
            config,
            "Host root-*\nUser root\nHost *\nUser admin\nIdentitiesOnly yes\nIdentityFile {}",
            key.display()
        )?;
        writeln!(config, "UserKnownHostsFile {}\nGlobalKnownHostsFile none", known_hosts.display())?;
        self.put(".ssh/config", &config)?;
        self.put("keel.toml", "[project]\nname = \"bench\"\n")?;
        self.put("hosts.toml", &inventory)?;
        let mut role = "[package.openssh-server]\n[service.ssh]\nrunning = true\nenabled = true\n[directory.\"/srv/bench\"]\n".to_owned();
        let line = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde\\n".repeat(16);
        for number in 0..files {
            writeln!(role, "[file.\"/srv/bench/{number}\"]\ncontent = \"{line}\"")?;
        }
        self.put("roles/bench.toml", &role)?;
        Ok(())
    }

    #[expect(clippy::disallowed_methods, reason = "the benchmark's own files")]
    fn put(&self, name: &str, content: &str) -> anyhow::Result<PathBuf> {
        let path = self.home.path().join(name);
        fs::create_dir_all(path.parent().context("a path without a directory")?)?;
        fs::write(&path, content)?;
        Ok(path)
    }

    /// `keel apply` of these hosts.
    pub fn keel(&self, names: &[String]) -> Vec<OsString> {
        let mut home = OsString::from("HOME=");
        home.push(self.home.path());
        let mut argv = vec!["env".into(), home, self.keel.clone().into()];
        argv.extend(["apply", "--yes", "--site"].map(OsString::from));
        argv.push(self.home.path().into());
        argv.extend(names.iter().map(OsString::from));
        argv
    }

    /// `ssh HOST WORDS…`.
    pub fn ssh(&self, name: &str, words: &[&str]) -> Vec<OsString> {
        let mut argv: Vec<OsString> = ["ssh", "-F"].map(OsString::from).into();
        argv.push(self.home.path().join(".ssh/config").into());
        argv.push(name.into());
        argv.extend(words.iter().map(OsString::from));
        argv
    }

    /// The names of all hosts.
    pub fn names(&self) -> Vec<String> {
        self.hosts.iter().map(|host| host.name.clone()).collect()
    }

    /// How many bytes have gone to the first host and come from it, Ethernet headers included: the counters of its link.
    pub fn on_the_wire(&self) -> anyhow::Result<[u64; 2]> {
        let octets: Vec<&str> = self.hosts.first().context("no host")?.address.split('.').collect();
        let [_, _, net, last] = octets[..] else { anyhow::bail!("the lab told of no IPv4 address") };
        // The name that the lab gives the outer end of a host's link.
        let counters = PathBuf::from(format!("/sys/class/net/vb-k{net}-{last}/statistics"));
        let read = |name: &str| -> anyhow::Result<u64> {
            Ok(fs::read_to_string(counters.join(name)).context("no counters of the link")?.trim().parse()?)
        };
        Ok([read("tx_bytes")?, read("rx_bytes")?])
    }
}
