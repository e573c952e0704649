//! What the program holds in memory is out of reach of others, and no core file is made of it.

use crate::laptop::Laptop;
use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

/// A call that waits for a value on standard input, in a shell that would let a core file be made.
fn waiting(laptop: &Laptop, uid: Option<u32>) -> Child {
    let keel = laptop.command(&["secret", "create", "db"]);
    let mut shell = std::process::Command::new("/bin/sh");
    shell.args(["-c", "ulimit -c unlimited; exec \"$0\" secret create db"]).arg(keel.get_program());
    shell.env_clear().env("HOME", laptop.path("")).current_dir(laptop.path("site")).stdin(Stdio::piped());
    if let Some(uid) = uid {
        shell.uid(uid).gid(uid);
    }
    let mut child = shell.stderr(Stdio::null()).spawn().expect("it starts");
    let (begun, of) = (Instant::now(), format!("/proc/{}", child.id()));
    let read = |name: &str| fs::read_to_string(format!("{of}/{name}")).expect("it lives");
    let is_low =
        |line: &str| line.starts_with("Max core file size") && line.split_whitespace().nth(4) == Some("0");
    while read("comm") != "keel\n" || !read("limits").lines().any(is_low) {
        assert!(begun.elapsed() < Duration::from_secs(20), "its limit stays");
        assert!(child.try_wait().expect("known").is_none(), "it ended");
        std::thread::sleep(Duration::from_millis(5));
    }
    child
}

#[test]
fn no_core_file_is_made_and_nobody_may_look() {
    let laptop = Laptop::new();
    let mut child = waiting(&laptop, None);
    kill_process(Pid::from_child(&child), Signal::QUIT).expect("ours");
    let status = child.wait().expect("ended");
    assert!(status.signal() == Some(3) && !status.core_dumped(), "{status:?}");
    if !rustix::process::geteuid().is_root() {
        return;
    }
    // What belongs to a process that may not be looked at belongs to root (proc(5)).
    fs::set_permissions(laptop.path(""), std::os::unix::fs::PermissionsExt::from_mode(0o777)).expect("ours");
    let mut child = waiting(&laptop, Some(65534));
    // Its limit may have been as low from the start.
    let (begun, environ) = (Instant::now(), format!("/proc/{}/environ", child.id()));
    while fs::metadata(&environ).expect("it lives").uid() != 0 {
        assert!(begun.elapsed() < Duration::from_secs(20), "others may look");
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().expect("ours");
    child.wait().expect("ended");
}
