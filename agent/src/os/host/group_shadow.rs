//! Changes what gshadow(5) says of a group: its password goes to chgpasswd(8) on standard input, its administrators to gpasswd(1).

use super::account_tools::{joined, patiently};
use super::execute::child;
use super::host::Host;
use crate::system::{Attempt, GroupShadow, administered, group_shadow};
use model::{Failure, GroupSpec, Op, Secret, UserSpec};
use std::collections::BTreeSet;

impl Host<'_> {
    /// Makes the user an administrator of just these groups; of one that is gone nobody is.
    pub(super) fn set_administered(&self, spec: &UserSpec, attempt: &Attempt) -> Result<(), Failure> {
        let Some(wanted) = &spec.administers else { return Ok(()) };
        for name in wanted.symmetric_difference(&administered(self, &spec.name)?) {
            let Some(GroupShadow { mut administrators, .. }) = group_shadow(self, name)? else { continue };
            if !administrators.remove(&spec.name) {
                administrators.insert(spec.name.clone());
            }
            let administrators = Some(administrators);
            let group = GroupSpec { name: name.clone(), administrators, ..GroupSpec::default() };
            self.set_group_shadow(&group, attempt)?;
        }
        Ok(())
    }

    pub(super) fn set_group_shadow(&self, spec: &GroupSpec, attempt: &Attempt) -> Result<(), Failure> {
        if let Some(administrators) = &spec.administrators {
            self.forget(&Op::ModifyGroup(GroupSpec::default()));
            let accounts = self.read_accounts()?;
            // gpasswd takes nobody who is not there, and who is not there administers nothing.
            let there: BTreeSet<String> =
                administrators.iter().filter(|name| accounts.users.contains_key(*name)).cloned().collect();
            self.account_tool(&["gpasswd", "-A", &joined(&there), "--", &spec.name], attempt)?;
        }
        let Some(password) = &spec.password else { return Ok(()) };
        let mut chgpasswd = child(&["chgpasswd", "-e"], attempt);
        chgpasswd.stdin = Some(line(&spec.name, password)?);
        patiently(|| self.finish(chgpasswd.clone()).map(|_| ()))
    }
}

fn line(name: &str, password: &Secret<String>) -> Result<Secret<Vec<u8>>, Failure> {
    if password.expose().contains(['\n', ':']) || name.contains(['\n', ':']) {
        let why = format!("the password of group {name:?} holds a character that would end it");
        return Err(Failure::refused(why, "set it by hand"));
    }
    Ok(Secret::new(format!("{name}:{}\n", password.expose()).into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::line;
    use model::Secret;

    #[test]
    fn a_password_is_one_line_of_its_group() {
        let of =
            |password: &str| line("web", &Secret::new(password.to_owned())).map(|it| it.expose().clone());
        assert_eq!(of("!").unwrap(), b"web:!\n");
        assert_eq!(of("$6$a").unwrap(), b"web:$6$a\n");
        for password in ["a\nroot:", "a:b"] {
            let failure = of(password).unwrap_err().to_string();
            assert!(!failure.contains(password), "{failure}");
        }
    }
}
