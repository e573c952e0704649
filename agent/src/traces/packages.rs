//! What dpkg says: what it did to a package last, by its log, and whether it unpacked the package that a file belongs to when the file
//! was changed. The log is in the host's own time, and is quoted as it stands.

use super::find::Found;
use crate::os::safe_path::{self, Follow};
use crate::system::compare_versions;
use jiff::Timestamp;
use model::{About, Failure, Thing};
use std::cmp::Ordering;
use std::path::Path;

const LOG: &str = "/var/log/dpkg.log";
const INFO: &str = "/var/lib/dpkg/info";

/// Most of a file that is read, in bytes.
const MOST: u64 = 16 << 20;

/// Between unpacking a file and writing down what was unpacked, in seconds.
const NEAR: i64 = 120;

/// Asks it of those that may be its doing.
pub(super) fn find(found: &mut [Found]) -> Result<(), Failure> {
    let names = |one: &Found| {
        let name = |thing: &Thing| if let Thing::Package(name) = thing { Some(name.clone()) } else { None };
        one.things.iter().filter_map(name).collect::<Vec<_>>()
    };
    if found.iter().any(|one| !names(one).is_empty()) {
        let log = safe_path::read_file(Path::new(LOG), Follow::No, MOST)?.map(|(bytes, _)| bytes);
        let log = String::from_utf8_lossy(log.as_deref().unwrap_or_default()).into_owned();
        for one in &mut *found {
            for name in names(one) {
                if let Some(line) = last_of(&log, &name) {
                    one.tell(
                        About::Who,
                        None,
                        (LOG.to_owned(), format!("dpkg, {line}, in the host's own time")),
                    );
                }
            }
        }
    }
    owners(found)
}

/// The last thing that was done to a package: `DATE TIME ACTION PACKAGE:ARCH OLD NEW` (dpkg(1), --log).
fn last_of(log: &str, name: &str) -> Option<String> {
    let is_it = |line: &&str| {
        let mut words = line.split(' ').skip(2);
        let does = ["install", "upgrade", "remove", "purge"].contains(&words.next().unwrap_or_default());
        does && words.next().and_then(|word| word.split(':').next()) == Some(name)
    };
    log.lines().rev().find(is_it).map(|line| line.chars().filter(|it| !it.is_control()).take(200).collect())
}

/// Whether somebody put an older version of one of its packages there after `since`, as far as the log goes back.
pub(super) fn went_back(one: &Found, since: Timestamp) -> Result<bool, Failure> {
    let log = safe_path::read_file(Path::new(LOG), Follow::No, MOST)?.map(|(bytes, _)| bytes);
    let log = String::from_utf8_lossy(log.as_deref().unwrap_or_default()).into_owned();
    for thing in &one.things {
        let Thing::Package(name) = thing else { continue };
        let Some(whole) = last_of(&log, name).as_deref().and_then(gone_back).map(str::to_owned) else {
            continue;
        };
        // The log is in the host's own time; what was unpacked has a stamp.
        for name in [name.as_str(), &whole] {
            let list = safe_path::look(&Path::new(INFO).join(format!("{name}.list")), Follow::No)?;
            if list.is_some_and(|meta| meta.mtime > since.as_second()) {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// The package of a line by which an older version replaced a newer one, with its architecture: dpkg calls that an upgrade as well.
fn gone_back(line: &str) -> Option<&str> {
    let words: Vec<&str> = line.split(' ').collect();
    let [_, _, "upgrade", package, old, new] = words[..] else { return None };
    (compare_versions(new, old) == Ordering::Less).then_some(package)
}

/// The packages that changed files belong to, where those were unpacked at that time.
fn owners(found: &mut [Found]) -> Result<(), Failure> {
    let is_near = |at: Timestamp, other: i64| (at.as_second() - other).abs() <= NEAR;
    let mut files: Vec<&mut Found> =
        found.iter_mut().filter(|one| one.paths().next().is_some() && one.span().1.is_some()).collect();
    if files.is_empty() {
        return Ok(());
    }
    for name in safe_path::list(Path::new(INFO), Follow::No)?.unwrap_or_default() {
        let Some(package) = name.to_str().and_then(|name| name.strip_suffix(".list")) else { continue };
        let path = Path::new(INFO).join(&name);
        let Some(unpacked) = safe_path::look(&path, Follow::No)?.map(|meta| meta.mtime) else { continue };
        let mut near: Vec<_> =
            files.iter_mut().filter(|one| one.span().1.is_some_and(|at| is_near(at, unpacked))).collect();
        if near.is_empty() {
            continue;
        }
        let Some((list, _)) = safe_path::read_file(&path, Follow::No, MOST)? else { continue };
        let list = String::from_utf8_lossy(&list);
        for one in &mut near {
            if one.paths().any(|path| list.lines().any(|line| Path::new(line) == path)) {
                let says = format!("it belongs to {package}, which dpkg unpacked then");
                one.tell(
                    About::Who,
                    Timestamp::from_second(unpacked).ok(),
                    (path.display().to_string(), says),
                );
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{gone_back, last_of};

    #[test]
    fn an_older_version_in_place_of_a_newer_one_is_a_way_back() {
        for (rest, package) in [
            ("upgrade nginx:amd64 1.24-1 1.22-1", Some("nginx:amd64")),
            ("upgrade nginx:amd64 1.24-1 1.24~rc1-1", Some("nginx:amd64")),
            ("upgrade nginx:amd64 1.9 1.10", None),
            ("upgrade nginx:amd64 1.9 1.9", None),
            ("install nginx:amd64 <none> 1.22", None),
            ("remove nginx:amd64 1.24-1 <none>", None),
            ("upgrade nginx:amd64 1.24-1", None),
        ] {
            assert_eq!(gone_back(&format!("2026-11-21 09:00:01 {rest}")), package, "{rest}");
        }
    }

    #[test]
    fn the_last_that_was_done_to_a_package_is_found() {
        let log = "2026-11-20 10:00:00 install nginx:amd64 <none> 1.22\n\
                   2026-11-20 10:00:01 status installed nginx:amd64 1.22\n\
                   2026-11-21 09:00:00 upgrade nginx-common:all 1.22 1.24\n\
                   2026-11-21 09:00:01 upgrade nginx:amd64 1.22 1.24\n\
                   2026-11-21 09:00:02 status unpacked nginx:amd64 1.24\n";
        assert_eq!(last_of(log, "nginx").unwrap(), "2026-11-21 09:00:01 upgrade nginx:amd64 1.22 1.24");
        assert_eq!(last_of(log, "ngin"), None);
    }
}
