//! A host that the user has and has named: it is neither made nor destroyed. What a test did to it is rolled back by the course, as the
//! host's own journal has it; what it is otherwise like nobody can tell.

use super::command::plain;
use super::driver::{Driver, Raw, Stay, TestBox};
use super::kept::Kept;
use super::late::{Connect, Late};
use fleet::Remote;
use model::Failure;

/// The one host.
pub struct Ssh {
    name: String,
    connect: Connect,
}

impl Ssh {
    /// The host that the user calls `name`.
    pub fn host(name: &str, connect: Connect) -> Self {
        Self { name: name.to_owned(), connect }
    }
}

impl Driver for Ssh {
    fn name(&self) -> &'static str {
        "ssh"
    }

    fn create(&self) -> Result<Box<dyn TestBox>, Failure> {
        let mut host = Host { name: self.name.clone(), connect: self.connect.clone() };
        host.look()?;
        Ok(Box::new(host))
    }
}

struct Host {
    name: String,
    connect: Connect,
}

impl Host {
    /// Whether it is reached, and we are root there.
    fn look(&mut self) -> Result<(), Failure> {
        let told = |why: String| Failure::unknown(format!("the host {}", self.name), why);
        let limit = std::time::Duration::from_secs(60);
        let said = super::run(&mut *self.remote(), &["id", "-u"], b"", limit);
        let said = said.map_err(|trouble| told(trouble.to_string()))?;
        match said.out.trim() {
            "0" => Ok(()),
            _ => Err(Failure::refused(
                format!("root cannot be had on {}: {}", self.name, said.errors.trim()),
                "log in as root, or let the user call `sudo` there without a password",
            )),
        }
    }
}

impl TestBox for Host {
    fn remote(&self) -> Box<dyn Remote> {
        Box::new(Late::new(self.connect.clone()))
    }

    fn compare(&mut self) -> Result<Raw, Failure> {
        Ok(Raw::Unknown)
    }

    fn notes(&self) -> Vec<String> {
        vec![format!("{} is a host of yours: it is rolled back, and not destroyed", self.name)]
    }

    fn stay(&self) -> Stay {
        Stay::Before
    }

    fn host(&self) -> Option<&str> {
        Some(&self.name)
    }

    fn by_hand(&self, run: Option<u64>) -> String {
        let host = plain(&self.name);
        run.map_or_else(|| format!("keel history {host}"), |run| format!("keel rollback {run} {host}"))
    }

    fn destroy(self: Box<Self>) -> Result<(), Failure> {
        Ok(())
    }

    fn keep(self: Box<Self>) -> Result<Kept, Failure> {
        let host = plain(&self.name);
        let (enter, note) =
            (format!("ssh {host}"), format!("`keel rollback {host}` brings it back to what it was"));
        Ok(Kept { name: self.name, enter, remove: Vec::new(), note })
    }
}

#[cfg(test)]
mod tests {
    use super::Host;
    use crate::boxes::TestBox;
    use fleet::Trouble;
    use std::sync::Arc;

    #[test]
    fn what_is_typed_by_hand_names_the_host_as_the_user_does() {
        let host = |name: &str| Host { name: name.to_owned(), connect: Arc::new(|| Err(Trouble::NotTried)) };
        assert_eq!(host("web1").host(), Some("web1"));
        for (name, run, typed) in [
            ("web1", Some(3), "keel rollback 3 web1"),
            ("web1", None, "keel history web1"),
            ("root@web 1", Some(3), "keel rollback 3 'root@web 1'"),
        ] {
            assert_eq!(host(name).by_hand(run), typed);
        }
    }
}
