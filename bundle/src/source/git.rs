//! A branch of a git remote as a place, by this machine's own `git`: gitremote-helpers(7) and all that its user has set up for it. Git carries
//! and nothing more: what is believed is the bundle's signature and counter. Nothing is checked out, so a tree can lead nowhere.

use super::place::{Limit, Source};
use crate::refusal::Refusal;
use std::cell::OnceCell;
use std::io::{ErrorKind, Read as _, Write};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

/// What is said to git each time: nobody to ask, no hook, no helper that an address could name, no waiting for one who is silent, and all that is
/// fetched in one file.
const SETTINGS: [&str; 8] = [
    "core.hooksPath=/dev/null",
    "protocol.allow=never",
    "protocol.https.allow=always",
    "protocol.ssh.allow=always",
    "protocol.file.allow=always",
    "http.lowSpeedLimit=1000",
    "http.lowSpeedTime=30",
    "fetch.unpackLimit=1",
];
/// Where git is told of another repository than the one it is in (git(1), ENVIRONMENT VARIABLES).
const ELSEWHERE: [&str; 6] = [
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_NAMESPACE",
];
/// A branch is fetched in so many seconds.
const WHOLE: u64 = 540;
/// And holds so many bytes at most, as git packs them.
const LARGEST: u64 = 4 << 30;
/// Runs git with these two bounds, for what a server gives has none: a file that grows beyond (ulimit of sh counts blocks of 512 bytes) ends it.
const BOUNDED: &str = "ulimit -f \"$1\" && shift && exec timeout --foreground -k 9 \"$@\"";
/// How ssh is called where the environment says nothing else.
const SSH: &str = "ssh -o BatchMode=yes -o ConnectTimeout=10 -o ServerAliveInterval=15";

/// A branch.
pub struct Git {
    address: String,
    url: String,
    branch: Option<String>,
    largest: u64,
    fetched: OnceCell<TempDir>,
}

impl Git {
    /// `git+https://…`, `git+ssh://…` or `git+file://…`, and after a `#` the branch; the remote's own unless said.
    ///
    /// # Errors
    /// Where that is no such address.
    pub fn new(address: &str) -> Result<Self, Refusal> {
        let unfit = |why: &str| Refusal::BadPointer { place: "git+…".to_owned(), why: why.to_owned() };
        let rest = address.strip_prefix("git+").unwrap_or(address);
        let (url, branch) = match rest.split_once('#') {
            Some((url, branch)) => (url, Some(branch)),
            None => (rest, None),
        };
        let (scheme, host) = url.split_once("://").ok_or_else(|| unfit("it is no address"))?;
        if !matches!(scheme, "https" | "ssh" | "file") {
            return Err(unfit("git is asked by git+https://, git+ssh:// or git+file://"));
        }
        let user = host.split('/').next().and_then(|host| host.rsplit_once('@')).map(|(user, _)| user);
        if user.is_some_and(|user| scheme != "ssh" || user.contains(':')) {
            return Err(unfit("a place has no password in it: git asks its own credential helper"));
        }
        if branch.is_some_and(|branch| !is_branch(branch)) {
            return Err(unfit("what follows the `#` is no name of a branch"));
        }
        let branch = branch.map(str::to_owned);
        let (address, url) = (address.to_owned(), url.to_owned());
        Ok(Self { address, url, branch, largest: LARGEST, fetched: OnceCell::new() })
    }

    /// What the branch holds now, fetched once: a pointer and its bundle come from one commit.
    fn fetched(&self) -> Result<&Path, Refusal> {
        if let Some(dir) = self.fetched.get() {
            return Ok(dir.path());
        }
        let dir = tempfile::tempdir().map_err(|error| Refusal::io("make", "a directory for git", error))?;
        let name =
            self.branch.as_ref().map_or_else(|| "HEAD".to_owned(), |name| format!("refs/heads/{name}"));
        self.run(git(dir.path(), &["init", "--quiet", "--bare", "--template="]))?;
        let shallow = ["fetch", "--quiet", "--depth=1", "--no-tags", "--no-recurse-submodules"];
        let fetch = git(dir.path(), &[&shallow[..], &["--", &self.url, &name]].concat());
        self.run(self.bounded(&fetch))?;
        Ok(self.fetched.get_or_init(|| dir).path())
    }

    /// The same command within the bounds.
    fn bounded(&self, git: &Command) -> Command {
        let mut bounded = start("sh");
        bounded.args(["-c", BOUNDED, "sh", &(self.largest / 512).to_string(), &WHOLE.to_string()]);
        bounded.arg(git.get_program()).args(git.get_args());
        for (name, value) in git.get_envs() {
            match value {
                Some(value) => bounded.env(name, value),
                None => bounded.env_remove(name),
            };
        }
        bounded.current_dir(git.get_current_dir().unwrap_or(Path::new("/"))).stdin(Stdio::null());
        bounded
    }

    fn run(&self, mut command: Command) -> Result<Output, Refusal> {
        let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let output = command.output().map_err(|error| self.cannot(&error))?;
        if output.status.success() {
            return Ok(output);
        }
        // As timeout(1) ends.
        if output.status.code() == Some(124) {
            return Err(Refusal::io("fetch", &self.address, format!("it did not come within {WHOLE} s")));
        }
        let said = String::from_utf8_lossy(&output.stderr);
        let said: Vec<&str> = said.lines().map(str::trim).filter(|line| !line.is_empty()).take(3).collect();
        Err(Refusal::io("fetch", &self.address, said.join("; ")))
    }

    fn cannot(&self, error: &std::io::Error) -> Refusal {
        match error.kind() {
            ErrorKind::NotFound => Refusal::io(
                "fetch",
                &self.address,
                "this machine has no git: install it, or name another kind of place",
            ),
            _ => Refusal::io("fetch", &self.address, error),
        }
    }
}

impl Source for Git {
    fn place(&self) -> String {
        self.address.clone()
    }

    fn get(&self, name: &str, most: Limit, to: &mut dyn Write) -> Result<Option<u64>, Refusal> {
        let dir = self.fetched()?;
        let listed = self.run(git(dir, &["ls-tree", "-z", "FETCH_HEAD", "--", name]))?.stdout;
        let listed = String::from_utf8_lossy(&listed);
        // `<mode> <type> <object>\t<name>\0`, git-ls-tree(1).
        let Some((found, _)) = listed.split_once('\t') else { return Ok(None) };
        let place = || format!("{}/{name}", self.address);
        let ["100644" | "100755", "blob", object] = found.split(' ').collect::<Vec<_>>()[..] else {
            return Err(Refusal::io("read", place(), "it is no file"));
        };
        let child = git(dir, &["cat-file", "blob", object]).stderr(Stdio::null()).spawn();
        let mut child = child.map_err(|error| self.cannot(&error))?;
        let pipe = child.stdout.take().expect("it was asked for");
        let copied = std::io::copy(&mut pipe.take(most + 1), to);
        let ended = child.wait().map_err(|error| self.cannot(&error))?;
        match copied.map_err(|error| Refusal::io("keep", place(), error))? {
            size if size > most => Err(Refusal::TooLarge { size, most }),
            size if ended.success() => Ok(Some(size)),
            _ => Err(Refusal::io("read", place(), "git could not tell all of it")),
        }
    }

    fn put(&self, name: &str, _: &[u8]) -> Result<(), Refusal> {
        let why = "publish to a checkout of the branch, which is a directory; then commit and push it";
        Err(Refusal::io("put", format!("{}/{name}", self.address), why))
    }
}

/// git in a repository, with nothing to read.
fn git(dir: &Path, args: &[&str]) -> Command {
    let mut git = start("git");
    git.args(SETTINGS.iter().flat_map(|setting| ["-c", setting])).args(args);
    for name in ELSEWHERE {
        git.env_remove(name);
    }
    git.env("GIT_TERMINAL_PROMPT", "0").env("LC_ALL", "C").env("GIT_DIR", dir);
    if std::env::var_os("GIT_SSH_COMMAND").is_none() {
        git.env("GIT_SSH_COMMAND", SSH);
    }
    git.current_dir(dir).stdin(Stdio::null()).stdout(Stdio::piped());
    git
}

#[expect(clippy::disallowed_methods, reason = "the place where git is started")]
fn start(program: &str) -> Command {
    Command::new(program)
}

/// As far as git-check-ref-format(1) goes for names that people give.
fn is_branch(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'/');
    !name.is_empty() && name.bytes().all(fits) && !name.starts_with(['-', '/', '.']) && !name.contains("..")
}

#[cfg(test)]
mod tests {
    use super::{Git, start};
    use crate::source::Source as _;
    use std::path::Path;

    /// A repository with one file of a mebibyte that packs badly.
    fn repository(dir: &Path) {
        let script = "git init -q -b main && head -c 1048576 /dev/urandom >a && git add a \
                      && git -c user.name=ann -c user.email=ann@example.org commit -q -m a";
        let made = start("sh").args(["-c", script]).current_dir(dir).status().expect("sh runs");
        assert!(made.success(), "{made}");
    }

    #[test]
    fn what_is_fetched_has_a_bound() {
        let dir = tempfile::tempdir().expect("a directory");
        repository(dir.path());
        let place = |largest| {
            let place = Git::new(&format!("git+file://{}", dir.path().display())).expect("it is a place");
            Git { largest, ..place }
        };
        let got = place(4 << 20).get("a", 2 << 20, &mut std::io::sink()).expect("it is small enough");
        assert_eq!(got, Some(1 << 20));
        let told = place(64 << 10).get("a", 2 << 20, &mut std::io::sink()).expect_err("it is too large");
        assert!(told.to_string().starts_with("cannot fetch git+file:///"), "{told}");
    }

    #[test]
    fn what_is_no_remote_is_told_without_its_password() {
        for address in [
            "git+http://example.org/a",
            "git+ext://sh -c id",
            "git+https://ann:hunter2@example.org/a",
            "git+https://hunter2@example.org/a",
            "git+ssh://ann:hunter2@example.org/a",
            "git+file:///srv/a#--upload-pack=id",
            "git+file:///srv/a#",
            "git+file:///srv/a#a..b",
            "git+here",
        ] {
            let told = Git::new(address).err().map(|refusal| refusal.to_string()).unwrap_or_default();
            assert!(told.contains("cannot be used") && !told.contains("hunter2"), "{address}: {told}");
        }
        for address in
            ["git+ssh://git@example.org/a.git#main", "git+https://example.org/a", "git+file:///a#b/c-1.2"]
        {
            assert!(Git::new(address).is_ok(), "{address}");
        }
    }
}
