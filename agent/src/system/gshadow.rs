//! What gshadow(5) says of a group: few ever ask, so that it is read by itself and not with the other account files.

use super::{Look, System};
use model::{Failure, HostPath, Secret};
use std::collections::BTreeSet;

/// Far above what the file of a host with many groups has.
const LIMIT: u64 = 64 << 20;

/// One line of gshadow(5), without the members, whom group(5) has too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupShadow {
    /// Password field.
    pub password: Secret<String>,
    /// Who may change the members.
    pub administrators: BTreeSet<String>,
}

/// The line of group `name`; `None` where there is none, or no such file.
pub fn group_shadow(system: &dyn System, name: &str) -> Result<Option<GroupShadow>, Failure> {
    let path = HostPath::new("/etc/gshadow").expect("it is a host path");
    match system.look(&path, Look::Bare)? {
        None => Ok(None),
        Some(_) => Ok(of(&system.read(&path, LIMIT)?, name)),
    }
}

/// The groups whose members `user` may change, by name.
pub fn administered(system: &dyn System, user: &str) -> Result<BTreeSet<String>, Failure> {
    let path = HostPath::new("/etc/gshadow").expect("it is a host path");
    match system.look(&path, Look::Bare)? {
        None => Ok(BTreeSet::new()),
        Some(_) => Ok(by(&system.read(&path, LIMIT)?, user)),
    }
}

fn by(file: &[u8], user: &str) -> BTreeSet<String> {
    let mut known = BTreeSet::new();
    let first = lines(file).filter(|(name, _)| known.insert(*name));
    first.filter(|(_, it)| it.administrators.contains(user)).map(|(name, _)| name.to_owned()).collect()
}

fn of(file: &[u8], name: &str) -> Option<GroupShadow> {
    lines(file).find(|(of, _)| *of == name).map(|(_, group)| group)
}

/// As the C library reads it: of two lines with one name the first holds, and what is no line of its own is passed over.
fn lines(file: &[u8]) -> impl Iterator<Item = (&str, GroupShadow)> {
    let lines = file.split(|byte| *byte == b'\n').filter_map(|line| std::str::from_utf8(line).ok());
    lines.map(|line| line.split(':').collect::<Vec<_>>()).filter_map(|fields| match fields[..] {
        [name, password, administrators, _] => {
            let names = administrators.split(',').map(str::trim).filter(|name| !name.is_empty());
            let administrators = names.map(str::to_owned).collect();
            Some((name, GroupShadow { password: Secret::new(password.to_owned()), administrators }))
        }
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::{by, of};

    #[test]
    fn the_first_line_of_a_group_holds() {
        let file = b"root:*::\n#x\nadm:!\nadm:$6$a:alice, bob:carol\n\xff:x::\nadm:$6$b::\nweb:::\n";
        let found = |name| of(file, name).map(|it| (it.password.expose().clone(), it.administrators));
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        assert_eq!(found("adm"), Some(("$6$a".to_owned(), names(&["alice", "bob"]))));
        assert_eq!(found("web"), Some((String::new(), names(&[]))));
        assert_eq!(found("nobody"), None);
        assert_eq!((by(file, "bob"), by(file, "carol")), (names(&["adm"]), names(&[])));
    }
}
