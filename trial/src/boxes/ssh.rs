//! A host that the user has and has named: it is neither made nor destroyed. What a test did to it is rolled back by the course, as the
//! host's own journal has it; what it is otherwise like nobody can tell.

use super::command::plain;
use super::driver::{Driver, Raw, Stay, TestBox};
use super::kept::Kept;
use super::late::{Connect, Late};
use crate::course::After;
use fleet::Remote;
use model::Failure;

/// The one host.
pub struct Ssh {
    names: Names,
    connect: Connect,
    after: After,
}

/// What a host is called, and by whom.
#[derive(Clone, Debug)]
pub struct Names {
    /// By the user, who has named it for the test.
    pub called: String,
    /// On the command line of `keel`, which takes only hosts of the inventory without a user.
    pub typed: String,
    /// On that of `ssh`.
    pub login: String,
}

impl Ssh {
    /// The host of these names, and what becomes of it.
    pub fn host(names: Names, connect: Connect, after: After) -> Self {
        Self { names, connect, after }
    }
}

impl Driver for Ssh {
    fn name(&self) -> &'static str {
        "ssh"
    }

    fn create(&self) -> Result<Box<dyn TestBox>, Failure> {
        let mut host = Host { names: self.names.clone(), connect: self.connect.clone(), after: self.after };
        host.look()?;
        Ok(Box::new(host))
    }
}

struct Host {
    names: Names,
    connect: Connect,
    after: After,
}

impl Host {
    /// Whether it is reached, and we are root there.
    fn look(&mut self) -> Result<(), Failure> {
        let told = |why: String| Failure::unknown(format!("the host {}", self.names.called), why);
        let limit = std::time::Duration::from_secs(60);
        let said = super::run(&mut *self.remote(), &["id", "-u"], b"", limit);
        let said = said.map_err(|trouble| told(trouble.to_string()))?;
        match said.out.trim() {
            "0" => Ok(()),
            _ => Err(Failure::refused(
                format!("root cannot be had on {}: {}", self.names.called, said.errors.trim()),
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
        let then = match self.after {
            After::Kept => "what is done to it stays",
            After::Destroyed => "it is rolled back, and not destroyed",
        };
        vec![format!("{} is a host of yours: {then}", self.names.called)]
    }

    fn stay(&self) -> Stay {
        Stay::Before
    }

    fn host(&self) -> Option<&str> {
        Some(&self.names.called)
    }

    fn by_hand(&self, run: Option<u64>) -> String {
        let host = plain(&self.names.typed);
        run.map_or_else(|| format!("keel history {host}"), |run| format!("keel rollback {run} {host}"))
    }

    fn destroy(self: Box<Self>) -> Result<(), Failure> {
        Ok(())
    }

    fn keep(self: Box<Self>) -> Result<Kept, Failure> {
        let Names { called, typed, login } = self.names;
        let note = format!("`keel rollback {}` brings it back to what it was", plain(&typed));
        Ok(Kept { name: called, enter: format!("ssh {login}"), remove: Vec::new(), note })
    }
}

#[cfg(test)]
mod tests {
    use super::{Host, Names};
    use crate::After;
    use crate::boxes::TestBox;
    use fleet::Trouble;
    use std::sync::Arc;

    #[test]
    fn what_becomes_of_the_host_is_told_as_it_is() {
        for (after, told) in [
            (After::Destroyed, "web1 is a host of yours: it is rolled back, and not destroyed"),
            (After::Kept, "web1 is a host of yours: what is done to it stays"),
        ] {
            assert_eq!(host("web1", "web1", after).notes(), [told]);
        }
    }

    fn host(called: &str, typed: &str, after: After) -> Host {
        let (called, typed) = (called.to_owned(), typed.to_owned());
        let names = Names { called, typed, login: "-p 23 root@192.0.2.1".to_owned() };
        Host { names, connect: Arc::new(|| Err(Trouble::NotTried)), after }
    }

    #[test]
    fn what_is_typed_by_hand_names_the_host_as_each_program_takes_it() {
        for (called, typed, run, told) in [
            ("web1", "web1", Some(3), "keel rollback 3 web1"),
            ("web1", "web1", None, "keel history web1"),
            ("boxhost", "admin@boxhost", Some(3), "keel rollback 3 admin@boxhost"),
            ("root@web 1", "root@web 1", Some(3), "keel rollback 3 'root@web 1'"),
        ] {
            assert_eq!(host(called, typed, After::Destroyed).host(), Some(called));
            assert_eq!(host(called, typed, After::Destroyed).by_hand(run), told);
        }
        let kept = Box::new(host("boxhost", "admin@boxhost", After::Kept)).keep().unwrap();
        assert_eq!((&*kept.name, &*kept.enter), ("boxhost", "ssh -p 23 root@192.0.2.1"));
        assert!(kept.note.contains("`keel rollback admin@boxhost`"), "{}", kept.note);
    }
}
