//! Starts `keel rehearse` and reads what it told; and what of the machine must stay as it is.

use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use tempfile::TempDir;

/// What a rehearsal told.
pub struct Rehearsed {
    pub code: i32,
    pub text: String,
    pub found: Value,
}

impl Rehearsed {
    /// One field of each entry of a list.
    pub fn names(&self, list: &str, field: &str) -> Vec<String> {
        let entries = self.found[list].as_array().unwrap_or_else(|| panic!("no {list}: {}", self.text));
        entries.iter().filter_map(|entry| entry[field].as_str().map(str::to_owned)).collect()
    }

    /// `user NAME` and `group NAME`.
    pub fn subjects(&self) -> Vec<String> {
        let accounts = self.found["accounts"].as_array().expect("a list");
        let subject = |account: &Value| {
            let (kind, name) =
                account["subject"].as_object().and_then(|it| it.iter().next()).expect("a subject");
            format!("{kind} {}", name.as_str().expect("a name"))
        };
        accounts.iter().map(subject).collect()
    }

    /// `added PATH detail, detail` for each file.
    pub fn lines(&self) -> Vec<String> {
        let files = self.found["files"].as_array().unwrap_or_else(|| panic!("no files: {}", self.text));
        let text = |value: &Value| value.as_str().unwrap_or("").to_owned();
        let line = |file: &Value| {
            let details: Vec<String> = file["details"].as_array().expect("a list").iter().map(text).collect();
            format!("{} {} {}", text(&file["turn"]), text(&file["path"]), details.join(", "))
                .trim_end()
                .to_owned()
        };
        files.iter().map(line).collect()
    }
}

/// One that was started, with its resources in a file that goes when this does.
pub struct Front {
    child: Child,
    _dir: TempDir,
}

impl Front {
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    pub fn kill(&mut self) {
        self.child.kill().expect("it is still ours");
    }

    pub fn wait(&mut self) -> ExitStatus {
        self.child.wait().expect("it was started")
    }
}

#[expect(clippy::disallowed_methods, reason = "a test makes its own files and starts what it tests")]
fn command(resources: &str, format: &str) -> (Command, TempDir) {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("resources.toml");
    std::fs::write(&file, resources).expect("a file");
    let mut command = Command::new(env!("CARGO_BIN_EXE_keel"));
    command.args(["rehearse", "--local", "--format", format, "-f"]).arg(&file);
    (command, dir)
}

/// Starts one that will be killed.
pub fn start(resources: &str) -> Front {
    let (mut command, dir) = command(resources, "json");
    let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("keel starts");
    Front { child, _dir: dir }
}

/// Runs one to its end.
pub fn rehearse(resources: &str) -> Rehearsed {
    run(resources, "json")
}

/// The same, for people.
pub fn human(resources: &str) -> Rehearsed {
    run(resources, "human")
}

/// Runs one where a shell script has mounted things, of which this machine sees nothing.
#[expect(clippy::disallowed_methods, reason = "a test starts what it tests")]
pub fn in_mounts(script: &str, resources: &str) -> Rehearsed {
    let (keel, _dir) = command(resources, "json");
    let script = format!("{script} && exec \"$0\" \"$@\"");
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-c", &script]).arg(keel.get_program()).args(keel.get_args());
    told(&mut command)
}

fn run(resources: &str, format: &str) -> Rehearsed {
    let (mut command, _dir) = command(resources, format);
    told(&mut command)
}

fn told(command: &mut Command) -> Rehearsed {
    let output = command.output().expect("keel starts");
    let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    let mut events = text.lines().rev().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let found = events.find(|event| event["event"] == "rehearsal").unwrap_or(Value::Null);
    Rehearsed { code: output.status.code().unwrap_or(-1), text, found }
}

/// What must stay as it is, bytes by path.
pub fn machine() -> BTreeMap<String, Vec<u8>> {
    let files = [
        "/etc/passwd",
        "/etc/group",
        "/etc/shadow",
        "/etc/gshadow",
        "/etc/issue",
        "/etc/hostname",
        "/var/lib/dpkg/status",
        "/proc/sys/vm/swappiness",
        "/proc/sys/kernel/hostname",
    ];
    let bytes = |path: &&str| ((*path).to_owned(), std::fs::read(path).unwrap_or_default());
    let mut machine: BTreeMap<String, Vec<u8>> = files.iter().map(bytes).collect();
    for path in
        ["/etc/keel-x", "/etc/keel-link", "/srv/keel rehearsal", "/usr/bin/hello", "/usr/sbin/policy-rc.d"]
    {
        machine.insert(path.to_owned(), vec![u8::from(Path::new(path).exists())]);
    }
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").expect("there is a /proc");
    let ours: Vec<&str> = mounts.lines().filter(|line| line.contains("keel-rehearsal")).collect();
    machine.insert("mounts".to_owned(), ours.join("\n").into_bytes());
    machine
}
