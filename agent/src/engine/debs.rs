//! Has the files kept that brought the versions of packages which an op takes away, so that a rollback has them where no source offers
//! them any more. A file that is nowhere any more is none to keep.

use crate::system::{Package, System};
use crate::undo::{Keep, package_state};
use model::{Failure, Op, PackageState, State, Subject};
use std::collections::BTreeMap;

/// Before `op`: those of the packages that it names, of which `all` are there.
pub(super) fn keep_named(
    op: &Op,
    all: &BTreeMap<String, Package>,
    (host, keep): (&dyn System, &dyn Keep),
) -> Result<(), Failure> {
    let Op::Packages(transaction) = op else { return Ok(()) };
    for change in &transaction.changes {
        let version = all.get(&change.name).map(package_state).and_then(|package| package.version);
        keep_one((&change.name, version.as_deref()), (host, keep))?;
    }
    Ok(())
}

/// After it: those of the packages that it changed besides, which were not known before.
pub(super) fn keep_others(
    changes: &[(Subject, State, State)],
    (host, keep): (&dyn System, &dyn Keep),
) -> Result<(), Failure> {
    for (subject, before, _) in changes {
        if let (Subject::Package(name), State::Package(Some(PackageState { version, .. }))) =
            (subject, before)
        {
            keep_one((name, version.as_deref()), (host, keep))?;
        }
    }
    Ok(())
}

fn keep_one(
    (name, version): (&str, Option<&str>),
    (host, keep): (&dyn System, &dyn Keep),
) -> Result<(), Failure> {
    let Some(version) = version else { return Ok(()) };
    match host.deb(name, version)? {
        Some(file) => keep.keep_deb((name, version), &file),
        None => Ok(()),
    }
}
