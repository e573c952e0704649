//! The two processes of a copy that stands: the one that makes it and compares it with the machine, from outside of it, and the first
//! one in it, with which everything in it ends. They must not write to the machine.

use super::compare::{Distance, distance};
use super::enter::{enter, leave};
use super::fold::quiet;
use super::layers::{Layer, Layers, inside, lay};
use super::private;
use super::standing::{CopyStage, Made};
use super::walk::{Touched, touched};
use crate::os::child::Child;
use model::Failure;
use rustix::fs::{Mode, chmod};
use rustix::mount::{MountFlags, mount};
use rustix::process::{WaitOptions, set_parent_process_death_signal, wait};
use rustix::thread::UnshareFlags;
use std::fs::{OpenOptions, create_dir_all};
use std::io::{BufRead, Read, Write, stdin, stdout};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::thread::{sleep, spawn};
use std::time::Duration;

/// What stands in for the service manager's program: found before it (`os::child::PATH`).
const STAND_IN: &str = "/usr/local/sbin/systemctl";
const STAND_IN_TEXT: &[u8] = include_bytes!("stand_in.sh");
/// The program that it passes links on to.
const REAL: &str = "/usr/bin/systemctl";
/// What this machine remembers of its own runs is not the copy's.
const STATE: &str = crate::state::DEFAULT_ROOT;

/// Keeps the copy until its input ends; the number is the exit code.
pub(super) fn keep() -> u8 {
    let layers = match make() {
        Ok((layers, first)) => {
            let made = Made { pid: first.id(), notes: layers.notes.clone() };
            if !say(&Ok(made)) {
                return 2;
            }
            (layers, first)
        }
        Err(failure) => {
            say::<Made>(&Err(failure));
            return 1;
        }
    };
    let (layers, mut first) = layers;
    for line in stdin().lock().lines() {
        let is_heard = match line.as_deref() {
            Ok("compare") => say(&differences(&layers, Path::new("/"))),
            Ok("keep") => {
                // From here on the copy stands for as long as this process does.
                let is_free = be_free();
                if say(&is_free) && is_free.is_ok() {
                    let input = first.input();
                    let ended = first.finish();
                    drop(input);
                    return u8::from(ended.is_err());
                }
                false
            }
            Ok(_) | Err(_) => false,
        };
        if !is_heard {
            break;
        }
    }
    u8::from(first.finish().is_err())
}

/// Outlives whoever made us, and holds none of its streams.
fn be_free() -> Result<(), Failure> {
    let failed =
        |errno: rustix::io::Errno| Failure::io("leave", "whoever made the copy", std::io::Error::from(errno));
    set_parent_process_death_signal(None).map_err(failed)?;
    hush().map_err(|error| Failure::io("open", "/dev/null", error))
}

/// Whoever waits for the end of our standard error does not wait for us.
fn hush() -> std::io::Result<()> {
    Ok(rustix::stdio::dup2_stderr(OpenOptions::new().write(true).open("/dev/null")?)?)
}

/// A line of JSON to whoever made us; false where nobody listens.
fn say<T: serde::Serialize>(what: &Result<T, Failure>) -> bool {
    let mut out = stdout().lock();
    serde_json::to_writer(&mut out, what).is_ok() && out.write_all(b"\n").and_then(|()| out.flush()).is_ok()
}

fn make() -> Result<(Layers, crate::os::tied::Tied), Failure> {
    let own = UnshareFlags::NEWNS | UnshareFlags::NEWIPC | UnshareFlags::NEWUTS;
    leave(own | UnshareFlags::NEWNET | UnshareFlags::NEWCGROUP)?;
    Child::new(["ip", "link", "set", "lo", "up"]).run()?.success()?;
    // Only now: the first process that is started after it is the first one of the copy.
    leave(UnshareFlags::NEWPID)?;
    let layers = lay()?;
    private::fill()?;
    own_state()?;
    stand_in().map_err(|error| Failure::io("prepare in the copy", STAND_IN, error))?;
    let mut first = CopyStage::First.start()?;
    let mut said = [0; 1];
    let entered = first.output().map(|mut output| output.read_exact(&mut said));
    match entered {
        Some(Ok(())) => Ok((layers, first)),
        _ => {
            first.finish()?;
            Err(Failure::unknown("the copy", "its first process ended before it was there"))
        }
    }
}

/// Records of runs of its own, in memory.
fn own_state() -> Result<(), Failure> {
    let place = inside(Path::new(STATE));
    let failed = |error: std::io::Error| Failure::io("prepare in the copy", STATE, error);
    create_dir_all(&place).map_err(failed)?;
    let flags = MountFlags::NOSUID | MountFlags::NODEV;
    mount("keel-box", &place, "tmpfs", flags, c"mode=0700").map_err(|error| failed(error.into()))
}

/// Where there is a service manager's program, something that answers in its place; otherwise no service can be told of.
fn stand_in() -> std::io::Result<()> {
    if !inside(Path::new(REAL)).exists() {
        return Ok(());
    }
    let path = inside(Path::new(STAND_IN));
    if let Some(above) = path.parent() {
        create_dir_all(above)?;
    }
    // sd_booted(3)
    create_dir_all(inside(Path::new("/run/systemd/system")))?;
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o755).open(&path)?;
    file.write_all(STAND_IN_TEXT)?;
    Ok(chmod(&path, Mode::from_raw_mode(0o755))?)
}

/// What is otherwise under an upper layer than in the directory that it is laid over, a line each, without what comes and goes by itself.
///
/// # Errors
/// It could not be read.
pub fn layer_differences(lower: &Path, upper: &Path) -> Result<Vec<String>, Failure> {
    let layer = Layer { at: lower.to_owned(), upper: upper.to_owned() };
    differences(&Layers { all: vec![layer], notes: Vec::new() }, lower)
}

/// A line for each name that is otherwise; names are told as they are below `top`.
fn differences(layers: &Layers, top: &Path) -> Result<Vec<String>, Failure> {
    let is_ours = |path: &Path| {
        let ours = [STAND_IN, PROXY].iter().any(|own| path == Path::new(own));
        ours || path.starts_with(STATE) || private::is_ours(path)
    };
    let mut lines = Vec::new();
    for one in touched(layers)? {
        let path = Path::new("/").join(one.path.strip_prefix(top).unwrap_or(&one.path));
        if !is_ours(&path) && quiet(&path).is_none() && distance(&one)? == Distance::Different {
            lines.push(told(&one, &path));
        }
    }
    Ok(lines)
}

/// What a box has for its way to the machine's package sources.
const PROXY: &str = "/etc/apt/apt.conf.d/99keel-box";

fn told(one: &Touched, path: &Path) -> String {
    let what = match (&one.old, &one.new) {
        (None, _) => "is there",
        (_, None) => "is gone",
        _ => "is another",
    };
    format!("{} {what}", crate::os::capture::printable(path.as_os_str().as_encoded_bytes()))
}

/// The first process in the copy: takes in what others leave behind, until its input ends; the number is the exit code.
pub(super) fn be_first() -> u8 {
    if let Err(failure) = enter() {
        drop(std::io::stderr().write_all(format!("{failure}\n").as_bytes()));
        return 1;
    }
    if stdout().write_all(b"!").and_then(|()| stdout().flush()).is_err() {
        return 2;
    }
    if let Err(error) = hush() {
        drop(std::io::stderr().write_all(format!("/dev/null: {error}\n").as_bytes()));
        return 2;
    }
    let input = spawn(|| std::io::copy(&mut stdin(), &mut std::io::sink()));
    while !input.is_finished() {
        // Nobody else waits for processes whose parents have ended.
        while matches!(wait(WaitOptions::NOHANG), Ok(Some(_))) {}
        sleep(Duration::from_millis(20));
    }
    0
}
