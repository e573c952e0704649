//! The way into a host: the system's own `ssh` with the lab's key, the host's pinned key and no user
//! configuration. It must not use the project's code: the lab judges it.

use std::process::Command;

use anyhow::{Result, bail};

use crate::cmd;
use crate::lab::host::{Host, Init};

/// The options of ssh and scp for one host.
pub fn options(host: &Host) -> Vec<String> {
    let known = host.dir.join("known_hosts");
    let mut words: Vec<String> = ["-F", "none", "-i"].map(str::to_owned).into();
    words.push(host.key.display().to_string());
    let settings = [
        format!("UserKnownHostsFile={}", known.display()),
        "GlobalKnownHostsFile=none".into(),
        "StrictHostKeyChecking=yes".into(),
        "IdentitiesOnly=yes".into(),
        "BatchMode=yes".into(),
        "ConnectTimeout=10".into(),
        "ServerAliveInterval=15".into(),
        "LogLevel=ERROR".into(),
    ];
    words.extend(settings.into_iter().flat_map(|setting| ["-o".to_owned(), setting]));
    words
}

/// `ssh USER@HOST`, ready for a remote command.
pub fn command(host: &Host, user: &str) -> Command {
    let mut command = cmd::command(&["ssh"]);
    command.args(options(host)).arg(format!("{user}@{}", host.address));
    command
}

/// Waits until the host can be logged into and, if it has systemd, has booted without a failed unit.
///
/// # Errors
/// 120 seconds have passed, or units have failed; the error names them.
pub fn wait_until_running(host: &Host, init: Init) -> Result<()> {
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(120);
    let asks: &[&str] = match init {
        Init::Systemd => &["systemctl", "is-system-running", "--wait"],
        Init::Sshd => &["echo", "running"],
    };
    loop {
        let output = cmd::collect(command(host, "root").args(asks))?;
        let state = String::from_utf8_lossy(&output.stdout);
        match state.trim() {
            "running" => return Ok(()),
            "degraded" => {
                let failed =
                    cmd::quiet(command(host, "root").args(["systemctl", "--failed", "--no-legend"]))?;
                bail!("{} came up with failed units:\n{failed}", host.name);
            }
            _ if std::time::Instant::now() > deadline => {
                let error = String::from_utf8_lossy(&output.stderr);
                bail!("{} did not come up within 120 s: {state}{error}\n{}", host.name, host.log_tail());
            }
            _ => std::thread::sleep(std::time::Duration::from_millis(100)),
        }
    }
}
