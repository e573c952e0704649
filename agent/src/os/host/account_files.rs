//! Reads passwd(5), shadow(5) and group(5) from their files, for a static binary cannot trust NSS on another system.
//!
//! Tolerant as the C library is: a line that is none of theirs (comment, NIS `+`, too few fields, bytes that are not UTF-8) is
//! passed over, and of two lines with one name the first holds. It must not change anything: `account_tools` does that.

use crate::os::safe_path::{Follow, read_file};
use crate::system::{Accounts, Group, User};
use model::{Failure, Secret};
use std::collections::BTreeMap;
use std::path::Path;

/// Far above what the files of a host with many users have.
const LIMIT: u64 = 64 << 20;

/// What shadow(5) says of one user.
#[derive(Debug, PartialEq, Eq)]
struct Shadow {
    password: Secret<String>,
    expires: Option<i64>,
}

/// Reads the account files of the running system.
pub(super) fn read() -> Result<Accounts, Failure> {
    read_from(Path::new("/etc"))
}

/// Without a readable shadow(5) the rest is still told, and `shadow_unread` says why; without passwd(5) or group(5) nothing is.
fn read_from(etc: &Path) -> Result<Accounts, Failure> {
    let passwd = whole(&etc.join("passwd"))?;
    let group = whole(&etc.join("group"))?;
    let (shadow, shadow_unread) = match read_file(&etc.join("shadow"), Follow::Yes, LIMIT) {
        Ok(found) => (found.map(|(bytes, _)| bytes).unwrap_or(Vec::new()), None),
        Err(error) => (Vec::new(), Some(error.into())),
    };
    Ok(Accounts { users: users(&passwd, &shadow), groups: groups(&group), shadow_unread })
}

fn whole(path: &Path) -> Result<Vec<u8>, Failure> {
    match read_file(path, Follow::Yes, LIMIT)? {
        Some((bytes, _)) => Ok(bytes),
        None => Err(Failure::Missing { what: path.display().to_string() }),
    }
}

/// The lines that can be entries, split at `:`. A name that starts with `+` or `-` is an instruction to NIS.
fn entries(file: &[u8]) -> impl Iterator<Item = Vec<&str>> {
    let lines = file.split(|byte| *byte == b'\n').filter_map(|line| std::str::from_utf8(line).ok());
    let named = |line: &&str| !line.starts_with(['+', '-', '#', ':']) && line.contains(':');
    lines.filter(named).map(|line| line.split(':').collect())
}

fn users(passwd: &[u8], shadow: &[u8]) -> BTreeMap<String, User> {
    let mut shadows = shadows(shadow);
    let mut users = BTreeMap::new();
    for fields in entries(passwd) {
        let [name, _, uid, gid, comment, home, shell] = fields[..] else { continue };
        let (Ok(uid), Ok(gid)) = (uid.parse(), gid.parse()) else { continue };
        if users.contains_key(name) {
            continue;
        }
        let (password, expires) = match shadows.remove(name) {
            Some(shadow) => (Some(shadow.password), shadow.expires),
            None => (None, None),
        };
        let text = |field: &str| field.to_owned();
        let user = User {
            uid,
            gid,
            comment: text(comment),
            home: text(home),
            shell: text(shell),
            password,
            expires,
        };
        users.insert(name.to_owned(), user);
    }
    users
}

/// The eighth field counts days since 1970-01-01; empty is never.
fn shadows(file: &[u8]) -> BTreeMap<String, Shadow> {
    let mut found = BTreeMap::new();
    for fields in entries(file) {
        let [name, password, ..] = fields[..] else { continue };
        let expires = fields.get(7).and_then(|days| days.parse().ok()).filter(|days| *days >= 0);
        let shadow = Shadow { password: Secret::new(password.to_owned()), expires };
        found.entry(name.to_owned()).or_insert(shadow);
    }
    found
}

fn groups(file: &[u8]) -> BTreeMap<String, Group> {
    let mut groups = BTreeMap::new();
    for fields in entries(file) {
        let [name, _, gid, members] = fields[..] else { continue };
        let Ok(gid) = gid.parse() else { continue };
        let members =
            members.split(',').map(str::trim).filter(|member| !member.is_empty()).map(str::to_owned);
        groups.entry(name.to_owned()).or_insert(Group { gid, members: members.collect() });
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::{groups, read_from, users};

    const PASSWD: &[u8] = include_bytes!("../../../../tests/cases/recorded/passwd/odd.txt");
    const SHADOW: &[u8] = include_bytes!("../../../../tests/cases/recorded/passwd/odd-shadow.txt");
    const GROUP: &[u8] = include_bytes!("../../../../tests/cases/recorded/passwd/odd-group.txt");

    #[test]
    fn passes_over_odd_lines_and_takes_the_first_of_two() {
        let users = users(PASSWD, SHADOW);
        let names: Vec<&str> = users.keys().map(String::as_str).collect();
        assert_eq!(names, ["backup", "last", "noshadow", "root", "sshd"]);
        assert_eq!((users["backup"].uid, users["backup"].shell.as_str()), (34, "/usr/sbin/nologin"));
        assert_eq!(users["noshadow"].password, None);
        assert_eq!(users["sshd"].expires, Some(19000));
        assert_eq!(users["root"].password.as_ref().unwrap().expose(), "$y$j9T$abc$def");
        assert_eq!((users["last"].home.as_str(), users["last"].shell.as_str()), ("/srv/last", ""));
    }

    #[test]
    fn reads_members_and_tolerates_their_spacing() {
        let groups = groups(GROUP);
        let names: Vec<&str> = groups.keys().map(String::as_str).collect();
        assert_eq!(names, ["adm", "root", "www-data"]);
        let members: Vec<&str> = groups["adm"].members.iter().map(String::as_str).collect();
        assert_eq!(members, ["alice", "bob"]);
        assert_eq!(groups["www-data"].gid, 33);
    }

    #[test]
    fn a_host_without_shadow_has_users_without_passwords() {
        let etc = tempfile::tempdir().unwrap();
        std::fs::copy("/etc/passwd", etc.path().join("passwd")).unwrap();
        assert!(read_from(etc.path()).is_err(), "a missing group(5) is not an empty one");
        std::fs::copy("/etc/group", etc.path().join("group")).unwrap();
        let accounts = read_from(etc.path()).unwrap();
        assert_eq!(accounts.users["root"].password, None);
        assert!(accounts.require_shadow().is_ok());
        std::fs::create_dir(etc.path().join("shadow")).unwrap();
        assert!(read_from(etc.path()).unwrap().require_shadow().is_err());
    }
}
