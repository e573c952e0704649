//! Boxes that Vagrant starts: the first machine of the site's Vagrantfile, or one of a Vagrant box that the user names. Each is a machine
//! of its own, apart from those that the user has running of the same Vagrantfile. What network it has is Vagrant's.

use super::command::plain;
use super::driver::{Driver, Raw, TestBox};
use super::guard::Guard;
use super::kept::{self, Kept};
use super::lacking;
use super::late::{Connect, Late, Way};
use super::name;
use agent::os::child::Child;
use fleet::config::{Asked, Overrides, SshFiles, Surroundings, resolve};
use fleet::{Access, Found, Keyring, Passwords, Prompts, Remote, Transport, Trouble};
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
/// Destroys a machine and what is its own. 1: where that is
const REMOVE: &str = "[ -d \"$1\" ] || exit 0; vagrant destroy --force; exec rm -rf -- \"$1\"";

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
}

impl Driver for Vagrant {
    fn name(&self) -> &'static str {
        "vagrant"
    }

    fn create(&self) -> Result<Box<dyn TestBox>, Failure> {
        lacking::programs(&[("vagrant", "vagrant")], &var_os("PATH").unwrap_or_default())?;
        let name = name::next();
        let place = Place::of(&self.machine, &kept::state()?.join("machines").join(&name))?;
        let guard = Guard::over(&name, &place.remove())?;
        match place.lay_out(&self.machine).and_then(|()| place.start(&guard)) {
            Ok((machine, connect)) => Ok(Box::new(Started { name, place, machine, guard, connect })),
            Err(failure) => Err(guard.give_up(lacking::told("vagrant", "", failure))),
        }
    }
}

/// Where a machine is from and what it has of its own. Both are said to Vagrant each time, whatever else the user's environment says of
/// them: it is never one of the user's own machines that is started, or destroyed. Paths in a Vagrantfile mean what they mean to the user.
#[derive(Clone, Debug)]
struct Place {
    /// The directory of the Vagrantfile.
    root: PathBuf,
    /// That of what Vagrant knows of this machine. It lasts as the machine does, also when this computer is started anew.
    own: PathBuf,
}

impl Place {
    fn of(machine: &Machine, own: &Path) -> Result<Self, Failure> {
        let root = match machine {
            Machine::Of(path) => {
                let root =
                    path.metadata().and_then(|_| path.parent().unwrap_or(Path::new("/")).canonicalize());
                root.map_err(|error| no_file(path, &error))?
            }
            Machine::Boxed(_) => own.to_owned(),
        };
        Ok(Self { root, own: own.to_owned() })
    }

    /// Variables of the environment, as Vagrant's documentation has them.
    fn variables(&self) -> [(&'static str, String); 3] {
        [
            ("VAGRANT_CWD", self.root.display().to_string()),
            ("VAGRANT_DOTFILE_PATH", self.own.join(".vagrant").display().to_string()),
            ("VAGRANT_VAGRANTFILE", "Vagrantfile".to_owned()),
        ]
    }

    /// Makes the directory, and a Vagrantfile where there is none yet.
    fn lay_out(&self, machine: &Machine) -> Result<(), Failure> {
        let failed = |error| Failure::io("write", self.own.display(), error);
        let above = self.own.parent().unwrap_or(Path::new("/"));
        fs::DirBuilder::new().recursive(true).mode(0o700).create(above).map_err(failed)?;
        fs::DirBuilder::new().mode(0o700).create(&self.own).map_err(failed)?;
        let Machine::Boxed(name) = machine else { return Ok(()) };
        let made = fs::OpenOptions::new().write(true).create_new(true).open(self.own.join("Vagrantfile"));
        made.and_then(|mut made| made.write_all(vagrantfile(name).as_bytes())).map_err(failed)
    }

    /// Starts the first machine, without what the Vagrantfile has for making it what it is to be: that is what is tested here. Its name, and
    /// how it is reached.
    fn start(&self, guard: &Guard) -> Result<(String, Connect), Failure> {
        let run = |words: &[&str]| self.vagrant(words).run()?.success()?.text();
        let status = run(&["status", "--machine-readable"])?;
        let named = |line: &str| match line.split(',').collect::<Vec<_>>()[..] {
            [_, machine, "state", _] => Some(machine.to_owned()),
            _ => None,
        };
        let first = status.lines().find_map(named);
        let first = first.ok_or_else(|| Failure::unknown("the box", "the Vagrantfile has no machine"))?;
        guard.make(self.vagrant(&["up", "--no-provision", &first]))?;
        let told = |trouble: Trouble| Failure::unknown("the box", trouble.to_string());
        let found = Found::told_by_vagrant(&run(&["ssh-config", &first])?).map_err(told)?;
        let (surroundings, name) = (Surroundings::here().map_err(told)?, first.clone());
        let connect: Connect = Arc::new(move || connect(&name, &found, &surroundings));
        Ok((first, connect))
    }

    fn vagrant(&self, words: &[&str]) -> Child {
        let mut child = Child::new(["vagrant"].iter().chain(words));
        child.env = vars_os().collect();
        child.env.extend(self.variables().map(|(name, value)| (name.into(), value.into())));
        child.timeout = STARTING;
        child
    }

    fn remove(&self) -> Vec<String> {
        let variables = self.variables().map(|(name, value)| format!("{name}={value}"));
        let words = ["sh", "-euc", REMOVE, "sh"].map(str::to_owned);
        let own = self.own.display().to_string();
        std::iter::once("env".to_owned()).chain(variables).chain(words).chain([own]).collect()
    }

    /// What a user types to be in it.
    fn enter(&self, machine: &str) -> String {
        let variables = self.variables().map(|(name, value)| format!("{name}={}", plain(&value)));
        format!("{} vagrant ssh {}", variables.join(" "), plain(machine))
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

/// One with nothing but the box `name`.
fn vagrantfile(name: &str) -> String {
    format!(
        "Vagrant.configure(\"2\") do |config|\n  config.vm.box = {}\n  \
         config.vm.synced_folder \".\", \"/vagrant\", disabled: true\nend\n",
        in_ruby(name)
    )
}

/// A string of Ruby that means just this text.
fn in_ruby(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
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
    place: Place,
    /// Its name in the Vagrantfile.
    machine: String,
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
        let (enter, remove) = (self.place.enter(&self.machine), self.place.remove());
        Ok(Kept { name: self.name, enter, remove, note: String::new() })
    }
}

#[cfg(test)]
mod tests {
    use super::{Machine, Place, in_ruby, vagrantfile};
    use std::path::Path;

    #[test]
    fn a_text_is_no_program_of_ruby() {
        assert_eq!(in_ruby("it's a \\ #{x}"), "'it\\'s a \\\\ #{x}'");
        let file = vagrantfile("keel/debian");
        assert!(file.contains("config.vm.box = 'keel/debian'\n"), "{file}");
    }

    #[test]
    fn each_call_names_the_machine_whatever_the_environment_says() {
        let own = Path::new("/state/machines/keel-box-1-1");
        let boxed = Place::of(&Machine::Boxed("a".to_owned()), own).unwrap();
        let wanted = "VAGRANT_CWD=/state/machines/keel-box-1-1 VAGRANT_DOTFILE_PATH=/state/machines/keel-box-1-1/.vagrant \
                      VAGRANT_VAGRANTFILE=Vagrantfile";
        assert_eq!(boxed.enter("web 1"), format!("{wanted} vagrant ssh 'web 1'"));
        let remove = boxed.remove().join(" ");
        assert!(
            remove.starts_with(&format!("env {wanted} sh "))
                && remove.ends_with(" sh /state/machines/keel-box-1-1")
        );
        let set = boxed.vagrant(&["up"]).env;
        assert_eq!(
            set["VAGRANT_DOTFILE_PATH".as_ref() as &std::ffi::OsStr],
            "/state/machines/keel-box-1-1/.vagrant"
        );
        let missing = Place::of(&Machine::Of("/nonexistent/Vagrantfile".into()), own).unwrap_err();
        assert!(missing.to_string().starts_with("there is no Vagrantfile beside keel.toml; write one"));
    }
}
