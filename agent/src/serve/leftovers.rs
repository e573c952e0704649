//! What older pushes left beside the agent: other agents, and uploads that broke off. Nothing else there is touched.
//!
//! A program that runs goes on without its name. One that was put there a moment ago may be about to be started by another
//! controller: it stays, as does an upload that somebody wrote to within the hour.

use crate::os::Expect;
use crate::os::remove::remove;
use crate::os::safe_path::{self, Follow};
use model::{Digest, Failure};
use std::path::Path;
use std::time::{Duration, SystemTime};

/// An agent that is at least so old waits for nobody.
const NEW: Duration = Duration::from_secs(60);

/// An upload that nobody wrote to for so long has broken off.
const STALLED: Duration = Duration::from_secs(3600);

/// Removes them from where the agent `own` is; nothing where that is not where a push puts agents.
///
/// # Errors
/// One could not be looked at or removed.
pub fn remove_leftovers(own: &Path, now: SystemTime) -> Result<(), Failure> {
    let own_name = own.file_name().and_then(|name| name.to_str());
    let Some(dir) = own.parent().filter(|_| state_of(own).is_some()) else { return Ok(()) };
    for name in safe_path::list(dir, Follow::No)?.unwrap_or_else(Vec::new) {
        let Some(text) = name.to_str().filter(|name| Some(*name) != own_name) else { continue };
        let spared = match (is_agent(text), is_upload(text)) {
            (true, _) => NEW,
            (_, true) => STALLED,
            _ => continue,
        };
        let path = dir.join(&name);
        let Some((_, meta)) = safe_path::open_file(&path, Follow::No)? else { continue };
        let written = SystemTime::UNIX_EPOCH + Duration::from_secs(meta.mtime.max(0).unsigned_abs());
        // What was written in the future is of a clock that was wrong then or is now.
        let is_old = now.duration_since(written).is_ok_and(|age| age >= spared);
        if is_old {
            remove(&path, Expect::Anything)?;
        }
    }
    Ok(())
}

/// The state directory of a host where the agent stands at `own`: a push puts it into `bin` there, under its digest. `None` for one that
/// stands elsewhere.
pub fn state_of(own: &Path) -> Option<&Path> {
    let name = own.file_name()?.to_str()?;
    own.parent().filter(|dir| is_agent(name) && dir.ends_with("bin"))?.parent()
}

/// `keel-agent-<sha256>`
fn is_agent(name: &str) -> bool {
    name.strip_prefix("keel-agent-").is_some_and(|digest| Digest::parse(digest).is_some())
}

/// `.part-<anything>`
fn is_upload(name: &str) -> bool {
    name.starts_with(".part-")
}

#[expect(clippy::disallowed_methods, reason = "makes scratch files")]
#[cfg(test)]
mod tests {
    use super::{remove_leftovers, state_of};
    use std::fs::File;
    use std::path::Path;
    use std::time::{Duration, SystemTime};

    #[test]
    fn the_state_is_where_a_push_put_the_agent() {
        let digest = "0".repeat(64);
        for (path, state) in [
            (format!("/var/lib/evenkeel/bin/keel-agent-{digest}"), Some("/var/lib/evenkeel")),
            (format!("/var/lib/evenkeel/sbin/keel-agent-{digest}"), None),
            ("/usr/bin/keel-agent".to_owned(), None),
            ("/usr/bin/keel-agent-x86_64".to_owned(), None),
        ] {
            assert_eq!(state_of(Path::new(&path)), state.map(Path::new));
        }
    }

    #[test]
    fn old_agents_and_broken_uploads_go_and_nothing_else() {
        let scratch = tempfile::tempdir().unwrap();
        let dir = scratch.path().join("bin");
        std::fs::create_dir(&dir).unwrap();
        let now = SystemTime::now();
        let agent = |digit: &str| format!("keel-agent-{}", digit.repeat(64));
        for (name, age, stays) in [
            (agent("0"), 9000, true),
            (agent("1"), 100, false),
            (agent("2"), 5, true),
            (".part-old".to_owned(), 4000, false),
            (".part-new".to_owned(), 100, true),
            ("keel-agent-x86_64".to_owned(), 9000, true),
        ] {
            let file = File::create(dir.join(&name)).unwrap();
            file.set_modified(now - Duration::from_secs(age)).unwrap();
            remove_leftovers(&dir.join(agent("0")), now).unwrap();
            assert_eq!(dir.join(&name).exists(), stays, "{name}");
        }
        remove_leftovers(&scratch.path().join(agent("3")), now).unwrap();
        assert!(dir.join(agent("2")).exists());
    }
}
