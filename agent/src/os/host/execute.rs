//! From an op to the one function that carries it out. Nothing else of the agent changes a host.

use super::host::Host;
use super::run::told;
use crate::os::child::{Child, Output};
use crate::system::{Attempt, Touched};
use model::{Failure, Op};
use std::time::Duration;

impl Host<'_> {
    pub(super) fn change(&self, op: &Op, attempt: &Attempt) -> Result<Touched, Failure> {
        match op {
            Op::Packages(transaction) => return self.change_packages(transaction, attempt),
            Op::WriteFile { .. }
            | Op::SetAttributes { .. }
            | Op::SetXattrs { .. }
            | Op::MakeDirectory { .. }
            | Op::MakeSymlink { .. }
            | Op::Remove { .. } => self.change_file(op, attempt),
            Op::HoldPackage { name, hold } => self.hold_package(name, *hold, attempt),
            Op::Unit { name, action } => self.act_on_unit(name, *action, attempt),
            Op::ReloadManager => self.reload_manager(attempt),
            Op::AddGroup(spec) => self.add_group(spec, attempt),
            Op::ModifyGroup(spec) => self.modify_group(spec, attempt),
            Op::RemoveGroup { name } => self.remove_group(name, attempt),
            Op::AddUser(spec) => return self.add_user(spec, attempt),
            Op::ModifyUser(spec) => self.modify_user(spec, attempt),
            Op::RemoveUser { name } => self.remove_user(name, attempt),
            Op::Run(command) => self.run_command(command, attempt),
            Op::Together(together) => self.change_together(together, attempt),
            Op::Mount { .. } | Op::Remount { .. } | Op::Unmount { .. } => self.change_mounts(op, attempt),
            Op::SetSysctl { path, value } => self.set_sysctl(path, value),
            Op::Reboot => self.reboot(attempt),
            Op::Check(check) => self.run_command(&check.command, attempt),
        }?;
        Ok(Touched::new())
    }

    /// Runs one of the system's own tools; anything but exit status 0 is a failure, with no secret in it.
    pub(super) fn tool(&self, argv: &[&str], attempt: &Attempt) -> Result<Output, Failure> {
        self.finish(child(argv, attempt))
    }

    pub(super) fn finish(&self, child: Child) -> Result<Output, Failure> {
        self.accept(child.run()?)
    }

    /// What it said, where it has ended well.
    pub(super) fn accept(&self, output: Output) -> Result<Output, Failure> {
        if output.status.success() {
            return Ok(output);
        }
        let mask = super::host::locked(&self.mask).clone();
        Err(told(&output, &mask))
    }
}

/// A tool with the deadline of the op; ten minutes where it has none.
pub(super) fn child(argv: &[&str], attempt: &Attempt) -> Child {
    let mut child = Child::new(argv);
    child.timeout = attempt.timeout.unwrap_or(Duration::from_secs(600));
    child
}
