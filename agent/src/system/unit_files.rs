//! What the service manager knows of a unit's file: on the model of a host, a file in its directory is a unit.

use super::{EntryKind, Layer, Look, System};
use model::{Content, Failure, HostPath, UnitState};
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
    /// The unit that a template written here makes possible.
    pub(super) fn instance(&self, name: &str) -> Option<UnitState> {
        self.delta().units.get(&template_of(name)?).cloned().flatten()
    }

    /// After a file was written: a unit that was not there is.
    pub(super) fn unit_written(&self, path: &HostPath, content: &Content) -> Result<(), Failure> {
        let Some(name) = unit_of(path) else { return Ok(()) };
        if self.unit(name)?.is_none() {
            self.delta().units.insert(name.to_owned(), Some(fresh(content)));
        }
        Ok(())
    }

    /// After a file was removed: its unit, or the instances of a template, are gone, unless a package brings a file for it or it still runs.
    pub(super) fn unit_removed(&self, path: &HostPath) -> Result<(), Failure> {
        let Some(name) = unit_of(path) else { return Ok(()) };
        let Some(unit) = self.unit(name)? else { return Ok(()) };
        for directory in OTHERS {
            let other = HostPath::new(format!("{directory}/{name}")).ok();
            if let Some(entry) = other.map(|other| self.look(&other, Look::Bare)).transpose()?.flatten()
                && matches!(entry.kind, EntryKind::File { .. } | EntryKind::Symlink { .. })
            {
                return Ok(());
            }
        }
        if super::is_running(&unit.active) {
            return Ok(());
        }
        let mut delta = self.delta();
        let is_gone = |other: &str| other == name || template_of(other).as_deref() == Some(name);
        if self.base.is_none() {
            delta.units.retain(|other, _| !is_gone(other));
        } else {
            delta.units.insert(name.to_owned(), None);
            delta.units.iter_mut().filter(|(other, _)| is_gone(other)).for_each(|(_, unit)| *unit = None);
        }
        Ok(())
    }
}

/// A unit that nobody has enabled or started yet. Without an `[Install]` section it cannot be enabled; of bytes that are
/// not at hand that is not assumed.
fn fresh(content: &Content) -> UnitState {
    let bytes = match content {
        Content::Held(bytes, _) => Some(bytes),
        Content::Hidden(bytes) => Some(bytes.expose()),
        Content::Stored(..) => None,
    };
    let installs =
        |bytes: &[u8]| String::from_utf8_lossy(bytes).lines().any(|line| line.trim() == "[Install]");
    let file = if bytes.is_none_or(|bytes| installs(bytes)) { "disabled" } else { "static" };
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
