//! Lists each folder of `tests/lab/` as one test, and what the lab promises of itself. It must hold no scenario,
//! and must not pass for what it cannot run: without root every test here is shown as ignored.

use std::path::Path;

use libtest_mimic::{Arguments, Failed, Trial};
use xtask::cmd::is_root;
use xtask::lab::host::Init;
use xtask::lab::{down, process, scenario, up};

fn main() {
    let scenarios = scenario::all().expect("the scenarios are in the workspace");
    let mut trials = vec![Trial::test("down-leaves-nothing", || {
        [Init::Systemd, Init::Sshd].into_iter().try_for_each(down_leaves_nothing).map_err(failed)
    })];
    trials.extend(scenarios.into_iter().map(|scenario| {
        let (name, can_run) = (scenario.name.clone(), scenario.can_run());
        Trial::test(name, move || scenario.run().map_err(failed)).with_ignored_flag(!can_run)
    }));
    let trials = trials
        .into_iter()
        .map(|trial| if is_root() { trial } else { trial.with_ignored_flag(true) })
        .collect();
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

fn failed(error: anyhow::Error) -> Failed {
    Failed::from(format!("{error:#}"))
}

/// Also when systemd-nspawn was killed and has left its init, veth and mount behind.
fn down_leaves_nothing(init: Init) -> anyhow::Result<()> {
    let name = format!("test-{}", std::process::id());
    let ready = up::ready(&name)?;
    let (lab, host) = (&ready.lab, ready.hosts(&["h1".to_owned()], init)?.remove(0));
    let first = host.init()?;
    process::end(&process::running("systemd-nspawn", &host.dir)?)?;
    down::down(&name)?;
    down::down(&name)?;
    let mounts = std::fs::read_to_string("/proc/self/mounts")?;
    assert!(!mounts.contains(&*lab.dir.to_string_lossy()), "a mount is left");
    assert!(!Path::new("/sys/class/net").join(lab.bridge()).exists(), "the bridge is left");
    assert!(!process::lives(first), "the host's init is left");
    for program in ["systemd-nspawn", "tinyproxy", "dbus-daemon"] {
        assert_eq!(process::running(program, &lab.dir)?, [0; 0], "{program} is left");
    }
    assert!(!lab.dir.exists(), "the directory is left");
    Ok(())
}
