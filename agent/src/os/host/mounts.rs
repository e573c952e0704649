//! Mounting by mount(8) and umount(8), which know the helpers of each file system. In a throwaway copy of the machine nothing is mounted: it is
//! written down, and shown as if it were. It must not judge what is asked for.

use super::host::{Host, Manager, locked};
use crate::os::meta::FileKind;
use crate::os::safe_path::{Follow, look};
use crate::system::{Attempt, MOUNTS, after, mounts, table};
use model::{Failure, HostPath, Op};
use std::collections::BTreeSet;
use std::path::Path;

/// So many who use a place are named.
const NAMED: usize = 5;

impl Host<'_> {
    pub(super) fn change_mounts(&self, op: &Op, attempt: &Attempt) -> Result<(), Failure> {
        if let Manager::Recorded(recording) = &self.manager {
            let text = after(&table(self)?, op)?;
            let path = HostPath::new(MOUNTS).map_err(|why| Failure::unknown(MOUNTS, why))?;
            let mut recording = locked(recording);
            recording.lines.push(op.to_string());
            recording.values.insert(path, text.trim_end_matches('\n').to_owned());
            if let Op::Mount { path, .. } = op {
                recording.mounted.insert(path.clone());
            }
            return Ok(());
        }
        match op {
            Op::Mount { path, source, fs, options } => {
                let at = place(path)?;
                self.tool(&["mount", "-t", fs, "-o", options, "--", source, &at], attempt).map(drop)
            }
            Op::Remount { path, options } => {
                let (at, options) = (place(path)?, format!("remount,{options}"));
                self.tool(&["mount", "-o", &options, "--", &at], attempt).map(drop)
            }
            Op::Unmount { path } => {
                let at = place(path)?;
                let done = self.tool(&["umount", "--", &at], attempt).map(drop);
                done.map_err(|failure| self.with_users(failure, path))
            }
            _ => Ok(()),
        }
    }

    /// What umount(8) says of a place in use is that it is; so who uses it goes along.
    fn with_users(&self, failure: Failure, path: &HostPath) -> Failure {
        let Failure::Command { argv, status, stderr } = failure else { return failure };
        let mut users = users(path.as_path());
        if let Ok(all) = mounts(self) {
            let below = format!("{}/", path);
            users.extend(
                all.iter().filter(|it| it.at.starts_with(&below)).map(|it| format!("a mount at {}", it.at)),
            );
        }
        let more = users.len().saturating_sub(NAMED);
        let mut named: Vec<String> = users.into_iter().take(NAMED).collect();
        if more > 0 {
            named.push(format!("{more} more"));
        }
        let stderr =
            if named.is_empty() { stderr } else { format!("{stderr}; in use by {}", named.join(", ")) };
        Failure::Command { argv, status, stderr }
    }
}

/// The place for mount(8), which follows links: whoever puts one on the way since it was decided must not lead it elsewhere.
fn place(path: &HostPath) -> Result<String, Failure> {
    for at in path.ancestors().chain([path.clone()]) {
        if look(at.as_path(), Follow::No)?.is_some_and(|found| found.kind() == FileKind::Symlink) {
            let why = format!("a link stands at {at}, and mount(8) would follow it");
            return Err(Failure::refused(why, "name the place that it leads to"));
        }
    }
    Ok(path.to_string())
}

/// The processes with anything open at or below `path`, as far as they can be looked at: `NAME (PID)`.
fn users(path: &Path) -> BTreeSet<String> {
    let mut users = BTreeSet::new();
    let Ok(processes) = std::fs::read_dir("/proc") else { return users };
    for process in processes.flatten() {
        let name = process.file_name();
        let Some(pid) = name.to_str().filter(|it| it.bytes().all(|byte| byte.is_ascii_digit())) else {
            continue;
        };
        let dir = process.path();
        let open = std::fs::read_dir(dir.join("fd")).into_iter().flatten().flatten().map(|it| it.path());
        let mut links = ["cwd", "root", "exe"].map(|it| dir.join(it)).into_iter().chain(open);
        if links.any(|link| std::fs::read_link(link).is_ok_and(|target| target.starts_with(path))) {
            let name = std::fs::read(dir.join("comm")).unwrap_or_else(|_| b"a process".to_vec());
            users.insert(format!("{} ({pid})", crate::os::capture::printable(name.trim_ascii_end())));
        }
    }
    users
}

#[cfg(test)]
mod tests {
    use super::users;
    use crate::os::host::Host;
    use crate::system::{Attempt, System, mounted};
    use crate::undo::MemoryKeep;
    use model::{HostPath, Op};
    use std::sync::Arc;

    #[test]
    fn who_has_a_file_open_below_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let _file = tempfile::tempfile_in(dir.path()).unwrap();
        let found = users(dir.path());
        assert!(found.iter().any(|it| it.ends_with(&format!("({})", std::process::id()))), "{found:?}");
        assert!(users(std::path::Path::new("/nowhere/at/all")).is_empty());
    }

    #[test]
    fn a_link_on_the_way_is_not_followed() {
        let dir = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink("/nowhere", dir.path().join("link")).unwrap();
        let host = Host::new(Arc::new(MemoryKeep::default()));
        let attempt = Attempt { tag: "t".to_owned(), timeout: None };
        for path in ["link", "link/below"] {
            let op = Op::Unmount { path: HostPath::new(dir.path().join(path)).unwrap() };
            let told = host.execute(&op, &attempt).unwrap_err().to_string();
            assert!(told.contains("link, and mount(8) would follow it"), "{told}");
        }
    }

    #[test]
    fn a_copy_of_the_machine_mounts_nothing_and_believes_it() {
        let host = Host::offline(Arc::new(MemoryKeep::default()), Default::default());
        let path = HostPath::new("/srv/keel-nowhere").unwrap();
        let attempt = Attempt { tag: "t".to_owned(), timeout: None };
        let (source, fs, options) = ("x".to_owned(), "tmpfs".to_owned(), "ro".to_owned());
        host.execute(&Op::Mount { path: path.clone(), source, fs, options }, &attempt).unwrap();
        assert_eq!(mounted(&host, &path).unwrap().unwrap().state.options, "ro");
        let real = Host::new(Arc::new(MemoryKeep::default()));
        assert_eq!(mounted(&real, &path).unwrap(), None);
        host.execute(&Op::Unmount { path: path.clone() }, &attempt).unwrap();
        assert_eq!(mounted(&host, &path).unwrap(), None);
        assert_eq!((host.recorded().len(), host.recorded_mounts()), (2, vec![path]));
    }
}
