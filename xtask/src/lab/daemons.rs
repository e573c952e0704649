//! The two helpers outside the hosts: a proxy for apt on the bridge, and a system bus for systemd-nspawn on
//! machines that have none. The proxy lets through nothing but this machine's own mirrors. Both belong to one
//! lab and end with it. Next: `host`.

use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::cmd;
use crate::lab::base::put;
use crate::lab::machine::Machine;
use crate::lab::process;
use crate::lab::state::Lab;

/// The proxy's port on the bridge.
pub const PROXY_PORT: u16 = 3142;

/// Starts the proxy unless this lab's is running.
pub fn start_proxy(lab: &Lab, machine: &Machine) -> Result<()> {
    let config = lab.dir.join("proxy.conf");
    if !process::running("tinyproxy", &config)?.is_empty() {
        return Ok(());
    }
    let filter = lab.dir.join("proxy.filter");
    put(&filter, 0o644, &filter_text(machine))?;
    put(&config, 0o600, &proxy_text(lab, machine, &filter))?;
    detach(cmd::command(&["tinyproxy", "-d", "-c"]).arg(&config), &lab.dir.join("proxy.log"))?;
    let address = (lab.gateway(), PROXY_PORT).into();
    wait_for("the proxy", || std::net::TcpStream::connect_timeout(&address, Duration::from_secs(1)).is_ok())
}

/// Is this machine run by systemd (sd_booted(3))?
pub fn has_systemd() -> bool {
    Path::new("/run/systemd/system").exists()
}

/// The address of a system bus for systemd-nspawn: none on a machine that systemd runs, else a private one.
pub fn start_bus(lab: &Lab) -> Result<Option<String>> {
    if has_systemd() {
        return Ok(None);
    }
    let socket = lab.dir.join("bus");
    let address = format!("unix:path={}", socket.display());
    if process::running("dbus-daemon", &socket)?.is_empty() {
        if socket.exists() {
            std::fs::remove_file(&socket)?;
        }
        let config = "--config-file=/usr/share/dbus-1/system.conf";
        let mut daemon = cmd::command(&["dbus-daemon", config, "--nofork", "--nopidfile"]);
        detach(daemon.arg(format!("--address={address}")), &lab.dir.join("bus.log"))?;
        wait_for("the bus", || socket.exists())?;
    }
    Ok(Some(address))
}

/// Ends what the two above have started.
pub fn stop(lab: &Lab) -> Result<()> {
    for program in ["tinyproxy", "dbus-daemon"] {
        process::end(&process::running(program, &lab.dir)?)?;
    }
    Ok(())
}

/// Starts a process that outlives this one, in a session of its own; its output goes to `log`.
pub fn detach(command: &Command, log: &Path) -> Result<()> {
    let out = File::create(log).with_context(|| format!("cannot create {}", log.display()))?;
    // setsid(1) becomes the program: it forks only when it leads a process group, and here it does not.
    let mut detached = cmd::command(&["setsid"]);
    detached.arg(command.get_program()).args(command.get_args());
    detached.envs(command.get_envs().filter_map(|(key, value)| Some((key, value?))));
    detached.stdin(Stdio::null()).stdout(out.try_clone()?).stderr(out);
    detached.spawn().with_context(|| format!("cannot start: {}", cmd::shown(command)))?;
    Ok(())
}

/// tinyproxy.conf(5). A host that is killed leaves its connections open until they time out: there has to be room for those
/// of a whole suite, or the last scenarios find the proxy deaf.
fn proxy_text(lab: &Lab, machine: &Machine, filter: &Path) -> String {
    let upstream =
        machine.upstream.as_ref().map(|proxy| format!("Upstream http {proxy}\n")).unwrap_or_default();
    format!(
        "Port {PROXY_PORT}\nListen {}\nAllow {}/24\nConnectPort 443\nMaxClients 1000\nLogLevel Notice\nTimeout 60\n\
         DisableViaHeader Yes\nFilter \"{}\"\nFilterDefaultDeny Yes\n{upstream}",
        lab.gateway(),
        lab.gateway(),
        filter.display(),
    )
}

/// One regular expression a mirror, whole names only.
fn filter_text(machine: &Machine) -> String {
    machine.mirrors.iter().map(|host| format!("^{}$\n", host.replace('.', "\\."))).collect()
}

fn wait_for(what: &str, ready: impl Fn() -> bool) -> Result<()> {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !ready() {
        if Instant::now() > deadline {
            bail!("{what} did not start within 10 s; see the log in the lab's directory");
        }
        sleep(Duration::from_millis(20));
    }
    Ok(())
}
