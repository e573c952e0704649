//! The subject `file`: what stands at a path.

use super::ground::{Ground, Inside, Wrote};
use super::subject::Subject;
use super::wanted::Wanted;
use crate::kind::Listed;
use crate::parts::follow::follow;
use crate::system::{Entry, EntryKind, Look};
use model::{Failure, HostPath, Principal, Problem, Shortfall};
use schemars::JsonSchema;
use serde::Deserialize;

/// What stands at a path. `file = "/etc/motd"` is short for `file = { path = "/etc/motd" }`: something is there.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// The path. Links are followed unless `type = "symlink"`.
    path: HostPath,
    /// What it is: `file`, `directory`, `symlink`, or anything.
    r#type: Option<Type>,
    /// Whether there is nothing. Then it has no other key.
    #[serde(default)]
    absent: bool,
    /// Its permission bits, such as `"0644"`.
    mode: Option<String>,
    /// Its owner, by name or number.
    owner: Option<Principal>,
    /// Its group, by name or number.
    group: Option<Principal>,
    /// What it holds: a string that it contains, or a table with `contains`, `lacks`, `equals` or `matches`. Its first 16 MiB are looked at.
    contains: Option<Wanted>,
    /// Where a symlink points.
    target: Option<String>,
}

/// What stands there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Type {
    File,
    Directory,
    Symlink,
}

impl Type {
    fn word(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Directory => "directory",
            Self::Symlink => "symlink",
        }
    }
}

/// The most of a file that is looked at.
const MOST: u64 = 16 << 20;

impl Listed for File {
    const NAME: &'static str = "file";
    const SHORT: &'static str = "path";
    const EXAMPLE: &'static str = "[check.key-is-private]\nfile = { path = \"/etc/ssl/private/web.key\", mode = \"0640\", owner = \"root\", group = \"ssl-cert\" }\n\n[check.no-leftovers]\nfile = { path = \"/etc/nginx/sites-enabled/default\", absent = true }\n\n[check.no-root-login]\nfile = { path = \"/etc/ssh/sshd_config\", contains = { matches = \"(?m)^PermitRootLogin no\" } }\n";

    fn problems(&self) -> Vec<Problem> {
        let mut problems: Vec<Problem> =
            self.contains.iter().filter_map(|it| it.problem("contains")).collect();
        if let Some(mode) = &self.mode
            && self.bits().is_none()
        {
            let message = format!("`{mode}` is no mode");
            problems
                .push(Problem::at("mode", message).help("write octal digits in quotes, such as \"0644\""));
        }
        let says_more = self.mode.is_some()
            || self.owner.is_some()
            || self.group.is_some()
            || self.contains.is_some()
            || self.r#type.is_some();
        if self.absent && (says_more || self.target.is_some()) {
            problems.push(
                Problem::at("absent", "what is not there is nothing else").help("leave one of the two out"),
            );
        }
        if self.target.is_some() && self.r#type.is_some_and(|it| it != Type::Symlink) {
            problems.push(Problem::at("target", "only a symlink points somewhere"));
        }
        problems
    }
}

impl Subject for File {
    fn look(&self, ground: &Ground<'_>) -> Result<Vec<Shortfall>, Failure> {
        let system = ground.system()?;
        let bare = self.r#type == Some(Type::Symlink) || self.target.is_some() || self.absent;
        self.knock(ground, bare)?;
        let path = if bare { self.path.clone() } else { follow(system, &self.path)? };
        let found = system.look(&path, Look::Bare)?;
        let Some(entry) = found else {
            let short = Shortfall::new("path", "something there", "nothing");
            return Ok(if self.absent { Vec::new() } else { vec![short] });
        };
        if self.absent {
            return Ok(vec![Shortfall::new("path", "nothing there", entry.what())]);
        }
        let mut short = self.attributes(ground, &entry)?;
        if let Some(wanted) = &self.contains {
            match &entry.kind {
                EntryKind::File { .. } => {
                    let bytes = system.read(&path, MOST)?;
                    short.extend(wanted.short("contains", &Wrote { bytes, whole: true })?);
                }
                _ => short.push(Shortfall::new("contains", wanted, entry.what())),
            }
        }
        Ok(short)
    }
}

impl File {
    /// Where somebody has a file system of FUSE, a program looks first: who waits for a daemon that has taken the question and does not answer
    /// cannot be killed, and this process has to end.
    fn knock(&self, ground: &Ground<'_>, bare: bool) -> Result<(), Failure> {
        let Inside { system, programs } = ground.inside()?;
        let path = |text: &str| HostPath::new(text).map_err(|why| Failure::unknown(text, why));
        let mounts = match system.read(&path("/proc/1/mountinfo")?, 16 << 20) {
            Ok(mounts) => mounts,
            Err(Failure::Missing { .. }) => return Ok(()),
            Err(failure) => return Err(failure),
        };
        let mounts = String::from_utf8_lossy(&mounts);
        // `fusectl` is the kernel's own.
        if ![" - fuse ", " - fuse.", " - fuseblk "].iter().any(|kind| mounts.contains(kind)) {
            return Ok(());
        }
        let (follow, path) = (if bare { None } else { Some("-L") }, self.path.to_string());
        let argv =
            ["stat"].into_iter().chain(follow).chain(["--", &path]).map(str::to_owned).collect::<Vec<_>>();
        match programs.run(&argv, None, ground.timeout) {
            Err(Failure::Timeout { seconds, .. }) => {
                Err(Failure::unknown(path, format!("it did not answer within {seconds} s")))
            }
            // Whatever else it makes of it, it has come back.
            _ => Ok(()),
        }
    }

    fn bits(&self) -> Option<u32> {
        let mode = self.mode.as_deref()?;
        let octal = matches!(mode.len(), 3 | 4) && mode.bytes().all(|byte| (b'0'..=b'7').contains(&byte));
        octal.then(|| u32::from_str_radix(mode, 8).ok()).flatten()
    }

    fn attributes(&self, ground: &Ground<'_>, entry: &Entry) -> Result<Vec<Shortfall>, Failure> {
        let mut short = Vec::new();
        if let Some(wanted) = self.r#type
            && wanted.word() != entry.what()
        {
            short.push(Shortfall::new("type", wanted.word(), entry.what()));
        }
        if let Some(bits) = self.bits().filter(|bits| *bits != entry.mode) {
            short.push(Shortfall::new(
                "mode",
                format_args!("{bits:04o}"),
                format_args!("{:04o}", entry.mode),
            ));
        }
        if self.owner.is_some() || self.group.is_some() {
            let accounts = ground.system()?.accounts()?;
            let owner = self.owner.as_ref().filter(|owner| accounts.uid(owner) != Some(entry.uid));
            short.extend(owner.map(|it| Shortfall::new("owner", it, accounts.user_name(entry.uid))));
            let group = self.group.as_ref().filter(|group| accounts.gid(group) != Some(entry.gid));
            short.extend(group.map(|it| Shortfall::new("group", it, accounts.group_name(entry.gid))));
        }
        if let Some(wanted) = &self.target {
            match &entry.kind {
                EntryKind::Symlink { target } if target == wanted => {}
                EntryKind::Symlink { target } => short.push(Shortfall::new("target", wanted, target)),
                _ => short.push(Shortfall::new("target", wanted, entry.what())),
            }
        }
        Ok(short)
    }
}
