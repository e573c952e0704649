//! Takes the machine down, to come up again. Whoever asked is killed by that: it must not end a run, nor go on with one.

use super::execute::child;
use super::host::{Host, Manager, locked};
use crate::system::Attempt;
use model::Failure;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::{SigId, flag, low_level};
use std::os::unix::process::ExitStatusExt as _;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How long systemd may take to hear of it.
const ASKING: Duration = Duration::from_secs(60);

/// The exit status of a process that a shell saw killed by SIGTERM.
const TERMINATED: i32 = 143;

impl Host<'_> {
    /// Reboots, and does not return where the machine goes down in time.
    pub(super) fn reboot(&self, attempt: &Attempt) -> Result<(), Failure> {
        if let Manager::Recorded(recording) = &self.manager {
            locked(recording).lines.push("reboot".to_owned());
            return Ok(());
        }
        let patience = attempt.timeout.unwrap_or(Duration::from_secs(600));
        let going = Going::begin()?;
        let asking = Attempt { timeout: Some(patience.min(ASKING)), ..attempt.clone() };
        let output = child(&["systemctl", "--no-ask-password", "reboot"], &asking).run()?;
        // Where the machine goes down at once, that is told to stop like everybody, maybe before this process is.
        if output.status.signal() != Some(SIGTERM) {
            self.accept(output)?;
        }
        let start = Instant::now();
        while let Some(left) = patience.checked_sub(start.elapsed()) {
            sleep(left.min(Duration::from_millis(100)));
        }
        drop(going);
        Err(Failure::Timeout { what: "the machine's going down".to_owned(), seconds: patience.as_secs() })
    }
}

/// While this is there, being told to stop means that the machine goes down: this process ends at once, as it is, and holds nothing up.
struct Going(Vec<SigId>);

impl Going {
    fn begin() -> Result<Self, Failure> {
        let mut going = Self(Vec::new());
        for signal in [SIGTERM, SIGINT] {
            let always = Arc::new(AtomicBool::new(true));
            let registered = flag::register_conditional_shutdown(signal, TERMINATED, always);
            going.0.push(registered.map_err(|error| Failure::io("handle", "signals", error))?);
        }
        Ok(going)
    }
}

impl Drop for Going {
    fn drop(&mut self) {
        self.0.iter().for_each(|id| {
            low_level::unregister(*id);
        });
    }
}
