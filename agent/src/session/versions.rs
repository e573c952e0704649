//! Where the versions of packages come from that a rollback brings back: the package sources, or the file that was kept of one. A version that is
//! to be had nowhere is told before anything changes.

use super::job::Rollback;
use crate::undo::Keep;
use model::{Diff, Failure, Op, PackageAction, PackageChange, Subject, Val};

/// What the lists of the package sources are worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sources {
    /// They are as they were.
    Same,
    /// They are brought back too, and may then offer what they do not offer now.
    Changing,
}

/// Fills in where the packages of `ops` come from, and says so in `diffs`.
///
/// # Errors
/// Such a version is to be had nowhere.
pub(super) fn find_versions(
    rollback: &Rollback<'_>,
    (subject, sources): (&Subject, Sources),
    (ops, diffs): (&mut [Op], &mut [Diff]),
) -> Result<(), Failure> {
    let packages = ops.iter_mut().filter_map(|op| match op {
        Op::Packages(transaction) => Some(transaction),
        _ => None,
    });
    for PackageChange { name, action } in packages.flat_map(|transaction| &mut transaction.changes) {
        let PackageAction::Install(Some(version)) = action else { continue };
        let (found, from) = find(rollback, (name, version), sources)?;
        for diff in diffs.iter_mut().filter(|diff| diff.field == subject.to_string()) {
            diff.after = Val::Text(format!("{version}, {from}"));
        }
        *action = found.unwrap_or_else(|| action.clone());
    }
    Ok(())
}

/// The action that is to take the place of an installation from the sources, if any, and in words where the version comes from.
fn find(
    rollback: &Rollback<'_>,
    (name, version): (&str, &str),
    sources: Sources,
) -> Result<(Option<PackageAction>, String), Failure> {
    let offered = rollback.system.candidates(name, None);
    if offered.as_ref().is_ok_and(|offered| offered.versions.iter().any(|it| it == version)) {
        return Ok((None, "from the package sources".to_owned()));
    }
    let kept = match rollback.state.store().deb(name, version)? {
        Some(file) => Some(file),
        None => rollback.system.deb(name, version)?,
    };
    if let Some(file) = kept {
        let version = version.to_owned();
        return Ok((
            Some(PackageAction::InstallFile { version, file }),
            "from the file that was kept".to_owned(),
        ));
    }
    match offered {
        Err(failure) => {
            Ok((None, format!("if the package sources offer it, which could not be asked: {failure}")))
        }
        Ok(offered) if offered.unlisted || sources == Sources::Changing => {
            Ok((None, "if the package sources offer it".to_owned()))
        }
        Ok(_) => {
            let why = format!(
                "no package source offers {version} of package {name} any more, and its file was not kept"
            );
            Err(Failure::refused(why, "find the file elsewhere and install it by hand"))
        }
    }
}
