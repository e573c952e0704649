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
        let (left, reinstall) = self.left()?;
        if configured.status.success() && left.is_empty() {
            return Ok(None);
        }
        // What lacks something that it depends on is for apt to complete; what was cut off while it was unpacked has to come again.
        let mut argv = apt_get(Conffiles::Kept, attempt);
        argv.extend(["--no-remove", "-f", "--reinstall", "install", "--"].map(str::to_owned));
        argv.extend(reinstall);
        let fixed = quiet(&argv, attempt).run()?;
        let (left, _) = self.left()?;
        Ok(match (fixed.status.success(), left.is_empty()) {
            (true, true) => None,
            (true, false) => Some(Failure::refused(
                format!("dpkg was interrupted, and could not be brought to its end: {}", left.join(", ")),
                "see `dpkg --audit`; a package that no source has any more is removed with `dpkg --remove --force-remove-reinstreq`",
            )),
            (false, _) if configured.status.success() => Some(self.failed(&fixed)),
            (false, _) => Some(self.failed(&configured)),
        })
    }

    /// What is left now, in words, and the packages that have to be installed again.
    fn left(&self) -> Result<(Vec<String>, Vec<String>), Failure> {
        self.forget(&Op::Packages(Transaction::default()));
        let dpkg = self.read_dpkg()?;
        let broken = dpkg.reinstall.iter().map(|name| format!("{name} half installed"));
        let mut left: Vec<String> = dpkg.unfinished.iter().cloned().chain(broken).collect();
        left.dedup();
        Ok((left, dpkg.reinstall.clone()))
    }
}
