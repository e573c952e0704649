//! Brings a dpkg or an apt that was interrupted to its end, the configuration files of the host's owner kept. It installs nothing that
//! was not under way, and removes no package.

use super::apt::{Conffiles, apt_get, quiet};
use super::dpkg::{ROOT, remove_void_updates};
use super::host::Host;
use crate::system::Attempt;
use model::{EventBody, Failure, Op, Transaction};
use std::path::Path;

impl Host<'_> {
    /// Brings it to its end. Returns what was in the way, where something is left: what comes next may be what mends it. Nobody
    /// else may be working with dpkg.
    pub(super) fn finish_interrupted(&self, attempt: &Attempt) -> Result<Option<Failure>, Failure> {
        if self.read_dpkg()?.unfinished.is_empty() {
            return Ok(None);
        }
        for path in remove_void_updates(Path::new(ROOT))? {
            let what =
                format!("{} held nothing but zeros, as after a power cut: it is removed", path.display());
            (self.attendance.tell)(EventBody::Note { text: what });
        }
        let argv = ["dpkg", "--force-confdef", "--force-confold", "--configure", "-a"];
        let configured = quiet(&argv, attempt).run()?;
        if configured.status.success() && self.is_finished()? {
            return Ok(None);
        }
        // What was cut off while it was unpacked, or lacks what it depends on, is for apt to complete.
        let mut argv = apt_get(Conffiles::Kept, attempt);
        argv.extend(["--no-remove", "-f", "install"].map(str::to_owned));
        let fixed = quiet(&argv, attempt).run()?;
        Ok(match (fixed.status.success(), self.is_finished()?) {
            (true, true) => None,
            (true, false) => Some(Failure::unknown("dpkg", "it was told to finish, and something is left")),
            (false, _) if configured.status.success() => Some(self.failed(&fixed)),
            (false, _) => Some(self.failed(&configured)),
        })
    }

    /// Whether nothing is left, now.
    fn is_finished(&self) -> Result<bool, Failure> {
        self.forget(&Op::Packages(Transaction::default()));
        Ok(self.read_dpkg()?.unfinished.is_empty())
    }
}
