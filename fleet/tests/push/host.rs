//! A host in a directory: tools, a state directory, agents to bring there, and the words of an agent.

use crate::program;
use crate::shell::{Cut, Shell};
use crate::told::Told;
use fleet::{
    Agents, Connect, End, Endpoint, Password, Patience, Places, Push, RecordedNames, Target, UnknownKeys,
    push,
};
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::Duration;
use tempfile::TempDir;
use wire::{Hello, Message, Up, VERSION};

/// What the script and the tests' own scripts call.
const TOOLS: &[&str] = &[
    "sh",
    "ls",
    "sha256sum",
    "head",
    "gzip",
    "chmod",
    "sync",
    "mv",
    "rm",
    "find",
    "uname",
    "mkdir",
    "cat",
    "sleep",
    "touch",
    "wc",
];

/// A host.
pub struct Host {
    pub dir: TempDir,
    /// The login shell.
    pub login: Vec<String>,
    /// What takes the place of `/bin/sh`.
    pub sh: String,
    pub patience: Patience,
    pub cut: Option<Cut>,
}

/// Who logs in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum As {
    Root,
    User,
}

impl Host {
    /// A host with the usual tools, and with an agent beside keel that says hello and that it is done.
    pub fn new(login: As) -> Self {
        let words = |words: &str| words.split(' ').map(str::to_owned).collect();
        let host = Self {
            dir: tempfile::tempdir().unwrap(),
            login: words("/bin/sh -c"),
            sh: "/bin/sh".to_owned(),
            patience: short(),
            cut: None,
        };
        for place in ["tools", "agents"] {
            fs::create_dir(host.path(place)).unwrap();
        }
        for tool in TOOLS {
            let found = ["/usr/bin", "/bin"].map(|place| Path::new(place).join(tool));
            symlink(found.iter().find(|path| path.exists()).unwrap(), host.path("tools").join(tool)).unwrap();
        }
        if login == As::Root {
            fs::create_dir(host.path("mark")).unwrap();
        }
        host.says("hello", &[hello("h")]);
        host.says("done", &[Up::Done(wire::Ending::Unchanged)]);
        host.agent("cat hello done; cat >/dev/null");
        host
    }

    pub fn path(&self, place: &str) -> PathBuf {
        self.dir.path().join(place)
    }

    /// The directory of its agents.
    pub fn bin(&self) -> PathBuf {
        self.path("state/bin")
    }

    /// What is in it, `.part-…` included.
    pub fn installed(&self) -> Vec<String> {
        let entries = fs::read_dir(self.bin()).into_iter().flatten();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    /// Its one agent.
    pub fn installed_agent(&self) -> PathBuf {
        let [name] = &self.installed()[..] else { panic!("one agent: {:?}", self.installed()) };
        self.bin().join(name)
    }

    /// The agent beside keel runs this in the host's directory; its standard streams are the connection.
    pub fn agent(&self, script: &str) {
        let script = format!("cd {} && {script}", self.dir.path().display());
        fs::write(self.path("agents/keel-agent-x86_64"), program::becoming(&script)).unwrap();
    }

    /// A file with these words of an agent, for `cat`.
    pub fn says(&self, file: &str, words: &[Up]) {
        fs::write(self.path(file), frames(words)).unwrap();
    }

    /// A tool that is a script; in it `{dir}` is the host's directory.
    pub fn tool(&self, name: &str, script: &str) {
        let path = self.path("tools").join(name);
        if path.exists() {
            fs::remove_file(&path).unwrap();
        }
        let script = script.replace("{dir}", &self.dir.path().display().to_string());
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// Its tools are those of busybox.
    pub fn busy(&self) {
        let busybox = ["/usr/bin/busybox", "/bin/busybox"].into_iter().find(|path| Path::new(path).exists());
        for tool in TOOLS {
            self.without(tool);
            symlink(busybox.unwrap(), self.path("tools").join(tool)).unwrap();
        }
    }

    pub fn without(&self, tool: &str) {
        fs::remove_file(self.path("tools").join(tool)).unwrap();
    }

    pub fn shell(&self) -> Shell {
        Shell { argv: self.login.clone(), tools: self.path("tools"), sh: self.sh.clone(), cut: self.cut }
    }

    /// Pushes to it, as `h1`.
    pub fn push(&self, told: &Told, password: &Password<'_>) -> End {
        self.push_until(told, password, &AtomicBool::new(false))
    }

    pub fn push_until(&self, told: &Told, password: &Password<'_>, stop: &AtomicBool) -> End {
        let connect = |_: &Endpoint| -> Result<_, _> { Ok(Box::new(self.shell()) as _) };
        self.push_by(&connect, (told, password), stop)
    }

    /// Pushes to it over a connection of the test's own.
    pub fn push_by(
        &self,
        connect: &Connect<'_>,
        (told, password): (&Told, &Password<'_>),
        stop: &AtomicBool,
    ) -> End {
        self.pushes(1, connect, (told, password), stop).remove(0).1
    }

    /// Pushes to it under so many names; what each ended with, in words.
    pub fn push_many(&self, count: usize, told: &Told, password: &Password<'_>) -> Vec<String> {
        let connect = |_: &Endpoint| -> Result<_, _> { Ok(Box::new(self.shell()) as _) };
        let ends = self.pushes(count, &connect, (told, password), &AtomicBool::new(false));
        ends.iter().map(|(_, end)| in_words(end)).collect()
    }

    fn pushes(
        &self,
        count: usize,
        connect: &Connect<'_>,
        (told, password): (&Told, &Password<'_>),
        stop: &AtomicBool,
    ) -> Vec<(String, End)> {
        let target = |n| Target { name: format!("h{n}"), endpoint: Ok(endpoint("ada")) };
        let targets: Vec<_> = (1..=count).map(target).collect();
        let agents = Agents::beside(&self.path("agents"));
        let (places, patience) = (self.places(), self.patience.clone());
        push(&Push {
            targets: &targets,
            parallel: 8,
            connect,
            password,
            agents: &agents,
            places,
            patience,
            controller: told,
            stop,
            detach: &told.detach,
            runs: told.runs.as_ref(),
            resume: told.resume,
            wait: told.wait,
        })
    }

    pub fn places(&self) -> Places {
        let place = |name| self.path(name).display().to_string();
        Places { state: place("state"), mark: place("mark"), path: place("tools") }
    }

    /// Pushes to it, where nobody is asked for a password; what it ended with, in words.
    pub fn end(&self) -> String {
        in_words(&self.push(&Told::default(), &Password::never()))
    }
}

/// Deadlines that a test can wait for.
pub fn short() -> Patience {
    let limit = Duration::from_secs(20);
    let (first_words, silence, nap) = (limit, limit, Duration::from_millis(10));
    // Nobody comes back but where a test says so.
    let (back, margin) = (Duration::ZERO, Duration::ZERO);
    Patience { login: limit, elevate: limit, step: limit, first_words, silence, back, margin, nap }
}

/// As a user is told, where it is a trouble.
pub fn in_words(end: &End) -> String {
    match end {
        End::Trouble(trouble) => trouble.to_string(),
        End::Ended(ending) => format!("{ending:?}"),
        End::Refused(because) => format!("refused: {because}"),
    }
}

pub fn frames<M: Message>(words: &[M]) -> Vec<u8> {
    let mut bytes = Vec::new();
    words.iter().for_each(|word| wire::send(&mut bytes, word).unwrap());
    bytes
}

pub fn hello(hostname: &str) -> Up {
    let facts = model::Facts { hostname: hostname.to_owned(), ..model::Facts::default() };
    Up::Hello(Box::new(Hello { protocol: VERSION, agent: "0.1.0".to_owned(), facts }))
}

pub fn endpoint(user: &str) -> Endpoint {
    let limit = Duration::from_secs(10);
    Endpoint {
        alias: "h1".to_owned(),
        host: "h1".to_owned(),
        port: 22,
        user: user.to_owned(),
        identities: Vec::new(),
        identities_only: true,
        agent: None,
        jumps: Vec::new(),
        known_hosts: Vec::new(),
        recorded_names: RecordedNames::Plain,
        host_key_alias: None,
        host_keys: Vec::new(),
        unknown_keys: UnknownKeys::Refuse,
        connect_timeout: limit,
        alive_interval: limit,
        alive_count: 3,
        keep: Duration::from_secs(60),
        needs_openssh: None,
        openssh_options: Vec::new(),
        openssh_config: None,
    }
}
