//! Acts on units through systemctl, which waits until the job is done. Names come after `--`.
//!
//! Without a service manager (see `Host::offline`) links are made on the disk, and everything else is only recorded.

use super::execute::child;
use super::host::{Host, Manager, locked};
use super::units::has_systemd;
use crate::os::child::Child;
use crate::system::Attempt;
use crate::turns::Turns;
use model::{Failure, UnitAction};
use std::time::Duration;

/// Reloads of the service manager that are under way.
static RELOADS: Turns<(), Failure> = Turns::new();

impl Host<'_> {
    pub(super) fn act_on_unit(
        &self,
        name: &str,
        action: UnitAction,
        attempt: &Attempt,
    ) -> Result<(), Failure> {
        let verb = verb(action);
        let Manager::Recorded(recording) = &self.manager else {
            let argv = ["systemctl", "--no-pager", "--no-ask-password", verb, "--", name];
            return match self.finish(child(&argv, attempt)) {
                Ok(_) => Ok(()),
                Err(failure) => Err(self.with_log(failure, name)),
            };
        };
        let active = match action {
            UnitAction::Start | UnitAction::Restart | UnitAction::Reload => "active",
            UnitAction::Stop => "inactive",
            UnitAction::Enable | UnitAction::Disable | UnitAction::Mask | UnitAction::Unmask => {
                return self.tool(&["systemctl", "--root=/", verb, "--", name], attempt).map(|_| ());
            }
        };
        let mut recording = locked(recording);
        recording.lines.push(format!("{verb} {name}"));
        recording.active.insert(name.to_owned(), active.to_owned());
        Ok(())
    }

    /// Unit files that change at the same time are read by one reload, which begins when they have changed.
    pub(super) fn reload_manager(&self, attempt: &Attempt) -> Result<(), Failure> {
        match &self.manager {
            // Nobody has read anything yet: who changes fstab in a container is not to fail by that.
            Manager::Running if !has_systemd()? => Ok(()),
            Manager::Running => {
                RELOADS.take((), || self.tool(&["systemctl", "daemon-reload"], attempt).map(|_| ()))
            }
            Manager::Recorded(recording) => {
                locked(recording).lines.push("daemon-reload".to_owned());
                Ok(())
            }
        }
    }

    /// What systemctl says of a unit that did not start is that the log knows why; so the log's last lines go along.
    fn with_log(&self, failure: Failure, name: &str) -> Failure {
        let Failure::Command { argv, status, stderr } = failure else { return failure };
        let unit = ["journalctl", "--no-pager", "-q", "-n", "5", "-o", "cat", "-u", name];
        let mut journal = Child::new(unit);
        journal.timeout = Duration::from_secs(10);
        let log = match journal.run() {
            Ok(output) if output.status.success() => output.stdout.printable(),
            // Without a journal there is nothing to add.
            Ok(_) | Err(_) => String::new(),
        };
        let log = locked(&self.mask).hide(log.trim_end());
        let stderr = if log.is_empty() { stderr } else { format!("{stderr}\n{}", super::run::tail(&log)) };
        Failure::Command { argv, status, stderr }
    }
}

fn verb(action: UnitAction) -> &'static str {
    match action {
        UnitAction::Start => "start",
        UnitAction::Stop => "stop",
        UnitAction::Restart => "restart",
        UnitAction::Reload => "reload-or-restart",
        UnitAction::Enable => "enable",
        UnitAction::Disable => "disable",
        UnitAction::Mask => "mask",
        UnitAction::Unmask => "unmask",
    }
}

#[cfg(test)]
mod tests {
    use crate::os::host::Host;
    use crate::system::Attempt;
    use crate::undo::MemoryKeep;
    use std::sync::Arc;

    #[test]
    fn where_systemd_does_not_run_the_host_there_is_nothing_to_reload() {
        let is_booted = std::path::Path::new("/run/systemd/system").is_dir();
        assert_eq!(super::has_systemd(), Ok(is_booted));
        // The manager of a machine that has one is no test's business.
        if !is_booted {
            let attempt = Attempt { tag: "t".to_owned(), timeout: None };
            assert_eq!(Host::new(Arc::new(MemoryKeep::default())).reload_manager(&attempt), Ok(()));
        }
    }
}
