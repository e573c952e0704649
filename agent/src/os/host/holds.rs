//! Holds and releases packages. apt takes a hold away from what it changes, and gives none back: who holds a package finds it held after a change of
//! ours, whether that ended well, badly or not at all.

use super::apt::patience;
use super::apt_locks::{TRANSACTION, wait};
use super::host::Host;
use crate::system::{Attempt, Package, PackageStatus};
use model::{Failure, Op, Transaction};
use std::collections::BTreeSet;

impl Host<'_> {
    pub(super) fn hold_package(&self, name: &str, hold: bool, attempt: &Attempt) -> Result<(), Failure> {
        wait(&TRANSACTION, patience(attempt), &self.attendance)?;
        self.mark(if hold { "hold" } else { "unhold" }, &[name], attempt)
    }

    /// Does `change` while `held` are released.
    pub(super) fn released(
        &self,
        held: &BTreeSet<String>,
        attempt: &Attempt,
        change: impl FnOnce() -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        if held.is_empty() {
            return change();
        }
        self.mark("unhold", &held.iter().map(String::as_str).collect::<Vec<_>>(), attempt)?;
        let done = change();
        done.and(self.hold_again(held, attempt))
    }

    /// Holds those of `held` that are there, after a change that died as well as after one that did not.
    pub(super) fn hold_again(&self, held: &BTreeSet<String>, attempt: &Attempt) -> Result<(), Failure> {
        if held.is_empty() {
            return Ok(());
        }
        self.forget(&Op::Packages(Transaction::default()));
        let dpkg = self.read_dpkg()?;
        let lost = |package: &Package| !package.held && package.status != PackageStatus::ConfigFiles;
        let names: Vec<&str> =
            held.iter().map(String::as_str).filter(|name| dpkg.package(name).is_some_and(lost)).collect();
        if names.is_empty() {
            return Ok(());
        }
        wait(&TRANSACTION, patience(attempt), &self.attendance)?;
        self.mark("hold", &names, attempt)?;
        self.forget(&Op::Packages(Transaction::default()));
        Ok(())
    }

    fn mark(&self, verb: &str, names: &[&str], attempt: &Attempt) -> Result<(), Failure> {
        let argv = [&["apt-mark", verb, "--"], names].concat();
        self.tool(&argv, attempt).map(|_| ())
    }
}
