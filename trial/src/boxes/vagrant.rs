//! Boxes that Vagrant starts: the first machine of the site's Vagrantfile, or one of a Vagrant box that the user names. Each is a machine
//! of its own, apart from those that the user has running of the same Vagrantfile. What network it has is Vagrant's.

use super::command::quoted;
use super::driver::{Driver, Raw, TestBox};
use super::guard::Guard;
use super::kept::Kept;
use super::lacking;
use super::late::{Connect, Late, Way};
use super::name;
use agent::os::child::Child;
use fleet::config::{Asked, Overrides, SshFiles, Surroundings, resolve};
use fleet::{Access, Found, Keyring, Passwords, Prompts, Remote, Source, Transport, Trouble};
use model::{Failure, Secret};
use std::env::{var_os, vars_os};
use std::fs;
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// How long `vagrant up` may take: it may have to fetch something.
const STARTING: Duration = Duration::from_secs(1800);
/// Destroys a machine and what was laid out for it. 1: its directory
const REMOVE: &str =
    "[ -d \"$1\" ] || exit 0; cd \"$1\"; vagrant destroy --force; cd /; exec rm -rf -- \"$1\"";

/// What a machine is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Machine {
    /// The first one of this Vagrantfile.
    Of(PathBuf),
    /// This Vagrant box.
    Boxed(String),
}

/// Makes them.
#[derive(Debug)]
pub struct Vagrant {
    machine: Machine,
}

impl Vagrant {
    /// Of this machine.
    pub fn starting(machine: Machine) -> Self {
        Self { machine }
    }

    /// A Vagrantfile for a directory of its own, where Vagrant keeps what it knows of the machine.
    fn file(&self) -> Result<String, Failure> {
        let text = match &self.machine {
            Machine::Of(path) => {
                let path = path.canonicalize().map_err(|error| no_file(path, &error))?;
                format!("load {}\n", in_ruby(&path.display().to_string()))
            }
            Machine::Boxed(name) => format!(
                "Vagrant.configure(\"2\") do |config|\n  config.vm.box = {}\n  \
                 config.vm.synced_folder \".\", \"/vagrant\", disabled: true\nend\n",
                in_ruby(name)
            ),
        };
        Ok(text)
    }
}

fn no_file(path: &Path, error: &std::io::Error) -> Failure {
    match error.kind() {
        ErrorKind::NotFound => Failure::refused(
            "there is no Vagrantfile beside keel.toml",
            "write one, or name a Vagrant box, as in --box vagrant:debian/bookworm64",
        ),
        _ => Failure::io("find", path.display(), error),
    }
}

/// A string of Ruby that means just this text.
fn in_ruby(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

impl Driver for Vagrant {
    fn name(&self) -> &'static str {
        "vagrant"
    }

    fn create(&self) -> Result<Box<dyn TestBox>, Failure> {
        lacking::programs(&[("vagrant", "vagrant")], &var_os("PATH").unwrap_or_default())?;
        let (file, name) = (self.file()?, name::next());
        let dir = std::env::temp_dir().join(&name);
        let failed = |error| Failure::io("write", dir.display(), error);
        fs::DirBuilder::new().mode(0o700).create(&dir).map_err(failed)?;
        let remove = remove(&dir);
        let guard = Guard::over(&remove)?;
        let path = dir.join("Vagrantfile");
        let written = fs::OpenOptions::new().write(true).create_new(true).open(path);
        let written = written.and_then(|mut made| made.write_all(file.as_bytes()));
        let made = written.map_err(failed).and_then(|()| start(&dir));
        let made = made.map_err(|failure| lacking::told("vagrant", "", failure));
        match made {
            Ok(connect) => Ok(Box::new(Started { name, dir, guard, connect })),
            Err(failure) => {
                guard.end()?;
                Err(failure)
            }
        }
    }
}

fn remove(dir: &Path) -> Vec<String> {
    ["sh", "-euc", REMOVE, "sh", &dir.display().to_string()].map(str::to_owned).to_vec()
}

/// Starts the first machine there, without what the Vagrantfile has for making it what it is to be: that is what is tested here.
fn start(dir: &Path) -> Result<Connect, Failure> {
    let status = vagrant(dir, &["status", "--machine-readable"])?;
    let named = |line: &str| match line.split(',').collect::<Vec<_>>()[..] {
        [_, machine, "state", _] => Some(machine.to_owned()),
        _ => None,
    };
    let first = status.lines().find_map(named);
    let first = first.ok_or_else(|| Failure::unknown("the box", "the Vagrantfile has no machine"))?;
    vagrant(dir, &["up", "--no-provision", &first])?;
    let told = |trouble: Trouble| Failure::unknown("the box", trouble.to_string());
    let found = Source::Vagrant(Some(dir.to_owned())).hosts(dir).map_err(told)?;
    let surroundings = Surroundings::here().map_err(told)?;
    Ok(Arc::new(move || connect(&first, &found, &surroundings)))
}

fn vagrant(dir: &Path, words: &[&str]) -> Result<String, Failure> {
    let mut child = Child::new(["vagrant"].iter().chain(words));
    child.env = vars_os().collect();
    child.cwd = dir.to_owned();
    child.timeout = STARTING;
    child.run()?.success()?.text()
}

fn connect(machine: &str, found: &Found, surroundings: &Surroundings) -> Result<Way, Trouble> {
    let files = SshFiles { instead: Some(found.config().to_owned()), ..SshFiles::usual(&surroundings.home) };
    let asked = Asked {
        name: machine.to_owned(),
        inventory: Overrides::default(),
        command_line: Overrides::default(),
    };
    let endpoint = resolve(&asked, &files, surroundings)?;
    let access = Access {
        prompts: &Nobody,
        transport: Transport::Auto,
        passwords: Passwords::Never,
        keyring: &Keyring::default(),
        notes: &|_| {},
        keep: None,
    };
    Ok(Way { remote: fleet::connect(&endpoint, &access)?, user: endpoint.user })
}

/// Vagrant's keys have no passphrase.
struct Nobody;

impl Prompts for Nobody {
    fn secret(&self, _: &str) -> Option<Secret<String>> {
        None
    }
}

/// A machine.
struct Started {
    name: String,
    dir: PathBuf,
    guard: Guard,
    connect: Connect,
}

impl TestBox for Started {
    fn remote(&self) -> Box<dyn Remote> {
        Box::new(Late::new(self.connect.clone()))
    }

    fn compare(&mut self) -> Result<Raw, Failure> {
        Ok(Raw::Unknown)
    }

    fn notes(&self) -> Vec<String> {
        vec!["it has the network that Vagrant gives it".to_owned()]
    }

    fn destroy(self: Box<Self>) -> Result<(), Failure> {
        self.guard.end()
    }

    fn keep(self: Box<Self>) -> Result<Kept, Failure> {
        self.guard.let_go()?;
        let enter = format!("cd {} && vagrant ssh", quoted(&self.dir.display().to_string()));
        Ok(Kept { name: self.name, enter, remove: remove(&self.dir), note: String::new() })
    }
}

#[cfg(test)]
mod tests {
    use super::{Machine, Vagrant, in_ruby};

    #[test]
    fn a_text_is_no_program_of_ruby() {
        assert_eq!(in_ruby("it's a \\ #{x}"), "'it\\'s a \\\\ #{x}'");
        let file = Vagrant::starting(Machine::Boxed("keel/debian".to_owned())).file().unwrap();
        assert!(file.contains("config.vm.box = 'keel/debian'\n"), "{file}");
    }
}
