//! A host and a site with a secret of every sort. `/etc` is a copy of that of this machine.

use super::spelling::Canary;
use super::watch::Watch;
use crate::scratch::{Ran, Scratch, walk};
use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

/// What of the site is the same each time.
const SITE: &str = r#"
[file."HOST/content"]
content = "x={{ inputs.content }}\n"
[file."HOST/template"]
template = "page.hbs"
[file."HOST/source"]
source = "held"
sensitive = true
[line.line]
path = "HOST/lines"
line = "{{ inputs.line }}"
[user.keelcanary]
manage_home = false
password_hash = "{{ inputs.password }}"
[exec.stdin]
command = ["/bin/sh", "-c", "cat; sleep 0.05"]
stdin = "{{ inputs.stdin }}"
[exec.env]
command = ["/bin/sh", "-c", ": asked for; echo \"$TOKEN\"; unset TOKEN; sleep 0.05"]
env = { TOKEN = "{{ inputs.env }}" }
[exec.argv]
command = ["/bin/sh", "-c", ": asked for; echo \"$0\" >&2; sleep 0.05", "{{ inputs.argv }}"]
"#;

/// A step that tells all it knows and fails, after all others.
pub const FAILS: &str = r#"
[exec.fails]
command = ["/bin/sh", "-c", ": asked for; echo \"$0\"; echo \"$TOKEN\" >&2; unset TOKEN; cat; exit 3", "{{ inputs.argv }}"]
env = { TOKEN = "{{ inputs.env }}" }
stdin = "{{ inputs.stdin }}"
require = ["exec.argv"]
"#;

/// The same, and never ends.
pub const HANGS: &str = r#"
[exec.hangs]
command = ["/bin/sh", "-c", ": asked for; echo \"$0\"; echo \"$TOKEN\" >&2; unset TOKEN; sleep 60", "{{ inputs.argv }}"]
env = { TOKEN = "{{ inputs.env }}" }
timeout = "1s"
require = ["exec.argv"]
"#;

/// What the secrets are for. `held` lies in the site as it is, the others are sealed.
const NAMES: [&str; 8] = ["content", "template", "line", "stdin", "env", "argv", "password", "held"];

const LAYER: &str = "test -d \"$0\" || cp -a /etc \"$0\"; mount --bind \"$0\" /etc && exec \"$@\"";

/// The host, the site, and the secrets that were ever planted.
pub struct Aviary {
    scratch: Scratch,
    canaries: Vec<Arc<Canary>>,
}

impl Aviary {
    /// With secrets of its own, and `more` in the site.
    pub fn new(more: &str) -> Self {
        let scratch = Scratch::new();
        let root = scratch.root();
        fs::create_dir_all(root.join(".ssh"))
            .and_then(|()| fs::create_dir_all(root.join("secrets")))
            .expect("made");
        let key = root.join(".ssh/id_ed25519");
        let made =
            Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(&key).status();
        assert!(made.expect("ssh-keygen is there").success());
        fs::copy(root.join(".ssh/id_ed25519.pub"), root.join("secrets/recipients")).expect("copied");
        fs::write(root.join("page.hbs"), "<p>{{ inputs.template }}</p>\n").expect("written");
        let inputs: String = NAMES[..7]
            .iter()
            .map(|name| format!("[inputs.{name}]\ntype = \"secret\"\ndefault = {{ secret = \"{name}\" }}\n"))
            .collect();
        scratch.site(&format!("{inputs}{SITE}{more}"));
        fs::write(scratch.host("lines"), "first\n").expect("written");
        fs::set_permissions(scratch.host("lines"), fs::Permissions::from_mode(0o600)).expect("root may");
        let mut aviary = Self { scratch, canaries: Vec::new() };
        aviary.plant("a");
        aviary
    }

    /// Gives every secret a new value.
    pub fn plant(&mut self, generation: &str) {
        for name in NAMES {
            let word = format!("{name}{generation}");
            // A password is a hash, whose letters are few; others try every quoting.
            let canary = match name {
                "password" => Canary::new(&word, "$6$"),
                _ => Canary::new(&word, "'\"\\ &é"),
            };
            let file = self.scratch.root().join(if name == "held" { "held" } else { "value" });
            let mut options = fs::OpenOptions::new();
            let written = options.write(true).create(true).truncate(true).mode(0o600).open(&file);
            written.and_then(|mut file| file.write_all(canary.text.as_bytes())).expect("written");
            if name != "held" {
                let fresh = !self.scratch.root().join(format!("secrets/{name}.age")).exists();
                let verb: &[&str] = if fresh { &["create"] } else { &["rotate", "--new"] };
                let input = Stdio::from(fs::File::open(&file).expect("it is there"));
                let ran = self.run(
                    Command::new(env!("CARGO_BIN_EXE_keel")).arg("secret").args(verb).arg(name),
                    None,
                    input,
                );
                assert_eq!(ran.code, 0, "{ran:?}");
                fs::remove_file(&file).expect("removed");
            }
            self.canaries.push(Arc::new(canary));
        }
    }

    /// The same as [`Aviary::quiet`], and it ends with `code`.
    #[track_caller]
    pub fn ends(&self, code: i32, verb: &str, more: &[&str]) {
        let ran = self.quiet(None, verb, more);
        assert_eq!(ran.code, code, "{verb} {more:?}: {ran:?}");
    }

    /// Calls the program, which dies `at` a failpoint or ends, on the host while everybody's processes are watched; and searches all that came of it.
    #[track_caller]
    pub fn quiet(&self, at: Option<&str>, verb: &str, more: &[&str]) -> Ran {
        let etc = self.scratch.root().join("etc");
        let mut keel = Command::new("unshare");
        keel.args(["-m", "--propagation", "private", "/bin/sh", "-c", LAYER]).arg(etc);
        keel.arg(env!("CARGO_BIN_EXE_keel")).args(self.scratch.arguments(verb, more));
        let watch = Watch::begin(&self.canaries);
        let ran = self.run(&mut keel, at, Stdio::null());
        let seen: Vec<String> =
            watch.end().into_iter().filter(|one| !one.contains("/bin/sh -c : asked for")).collect();
        assert_eq!(seen, Vec::<String>::new(), "{verb} {more:?}");
        for text in [&ran.out, &ran.err] {
            assert!(!self.is_in(text.as_bytes()), "{verb} {more:?}: {ran:?}");
        }
        let kept = |path: &Path, modes| self.is_kept_image(path) && modes == (0o600, 0o700);
        let held = self.holders().into_iter();
        let leaks: Vec<PathBuf> =
            held.filter(|(path, modes)| !kept(path, *modes)).map(|(path, _)| path).collect();
        assert_eq!(leaks, Vec::<PathBuf>::new(), "{verb} {more:?}");
        ran
    }

    /// The files below the state and the laptop's own that hold a secret, or whose names do; with their modes and that of their directory.
    pub fn holders(&self) -> BTreeMap<PathBuf, (u32, u32)> {
        let mut found = BTreeMap::new();
        let local = self.scratch.root().join(".local");
        for top in [self.scratch.state(""), local].into_iter().filter(|top| top.exists()) {
            walk(&top, &mut |path, meta| {
                let bytes = if meta.is_file() { fs::read(path).expect("root reads") } else { Vec::new() };
                if self.is_in(&bytes) || self.is_in(path.as_os_str().as_encoded_bytes()) {
                    let mode =
                        |path: &Path| fs::metadata(path).expect("it is there").permissions().mode() & 0o7777;
                    found.insert(path.to_owned(), (mode(path), mode(path.parent().expect("below"))));
                }
            });
        }
        found
    }

    /// Whether a secret is on the host where it belongs.
    pub fn is_applied(&self) -> bool {
        let held = |name: &str| fs::read(self.scratch.host(name)).is_ok_and(|bytes| self.is_in(&bytes));
        ["content", "template", "source", "lines"].into_iter().all(held)
    }

    fn is_in(&self, bytes: &[u8]) -> bool {
        self.canaries.iter().any(|canary| canary.is_in(bytes))
    }

    /// Bytes that a file had before, under a name that is an HMAC.
    fn is_kept_image(&self, path: &Path) -> bool {
        path.parent() == Some(&self.scratch.state("blobs/keyed"))
            && !self.is_in(path.as_os_str().as_encoded_bytes())
    }

    fn run(&self, command: &mut Command, at: Option<&str>, input: Stdio) -> Ran {
        command.env_clear().env("HOME", self.scratch.root()).env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
        command.envs(at.map(|at| ("KEEL_FAILPOINT", at)));
        let output = command.current_dir(self.scratch.root()).stdin(input).output().expect("it starts");
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Ran { code: output.status.code().unwrap_or(-1), out: text(output.stdout), err: text(output.stderr) }
    }
}
