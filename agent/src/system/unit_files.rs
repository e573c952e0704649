//! What the service manager will know of a unit's file: on the model of a host, a file in its directory is a unit.

use super::layer::Inode;
use super::{EntryKind, Layer, Look, System, is_running};
use model::{Failure, HostPath, UnitState};
use std::ffi::OsStr;

/// Where an administrator's unit files are, and where packages and others put theirs (systemd.unit(5)).
const OURS: &str = "/etc/systemd/system";
const OTHERS: [&str; 4] = [
    "/run/systemd/system",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
];

/// The unit whose own file this path is.
fn unit_of(path: &HostPath) -> Option<&str> {
    let mut parts = path.as_path().strip_prefix(OURS).ok()?.iter().map(OsStr::to_str);
    let (Some(Some(name)), None) = (parts.next(), parts.next()) else { return None };
    (name.contains('.') && !name.ends_with(".d")).then_some(name)
}

/// The template of an instance: `app@.service` of `app@one.service`.
fn template_of(name: &str) -> Option<String> {
    let (base, instance) = name.split_once('@')?;
    let (_, suffix) = instance.rsplit_once('.')?;
    Some(format!("{base}@.{suffix}"))
}

impl Layer<'_> {
    /// The unit as the base knows it, corrected by what was predicted of its file or its template's.
    pub(super) fn by_files(
        &self,
        name: &str,
        found: Option<UnitState>,
    ) -> Result<Option<UnitState>, Failure> {
        let Ok(path) = HostPath::new(format!("{OURS}/{name}")) else { return Ok(found) };
        let inode = self.delta().paths.get(&path).cloned();
        match (found, inode) {
            (None, Some(Some(inode))) if matches!(inode.entry.kind, EntryKind::File { .. }) => {
                Ok(Some(fresh(&inode)))
            }
            (Some(unit), Some(None)) if !is_running(&unit.active) && !self.is_elsewhere(name)? => Ok(None),
            (None, _) => match template_of(name).filter(|template| template != name) {
                Some(template) => self.by_files(&template, None),
                None => Ok(None),
            },
            (found, _) => Ok(found),
        }
    }

    /// True where a package or somebody else brings a file for the unit.
    fn is_elsewhere(&self, name: &str) -> Result<bool, Failure> {
        for path in OTHERS.iter().filter_map(|directory| HostPath::new(format!("{directory}/{name}")).ok()) {
            if self.look(&path, Look::Bare)?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// After a file was removed: what was predicted of its unit, and of the instances of a template, is gone with it.
    pub(super) fn unit_removed(&self, path: &HostPath) {
        let Some(name) = unit_of(path) else { return };
        let is_gone = |other: &str| other == name || template_of(other).as_deref() == Some(name);
        let runs = |unit: &Option<UnitState>| unit.as_ref().is_some_and(|unit| is_running(&unit.active));
        self.delta().units.retain(|other, unit| !is_gone(other) || runs(unit));
    }
}

/// A unit that nobody has enabled or started yet. Without an `[Install]` section it cannot be enabled; of bytes that are
/// not at hand that is not assumed.
fn fresh(file: &Inode) -> UnitState {
    let installs =
        |bytes: &[u8]| String::from_utf8_lossy(bytes).lines().any(|line| line.trim() == "[Install]");
    let file = if file.bytes.as_deref().is_none_or(installs) { "disabled" } else { "static" };
    UnitState { active: "inactive".to_owned(), file: file.to_owned(), need_reload: false, can_reload: false }
}

#[cfg(test)]
mod tests {
    use crate::system::{Layer, System};
    use model::{Content, HostPath, Op, Principal};

    #[test]
    fn a_unit_file_makes_a_unit_and_takes_it_away() {
        let host = Layer::memory();
        host.put_file("/etc/systemd/system/keep", b"", 0o644);
        let before = host.snapshot();
        let path = HostPath::new("/etc/systemd/system/app@.service").unwrap();
        let (owner, group) = (Principal::Number(0), Principal::Number(0));
        let content = Content::held(*b"[Service]\n[Install]\n");
        let op =
            Op::WriteFile { path: path.clone(), content, owner, group, mode: 0o644, validate: Vec::new() };
        host.predict(&op).unwrap();
        let file = |name: &str| host.unit(name).unwrap().map(|unit| unit.file);
        assert_eq!(file("app@one.service").as_deref(), Some("disabled"));
        assert_eq!(file("app@one.socket"), None);
        host.predict(&Op::Remove { path }).unwrap();
        assert_eq!(host.snapshot(), before);
    }
}
