//! Boxes that LXC boots: the base of booted boxes, with an upper layer of the box's own. Services run in them; they have no network but
//! the way to packages.

use super::base::{Base, CACHE, make_private};
use super::booting;
use super::command::quoted;
use super::driver::{Driver, Raw, TestBox};
use super::guard::Guard;
use super::kept::Kept;
use super::lacking;
use super::name;
use super::way_out::{self, WayOut};
use agent::os::child::{Child, PATH};
use agent::rehearse::layer_differences;
use fleet::{Remote, Spawned};
use model::Failure;
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How long a box may take to come up.
const BOOTING: Duration = Duration::from_secs(90);
/// Lays a box out and starts it; what it leaves running has none of our streams. 1: the base  2: its directory  3: its name
const SCRIPT: &str = r#"
mkdir -p -m 0700 "$2/$3/upper"
chmod --reference="$1" "$2/$3/upper"
mkdir "$2/$3/upper/etc"
chmod --reference="$1/etc" "$2/$3/upper/etc"
echo "$3" >"$2/$3/upper/etc/hostname"
printf '127.0.0.1\tlocalhost\n127.0.1.1\t%s\n::1\tlocalhost\n' "$3" >"$2/$3/upper/etc/hosts"
cat >"$2/$3/config"
exec lxc-start -P "$2" -n "$3" --daemon --logfile "$2/$3/log" >/dev/null 2>&1
"#;
/// Ends and removes one; it does nothing where there is none. 1: its directory  2: its name
const REMOVE: &str = r#"
[ -d "$1/$2" ] || exit 0
lxc-stop --kill -P "$1" -n "$2" >/dev/null 2>&1 || :
lxc-wait -P "$1" -n "$2" --state=STOPPED --timeout=20 || { echo "the container $2 does not stop" >&2; exit 1; }
exec rm -rf --one-file-system -- "${1:?}/${2:?}"
"#;

/// Makes them.
#[derive(Debug, Default)]
pub struct Lxc {
    base: Base,
}

impl Lxc {
    /// Over this system, or one that is made and kept.
    pub fn over(base: Option<PathBuf>) -> Self {
        Self { base: Base::of(base) }
    }
}

impl Driver for Lxc {
    fn name(&self) -> &'static str {
        "lxc"
    }

    fn create(&self) -> Result<Box<dyn TestBox>, Failure> {
        if !rustix::process::geteuid().is_root() {
            return Err(Failure::refused("a box of LXC needs root", "run it with sudo"));
        }
        lacking::programs(&[("lxc-start", "lxc")], OsStr::new(PATH))?;
        let base = self.base.path()?;
        make_private(Path::new(CACHE))?;
        let (place, name) = (Path::new(CACHE).join("lxc"), name::next());
        let remove = remove(&place, &name);
        let guard = Guard::over(&name, &remove)?;
        let mut made = Contained { name, place, base, guard, way_out: None, raw: BTreeSet::new() };
        if let Err(failure) = made.start().and_then(|()| made.boot()) {
            return Err(made.guard.give_up(failure));
        }
        Ok(Box::new(made))
    }
}

fn remove(place: &Path, name: &str) -> Vec<String> {
    let place = place.display().to_string();
    ["sh", "-euc", REMOVE, "sh", &place, name].map(str::to_owned).to_vec()
}

/// A container.
struct Contained {
    name: String,
    place: PathBuf,
    base: PathBuf,
    guard: Guard,
    way_out: Option<WayOut>,
    /// What booting made otherwise.
    raw: BTreeSet<String>,
}

impl Contained {
    fn start(&self) -> Result<(), Failure> {
        let (base, place) = (self.base.display().to_string(), self.place.display().to_string());
        let mut child = Child::new(["sh", "-euc", SCRIPT, "sh", &base, &place, &self.name]);
        child.stdin = Some(model::Secret::new(self.config().into_bytes()));
        self.guard.make(child).map(|_| ()).map_err(|failure| {
            let log = self.log();
            if log.is_empty() { failure } else { Failure::unknown("the box", format!("{failure}; {log}")) }
        })
    }

    /// lxc.container.conf(5).
    fn config(&self) -> String {
        let Self { name, base, .. } = self;
        let (base, own) = (base.display(), self.place.join(name));
        format!(
            "lxc.include = /usr/share/lxc/config/common.conf\nlxc.apparmor.profile = unconfined\n\
             lxc.signal.halt = SIGRTMIN+4\nlxc.net.0.type = empty\nlxc.uts.name = {name}\n\
             lxc.rootfs.path = overlay:{base}:{}\n",
            own.join("upper").display()
        )
    }

    fn boot(&mut self) -> Result<(), Failure> {
        let has_ended = || self.info("--state").is_ok_and(|state| state.trim() == "STOPPED");
        booting::wait(&|| self.remote(), Instant::now() + BOOTING, (&has_ended, &|| self.log()))?;
        let pid = self.info("--pid")?;
        let pid =
            pid.trim().parse().map_err(|_| Failure::unknown("the box", format!("`{pid}` is no process")))?;
        self.way_out = Some(WayOut::open(pid, &mut *self.remote())?);
        self.raw = self.differences()?;
        Ok(())
    }

    fn info(&self, what: &str) -> Result<String, Failure> {
        let place = self.place.display().to_string();
        Child::new(["lxc-info", "-P", &place, "-n", &self.name, what, "--no-humanize"])
            .run()?
            .success()?
            .text()
    }

    /// What LXC said.
    fn log(&self) -> String {
        let path = self.place.join(&self.name).join("log");
        fs::read_to_string(path).unwrap_or_else(|error| error.to_string()).trim().to_owned()
    }

    fn differences(&self) -> Result<BTreeSet<String>, Failure> {
        let upper = self.place.join(&self.name).join("upper");
        Ok(layer_differences(&self.base, &upper)?.into_iter().collect())
    }
}

impl TestBox for Contained {
    fn remote(&self) -> Box<dyn Remote> {
        let place = self.place.display().to_string();
        let words = ["lxc-attach", "-P", &place, "-n", &self.name, "--clear-env", "--"];
        Box::new(Spawned::behind(words.map(str::to_owned).to_vec()))
    }

    fn compare(&mut self) -> Result<Raw, Failure> {
        Ok(Raw::Differs(self.differences()?.difference(&self.raw).cloned().collect()))
    }

    fn notes(&self) -> Vec<String> {
        Vec::new()
    }

    fn destroy(self: Box<Self>) -> Result<(), Failure> {
        drop(self.way_out);
        self.guard.end()
    }

    fn keep(self: Box<Self>) -> Result<Kept, Failure> {
        self.guard.let_go()?;
        let place = self.place.display().to_string();
        let enter = format!("lxc-attach -P {} -n {}", quoted(&place), self.name);
        let remove = remove(&self.place, &self.name);
        Ok(Kept { name: self.name, enter, remove, note: way_out::note(self.way_out) })
    }
}
