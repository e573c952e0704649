//! The system that booted boxes are overlays of: a minimal one of this machine's own release, made once by mmdebstrap and kept. It holds
//! nothing of any box.

use super::driver::unmade;
use super::lacking;
use agent::os::child::{Child, PATH};
use model::{Digest, Failure};
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Where bases are kept.
pub const CACHE: &str = "/var/cache/keel-boxes";
/// How long making one may take.
const PATIENCE: Duration = Duration::from_secs(900);

/// What a base has beyond `minbase`: what any installed host has.
const PACKAGES: &str = "systemd,systemd-sysv,dbus,libpam-systemd,sudo,iproute2,ca-certificates,apt-utils,cron,procps,openssh-server";

/// Done in a new base. Keys and ids are each box's own; one key is enough, and made in no time.
const SETUP: &str = "rm -f /etc/ssh/ssh_host_* && printf '%s\\n' '[Unit]' 'Before=ssh.service' '[Service]' 'Type=oneshot' \
                     \"ExecStart=/usr/bin/ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/ssh_host_ed25519_key\" '[Install]' \
                     'WantedBy=ssh.service' >/etc/systemd/system/host-keys.service && systemctl --quiet enable host-keys.service && \
                     : >/etc/machine-id && : >/etc/resolv.conf && \
                     systemctl --quiet mask apt-daily.timer apt-daily-upgrade.timer systemd-networkd-wait-online.service";

/// The base of the boxes of a call.
#[derive(Debug, Default)]
pub struct Base(Mutex<Option<PathBuf>>);

impl Base {
    /// This directory, or else one that is made and kept.
    pub fn of(named: Option<PathBuf>) -> Self {
        Self(Mutex::new(named))
    }

    /// Where it is; the first who asks makes it, while others wait.
    ///
    /// # Errors
    /// There is no system in it, or none could be made.
    pub fn path(&self) -> Result<PathBuf, Failure> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let base = known.clone().map_or_else(ensure, Ok)?;
        lacking::system(&base)?;
        // Programs that lay it out are not started where the user is.
        let base = base.canonicalize().map_err(|error| Failure::io("find", base.display(), error))?;
        Ok(known.insert(base).clone())
    }
}

/// The base for this machine's release; made if it is not there yet.
fn ensure() -> Result<PathBuf, Failure> {
    can_make()?;
    let (codename, sources) = (codename()?, sources()?);
    let recipe = [&codename, PACKAGES, SETUP, &sources.join("\n")].join("\n");
    let name = format!("{codename}-{}", &Digest::of(recipe.as_bytes()).to_string()[..12]);
    let dir = Path::new(CACHE).join(&name);
    if dir.is_dir() {
        return Ok(dir);
    }
    make_private(Path::new(CACHE))?;
    sweep(Path::new(CACHE))?;
    // Two that make it at the same time make two; the first one counts.
    let fresh = Path::new(CACHE).join(format!("{name}.{}", std::process::id()));
    let path = fresh.display().to_string();
    let mut words = vec!["mmdebstrap", "--quiet", "--mode=root", "--variant=minbase"];
    let include = format!("--include={PACKAGES}");
    words.extend([include.as_str(), &codename, &path]);
    words.extend(sources.iter().map(String::as_str));
    let made = run(&words).and_then(|()| run(&["chroot", &path, "sh", "-euc", SETUP]));
    if let Err(failure) = made {
        return Err(unmade(failure, remove(&fresh)));
    }
    match fs::rename(&fresh, &dir) {
        Ok(()) => Ok(dir),
        Err(_) if dir.is_dir() => remove(&fresh).map(|()| dir),
        Err(error) => Err(Failure::io("rename", path, error)),
    }
}

/// Whether one could be made here.
fn can_make() -> Result<(), Failure> {
    let help = "name an image, as in --box podman:IMAGE, or give a system by --box-base DIR";
    if !rustix::process::geteuid().is_root() {
        return Err(Failure::refused("the system of such boxes is made and kept by root", help));
    }
    if lacking::programs(&[("apt-get", "apt")], OsStr::new(PATH)).is_err() {
        return Err(Failure::refused("the system of such boxes is made by apt, which is not here", help));
    }
    lacking::programs(&[("mmdebstrap", "mmdebstrap")], OsStr::new(PATH))
}

/// A directory for root alone: the systems in it have programs that are setuid there.
pub fn make_private(path: &Path) -> Result<(), Failure> {
    run(&["mkdir", "-p", "-m", "0700", "--", &path.display().to_string()])
}

/// Removes bases that a `keel` was making and that is gone: each ends with its number.
fn sweep(cache: &Path) -> Result<(), Failure> {
    let entries = fs::read_dir(cache).map_err(|error| Failure::io("list", cache.display(), error))?;
    for entry in entries {
        let path = entry.map_err(|error| Failure::io("list", cache.display(), error))?.path();
        let pid = path
            .extension()
            .and_then(OsStr::to_str)
            .filter(|pid| pid.bytes().all(|one| one.is_ascii_digit()));
        if pid.is_some_and(|pid| !Path::new("/proc").join(pid).exists()) {
            remove(&path)?;
        }
    }
    Ok(())
}

/// What made it may have been killed, and have left this machine's /proc and the like mounted in there.
fn remove(path: &Path) -> Result<(), Failure> {
    const SCRIPT: &str = "tac /proc/self/mounts | while read -r _ at _; do case $at in \"$1\"/*) umount -l -- \"$at\";; esac; done
        exec rm -rf --one-file-system -- \"$1\"";
    run(&["sh", "-euc", SCRIPT, "sh", &path.display().to_string()])
}

fn run(words: &[&str]) -> Result<(), Failure> {
    let mut child = Child::new(words.iter().copied());
    child.timeout = PATIENCE;
    child.run()?.success().map(|_| ())
}

/// The release's code name (os-release(5)).
fn codename() -> Result<String, Failure> {
    const RELEASE: &str = "/etc/os-release";
    let text = fs::read_to_string(RELEASE).map_err(|error| Failure::io("read", RELEASE, error))?;
    let line = text.lines().find_map(|line| line.strip_prefix("VERSION_CODENAME="));
    let name = line.map(|name| name.trim_matches(['"', '\'']).to_owned()).filter(|name| !name.is_empty());
    name.ok_or_else(|| {
        Failure::unknown("this machine's release", format!("{RELEASE} has no VERSION_CODENAME"))
    })
}

/// This machine's own sources of its distribution's packages, one line each as sources.list(5) has them.
fn sources() -> Result<Vec<String>, Failure> {
    let format = "$(REPO_URI) $(RELEASE) $(COMPONENT) $(ORIGIN)";
    let output = Child::new(["apt-get", "indextargets", "--format", format, "Created-By: Packages"]).run()?;
    Ok(lines(&output.success()?.text()?))
}

/// Third parties' sources are left out: boxes are raw. All of one release stand in a line.
fn lines(targets: &str) -> Vec<String> {
    let mut suites: BTreeMap<(&str, &str), BTreeSet<&str>> = BTreeMap::new();
    for line in targets.lines() {
        if let [uri, release, component, "Debian" | "Ubuntu"] = line.split(' ').collect::<Vec<_>>()[..] {
            suites.entry((uri, release)).or_default().insert(component);
        }
    }
    let line = |((uri, release), parts): (&(&str, &str), &BTreeSet<&str>)| {
        format!("deb {uri} {release} {}", parts.iter().copied().collect::<Vec<_>>().join(" "))
    };
    suites.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::{lines, sweep};

    #[test]
    fn what_nobody_makes_any_more_is_removed_and_nothing_else() {
        let cache = std::env::temp_dir().join(format!("keel-bases-{}", std::process::id()));
        let own = format!("bookworm-0123.{}", std::process::id());
        let names = ["bookworm-0123", &own, "bookworm-0123.4194305", "box", "lxc"];
        names.iter().for_each(|name| std::fs::create_dir_all(cache.join(name).join("etc")).unwrap());
        sweep(&cache).unwrap();
        let left = names.map(|name| std::fs::exists(cache.join(name)).unwrap());
        assert_eq!(left, [true, true, false, true, true]);
        super::remove(&cache).unwrap();
    }

    #[test]
    fn only_the_distributions_own_sources_count() {
        let targets = "http://m.test/debian/ bookworm main Debian\nhttp://m.test/debian/ bookworm contrib Debian\n\
                       https://o.test/x/ stable main Other\nhttp://m.test/sec/ bookworm-security main Debian\nx\n";
        assert_eq!(
            lines(targets),
            [
                "deb http://m.test/debian/ bookworm contrib main",
                "deb http://m.test/sec/ bookworm-security main"
            ]
        );
    }
}
