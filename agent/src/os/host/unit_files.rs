//! Units without a service manager to ask, as in a rehearsal's chroot: what the unit files and links on the disk say.
//!
//! `systemctl --root=/` answers for the links; templates are asked about in the same way on a live host, for a template
//! itself is never loaded. It must not change anything.

use crate::os::child::Child;
use crate::os::safe_path::{Follow, read_file, read_link};
use model::{Failure, UnitState};
use std::path::Path;

/// Where systemd looks for units of the system, the first hit wins (systemd.unit(5)).
const DIRECTORIES: [&str; 5] = [
    "/etc/systemd/system",
    "/run/systemd/system",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
];

/// Whom to ask about the links that enable and mask a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ask {
    /// The running service manager.
    Manager,
    /// The files alone.
    Files,
}

/// True for a template itself, `name@.service`.
pub(super) fn is_template(name: &str) -> bool {
    name.rsplit_once('.').is_some_and(|(stem, _)| stem.ends_with('@'))
}

/// The state as far as files tell it: it is not running. `None` where there is no such unit.
pub(super) fn state(name: &str, ask: Ask) -> Result<Option<UnitState>, Failure> {
    let root: &[&str] = if ask == Ask::Files { &["--root=/"] } else { &[] };
    let argv = [&["systemctl"], root, &["--no-pager", "is-enabled", "--", name]].concat();
    let output = Child::new(argv).run()?;
    let said = output.text()?;
    let file = match said.lines().next() {
        Some("not-found") => return Ok(None),
        // A running manager speaks of the unit that is meant, and so does this.
        Some("alias") if let Some(meant) = meant_by(name)? => return state(&meant, ask),
        Some(word) if word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-') => word.to_owned(),
        _ if output.stderr.printable().contains("No such file or directory") => return Ok(None),
        _ => return Err(output.failure()),
    };
    let can_reload = has_reload(name)?;
    Ok(Some(UnitState { active: "inactive".to_owned(), file, need_reload: false, can_reload }))
}

/// The name of the unit that the link of an alias points to.
fn meant_by(alias: &str) -> Result<Option<String>, Failure> {
    for directory in DIRECTORIES {
        match read_link(&Path::new(directory).join(alias)) {
            Ok(Some(target)) => {
                let name = target.file_name().and_then(|name| name.to_str());
                return Ok(name.filter(|name| *name != alias).map(str::to_owned));
            }
            Ok(None) | Err(crate::os::OsError::WrongKind { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(None)
}

/// Whether the unit's own file has `ExecReload=`; of an instance, its template's.
fn has_reload(name: &str) -> Result<bool, Failure> {
    let template = name.split_once('@').and_then(|(stem, rest)| {
        let (_, suffix) = rest.rsplit_once('.')?;
        Some(format!("{stem}@.{suffix}"))
    });
    for file in [Some(name.to_owned()), template].into_iter().flatten() {
        for directory in DIRECTORIES {
            let path = Path::new(directory).join(&file);
            match read_file(&path, Follow::Yes, 1 << 20) {
                Ok(Some((text, _))) => return Ok(sets_reload(&text)),
                Ok(None) => {}
                // A mask is a link to /dev/null, which is no file.
                Err(crate::os::OsError::WrongKind { .. }) => return Ok(false),
                Err(error) => return Err(error.into()),
            }
        }
    }
    Ok(false)
}

fn sets_reload(file: &[u8]) -> bool {
    let lines = file.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    let mut values = lines.filter_map(|line| line.strip_prefix(b"ExecReload=").map(<[u8]>::trim_ascii));
    values.any(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::{is_template, sets_reload};

    #[test]
    fn tells_a_template_from_its_instances() {
        assert!(is_template("getty@.service"));
        assert!(!is_template("getty@tty1.service") && !is_template("ssh.service") && !is_template("odd"));
    }

    #[test]
    fn sees_whether_a_unit_can_be_reloaded() {
        assert!(sets_reload(b"[Service]\nExecReload=/bin/kill -HUP $MAINPID\n"));
        assert!(!sets_reload(b"[Service]\nExecReload=\n# ExecReload=/bin/true\n"));
    }
}
