//! Boxes that podman or docker runs: an image that the user names, or the base of booted boxes. Where an image has a systemd, that is
//! booted, and services run; else nothing runs but what is entered. As root they have no network but the way to packages; without, what
//! the engine gives.

use super::base::Base;
use super::booting::{self, Manager};
use super::command::quoted;
use super::driver::{Driver, Raw, TestBox};
use super::guard::Guard;
use super::kept::Kept;
use super::lacking;
use super::layered::Layers;
use super::name;
use super::way_out::WayOut;
use agent::os::child::Child;
use fleet::{Remote, Spawned};
use model::Failure;
use rustix::process::{Resource, getrlimit};
use std::collections::BTreeSet;
use std::env::{var_os, vars_os};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long a container may take to come up.
const BOOTING: Duration = Duration::from_secs(90);
/// The first process: systemd where there is one. It is to have its groups for writing, which are its own, and which docker gives for reading.
const INIT: &str = "[ -x /sbin/init ] || exec sleep infinity; for top in /sys/fs/cgroup/*/ /sys/fs/cgroup; \
                    do [ -w \"$top\" ] || mount -o remount,bind,rw \"$top\"; done 2>/dev/null; exec /sbin/init";
/// What a service manager and the kinds need beyond what engines give: mounts, and a network of one's own.
const SHARED: [&str; 6] = [
    "--cap-add=SYS_ADMIN",
    "--cap-add=NET_ADMIN",
    "--cap-add=AUDIT_WRITE",
    "--security-opt=seccomp=unconfined",
    "--security-opt=apparmor=unconfined",
    "--entrypoint=/bin/sh",
];

/// The program that runs containers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// podman(1).
    Podman,
    /// docker(1).
    Docker,
}

impl Engine {
    fn program(self) -> &'static str {
        match self {
            Self::Podman => "podman",
            Self::Docker => "docker",
        }
    }

    /// The package of Debian and Ubuntu that brings it.
    fn package(self) -> &'static str {
        match self {
            Self::Podman => "podman",
            Self::Docker => "docker.io",
        }
    }

    /// Its program, which knows all that the user's own shell tells it.
    fn child(self, words: &[&str]) -> Child {
        let mut child = Child::new([self.program()].iter().chain(words));
        child.env = vars_os().collect();
        child
    }

    fn ask(self, words: &[&str]) -> Result<String, Failure> {
        Ok(self.child(words).run()?.success()?.text()?.trim().to_owned())
    }

    /// What a failure means to the user, where what it says may be about the image.
    fn told(self, image: &str, failure: Failure) -> Failure {
        lacking::told(self.program(), image, failure)
    }

    /// Whether it is here and answers.
    fn look(self) -> Result<(), Failure> {
        let path = var_os("PATH").unwrap_or_default();
        lacking::programs(&[(self.program(), self.package())], &path)?;
        self.ask(&["ps", "--quiet", "--last=1"]).map(|_| ()).map_err(|failure| self.told("", failure))
    }

    /// What systemd needs to be the first process.
    fn for_init(self) -> Vec<String> {
        match self {
            Self::Podman => {
                let mut words = vec!["--systemd=always".to_owned(), "--stop-timeout=0".to_owned()];
                // No more than this process may have itself: raising a limit is a right that machines in containers lack.
                for (word, resource, usual) in
                    [("nofile", Resource::Nofile, 1_048_576), ("nproc", Resource::Nproc, 32_768)]
                {
                    let most = getrlimit(resource).maximum.unwrap_or(u64::MAX).min(usual);
                    words.push(format!("--ulimit={word}={most}:{most}"));
                }
                words
            }
            // It knows no such word: groups of the box's own, and the memory that systemd wants.
            Self::Docker => {
                ["--cgroupns=private", "--tmpfs=/run", "--tmpfs=/run/lock", "--env=container=docker"]
                    .map(str::to_owned)
                    .to_vec()
            }
        }
    }
}

/// Makes them.
#[derive(Debug)]
pub struct Containers {
    engine: Engine,
    /// The image; that of the base where `None`.
    image: Option<String>,
    base: Base,
    made: Mutex<Option<String>>,
}

impl Containers {
    /// Of this image; where there is none said, of this base, or of one that is made and kept.
    pub fn of(engine: Engine, image: Option<String>, base: Option<PathBuf>) -> Self {
        Self { engine, image, base: Base::of(base), made: Mutex::default() }
    }

    /// The image to start; the first who asks makes it, while others wait. It stays for later calls.
    fn image(&self) -> Result<String, Failure> {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(image) = &*made {
            return Ok(image.clone());
        }
        // A base takes a minute: not for an engine that does not answer.
        self.engine.look()?;
        if let Some(image) = &self.image {
            return Ok(made.insert(image.clone()).clone());
        }
        let base = self.base.path()?;
        let tag = base.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
        let image = format!("localhost/keel-box:{tag}");
        if self.engine.ask(&["image", "inspect", "--format", "{{.Id}}", &image]).is_err() {
            let script = "tar --numeric-owner -C \"$1\" -c . | \"$2\" import - \"$3\"";
            let from = base.display().to_string();
            let words = ["sh", "-euc", script, "sh", &from, self.engine.program(), &image];
            let mut import = Child::new(words);
            import.env = vars_os().collect();
            import.run()?.success()?;
        }
        Ok(made.insert(image).clone())
    }
}

impl Driver for Containers {
    fn name(&self) -> &'static str {
        self.engine.program()
    }

    fn create(&self) -> Result<Box<dyn TestBox>, Failure> {
        let (engine, image, name) = (self.engine, self.image()?, name::next());
        let remove = remove(engine, &name);
        let guard = Guard::over(&name, &remove)?;
        let is_root = rustix::process::geteuid().is_root();
        let mut words = vec!["run".to_owned(), "--detach".to_owned(), format!("--name={name}")];
        words.push(format!("--hostname={name}"));
        words.extend(SHARED.map(str::to_owned));
        words.extend(engine.for_init());
        words.extend(is_root.then(|| "--network=none".to_owned()));
        // The usual runtime of podman refuses to run beside groups of both versions (cgroups(7)).
        let is_hybrid = engine == Engine::Podman && Path::new("/sys/fs/cgroup/unified").exists();
        let before: &[&str] = if is_hybrid { &["--runtime=runc"] } else { &[] };
        words.extend([image.clone(), "-c".to_owned(), INIT.to_owned()]);
        let words: Vec<&str> = before.iter().copied().chain(words.iter().map(String::as_str)).collect();
        let mut made = Container {
            engine,
            name,
            guard,
            layers: None,
            way_out: None,
            raw: BTreeSet::new(),
            notes: Vec::new(),
        };
        let ran = made.guard.make(engine.child(&words)).map_err(|failure| engine.told(&image, failure));
        if let Err(failure) = ran.and_then(|_| made.boot(is_root)) {
            return Err(made.guard.give_up(failure));
        }
        Ok(Box::new(made))
    }
}

/// Whether this process of this machine is the first one of that box: an engine elsewhere tells numbers of its own machine. What cannot be
/// read is none of ours.
fn is_here(pid: u32, name: &str) -> bool {
    let said = fs::read_to_string(format!("/proc/{pid}/root/etc/hostname"));
    said.is_ok_and(|said| said.trim_end() == name)
}

/// What removes one, and does nothing where there is none. An engine that does not answer has not said so.
fn remove(engine: Engine, name: &str) -> Vec<String> {
    let script = "found=$(\"$1\" ps --all --quiet --filter \"name=^$2\\$\"); [ -n \"$found\" ] || exit 0; \
                  exec \"$1\" rm --force --volumes \"$2\"";
    ["sh", "-euc", script, "sh", engine.program(), name].map(str::to_owned).to_vec()
}

/// A container.
struct Container {
    engine: Engine,
    name: String,
    guard: Guard,
    /// Its image's files and its own changes, where both can be compared.
    layers: Option<Layers>,
    way_out: Option<WayOut>,
    /// What booting made otherwise.
    raw: BTreeSet<String>,
    notes: Vec<String>,
}

impl Container {
    fn boot(&mut self, is_root: bool) -> Result<(), Failure> {
        let log =
            || self.engine.ask(&["logs", "--tail", "8", &self.name]).unwrap_or_else(|why| why.to_string());
        // A systemd that lacks what it needs, such as control groups of its own, ends at once, and the container with it.
        let status = || self.engine.ask(&["inspect", "--format", "{{.State.Status}}", &self.name]);
        let has_ended = || status().is_ok_and(|status| status == "exited" || status == "dead");
        let manager = booting::wait(&|| self.remote(), Instant::now() + BOOTING, (&has_ended, &log))?;
        if manager == Manager::None {
            let none = format!(
                "no systemd is in the image: no service runs in this box of {}",
                self.engine.program()
            );
            self.notes.push(none);
        }
        if is_root {
            let pid = self.engine.ask(&["inspect", "--format", "{{.State.Pid}}", &self.name])?;
            let pid =
                pid.parse().map_err(|_| Failure::unknown("the box", format!("`{pid}` is no process")))?;
            if is_here(pid, &self.name) {
                self.way_out = Some(WayOut::open(pid, &mut *self.remote())?);
                self.layers = self.layers()?;
            } else {
                let program = self.engine.program();
                self.notes.push(format!("it has no network, as {program} runs it on another machine"));
            }
        } else {
            self.notes.push(format!("it has the network that {} gives it", self.engine.program()));
        }
        self.raw = self.differences()?.unwrap_or_default();
        Ok(())
    }

    /// Engines that keep images otherwise tell nothing of such layers, or `null`.
    fn layers(&self) -> Result<Option<Layers>, Failure> {
        let format = "{{with .GraphDriver}}{{.Data.LowerDir}}\n{{.Data.UpperDir}}{{end}}";
        let said = self.engine.ask(&["inspect", "--format", format, &self.name])?;
        said.split_once('\n').map_or(Ok(None), |(lower, upper)| Layers::of(lower, upper))
    }

    fn differences(&self) -> Result<Option<BTreeSet<String>>, Failure> {
        self.layers.as_ref().map(Layers::differences).transpose()
    }
}

impl TestBox for Container {
    fn remote(&self) -> Box<dyn Remote> {
        let words = [self.engine.program(), "exec", "--interactive", "--user=0", &self.name];
        Box::new(Spawned::behind(words.map(str::to_owned).to_vec()).knowing(vars_os()))
    }

    fn compare(&mut self) -> Result<Raw, Failure> {
        let now = self.differences()?;
        Ok(now.map_or(Raw::Unknown, |now| Raw::Differs(now.difference(&self.raw).cloned().collect())))
    }

    fn notes(&self) -> Vec<String> {
        self.notes.clone()
    }

    fn destroy(self: Box<Self>) -> Result<(), Failure> {
        drop((self.way_out, self.layers));
        self.guard.end()
    }

    fn keep(self: Box<Self>) -> Result<Kept, Failure> {
        self.guard.let_go()?;
        let (program, name) = (self.engine.program(), self.name);
        let enter = format!("{program} exec -it {} bash", quoted(&name));
        Ok(Kept { enter, remove: remove(self.engine, &name), note: super::way_out::note(self.way_out), name })
    }
}

#[expect(clippy::disallowed_methods, reason = "files of a test's own")]
#[cfg(test)]
mod tests {
    use super::{Engine, remove};
    use agent::os::child::Child;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn a_box_is_gone_only_where_the_engine_says_so() {
        let dir = std::env::temp_dir().join(format!("keel-engine-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let program = dir.join("docker");
        for (ps, ends) in
            [("exit 1", "exit status: 1"), ("true", "exit status: 0"), ("echo 0123", "exit status: 7")]
        {
            let script = format!(
                "#!/bin/sh\ncase $1 in ps) [ \"$5\" = 'name=^keel-box-1-1$' ] || exit 9; {ps};; rm) exit 7;; esac\n"
            );
            std::fs::write(&program, script).unwrap();
            std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
            let mut child = Child::new(remove(Engine::Docker, "keel-box-1-1"));
            child.env = [("PATH".into(), format!("{}:/usr/bin:/bin", dir.display()).into())].into();
            assert_eq!(child.run().unwrap().status.to_string(), ends, "{ps}");
        }
        std::fs::remove_dir_all(dir).unwrap();
    }
}
