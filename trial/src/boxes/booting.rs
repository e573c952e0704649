//! Waits until a box has come up: until its service manager has started everything, or it is known that none runs in it.

use super::command::run;
use fleet::Remote;
use model::Failure;
use std::thread::sleep;
use std::time::{Duration, Instant};

const GLANCE: Duration = Duration::from_millis(20);

/// What runs services in a box.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manager {
    /// systemd.
    Systemd,
    /// Nobody.
    None,
}

/// What the first process is, and then how far that has come. Until it is what it is to be, it is what starts it.
const LOOK: &str = "read -r name </proc/1/comm; case $name in systemd) exec systemctl is-system-running --wait;; \
                    sleep) echo none;; *) echo starting;; esac";

/// Asks until the answer is final, through ways that `enter` makes; where there is none by `until`, or the box has ended, `log` says what the
/// box said.
///
/// # Errors
/// It does not come up in time, or not at all.
pub fn wait(
    enter: &dyn Fn() -> Box<dyn Remote>,
    until: Instant,
    (has_ended, log): (&dyn Fn() -> bool, &dyn Fn() -> String),
) -> Result<Manager, Failure> {
    loop {
        let left = until.saturating_duration_since(Instant::now());
        let said = run(&mut *enter(), &["sh", "-c", LOOK], b"", left);
        let word = said
            .map(|said| if said.out.is_empty() { said.errors } else { said.out }.trim().to_owned())
            .unwrap_or_else(|trouble| trouble.to_string());
        match word.as_str() {
            "running" | "degraded" => return Ok(Manager::Systemd),
            "none" => return Ok(Manager::None),
            _ if Instant::now() >= until || has_ended() => {
                let why = format!("it does not come up: {word}; {}", log());
                return Err(Failure::unknown("the box", why));
            }
            // Its service manager cannot be asked yet.
            _ => sleep(GLANCE),
        }
    }
}
