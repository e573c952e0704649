//! What a configuration may refer to and depends on: who asks, and from where. Data, so that everything behind it is pure.

use crate::trouble::Trouble;
use rustix::process::getuid;
use rustix::system::uname;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Where the configuration of ssh is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SshFiles {
    /// `~/.ssh/config`; need not be there.
    pub user: PathBuf,
    /// `/etc/ssh/ssh_config`; need not be there.
    pub system: PathBuf,
    /// What is read instead of both, as with `ssh -F`; has to be there.
    pub instead: Option<PathBuf>,
}

impl SshFiles {
    /// Where ssh looks for them.
    pub fn usual(home: &Path) -> Self {
        Self { user: home.join(".ssh/config"), system: PathBuf::from("/etc/ssh/ssh_config"), instead: None }
    }
}

/// Who asks, and from where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Surroundings {
    /// The user's home directory.
    pub home: PathBuf,
    /// The user's name; it is also the name to log in with where nothing says another.
    pub user: String,
    /// The user's number.
    pub uid: u32,
    /// The name of this machine.
    pub machine: String,
    /// The environment: `${NAME}` in paths, and `SSH_AUTH_SOCK`.
    pub variables: BTreeMap<String, String>,
}

impl Surroundings {
    /// This process's, of its environment: `HOME`, and `USER` or `LOGNAME`, else the name that passwd(5) has for its user, as containers
    /// often set neither. Variables that are not UTF-8 are left out.
    ///
    /// # Errors
    /// `Trouble::Here` where one of them cannot be told.
    pub fn here() -> Result<Self, Trouble> {
        let texts = std::env::vars_os().map(|(name, value)| (name.into_string(), value.into_string()));
        let variables: BTreeMap<_, _> =
            texts.filter_map(|(name, value)| Some((name.ok()?, value.ok()?))).collect();
        let uid = getuid().as_raw();
        let passwd = std::fs::read_to_string("/etc/passwd");
        let home = said(&variables, &["HOME"]);
        let user = said(&variables, &["USER", "LOGNAME"]).or_else(|| name_in(passwd.ok()?.as_str(), uid));
        let lacking = |what: &str| Trouble::Here(format!("nothing says {what}"));
        Ok(Self {
            home: home.map(PathBuf::from).ok_or_else(|| lacking("where your home is: set HOME"))?,
            user: user.ok_or_else(|| lacking("who you are: set USER"))?,
            uid,
            machine: uname().nodename().to_string_lossy().into_owned(),
            variables,
        })
    }
}

fn said(variables: &BTreeMap<String, String>, names: &[&str]) -> Option<String> {
    names.iter().find_map(|name| variables.get(*name).filter(|value| !value.is_empty()).cloned())
}

/// The name of a user in passwd(5).
fn name_in(passwd: &str, uid: u32) -> Option<String> {
    let uid = uid.to_string();
    let mut names = passwd.lines().filter_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next().filter(|name| !name.is_empty())?;
        (fields.nth(1)? == uid).then(|| name.to_owned())
    });
    names.next()
}

#[cfg(test)]
mod tests {
    use super::{name_in, said};

    #[test]
    fn the_environment_says_who_asks_and_passwd_where_it_does_not() {
        let variables = [("USER", ""), ("LOGNAME", "ada")].map(|(name, value)| (name.into(), value.into()));
        assert_eq!(said(&variables.into(), &["USER", "LOGNAME"]).as_deref(), Some("ada"));
        let passwd =
            "root:x:0:0:root:/root:/bin/sh\n\n:x:7::/:\n+::::::\nada:x:1000:1000::/home/ada:/bin/sh\n";
        assert_eq!(name_in(passwd, 1000).as_deref(), Some("ada"));
        assert_eq!(name_in(passwd, 7), None);
    }
}
