//! Running the user's own commands: guards, which promise to change nothing, and commands run for their effect.
//!
//! It must not judge what a command does. Nothing secret that is known stays in a failure.

use super::host::Host;
use super::mask::Mask;
use crate::os::child::{Child, Echo, Output, RunAs};
use crate::system::{Accounts, Attempt};
use model::{Command, Failure, Principal, Secret, Text};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::thread::sleep;
use std::time::Duration;

/// Deadline of a command that names none.
const LONGEST: Duration = Duration::from_secs(3600);

impl Host<'_> {
    /// The exit code of a command that promises to change nothing.
    pub(super) fn exit_code(&self, command: &Command) -> Result<i32, Failure> {
        let mask = self.mask_of(command);
        let child = self.child(command, LONGEST)?;
        let output = child.run().map_err(|failure| hidden(failure, &mask))?;
        output.status.code().ok_or_else(|| told(&output, &mask))
    }

    /// Runs a command for its effect, again where it fails and was told to.
    pub(super) fn run_command(&self, command: &Command, attempt: &Attempt) -> Result<(), Failure> {
        let mask = self.mask_of(command);
        let child = self.child(command, attempt.timeout.unwrap_or(LONGEST))?;
        let expected = |code: i32| command.returns.contains(&code) || command.returns.is_empty() && code == 0;
        let mut left = command.retries;
        loop {
            let failure = match child.run() {
                Ok(output) if output.status.code().is_some_and(expected) => return Ok(()),
                Ok(output) => told(&output, &mask),
                Err(failure) => hidden(failure, &mask),
            };
            if left == 0 {
                return Err(failure);
            }
            left -= 1;
            sleep(Duration::from_secs(command.retry_delay));
        }
    }

    pub(super) fn child(&self, command: &Command, longest: Duration) -> Result<Child, Failure> {
        let os = |text: &Text| OsString::from(text.expose());
        let mut child = Child::new(command.argv.iter().map(os));
        let (user, own) = self.run_as(command)?;
        child.env = own;
        child.env.extend(command.env.iter().map(|(name, value)| (OsString::from(name), os(value))));
        if let Some(cwd) = &command.cwd {
            child.cwd = cwd.as_path().to_owned();
        }
        child.stdin = command.stdin.as_ref().map(|text| Secret::new(text.expose().as_bytes().to_vec()));
        child.user = user;
        child.umask = command.umask.unwrap_or(child.umask);
        child.timeout = command.timeout.map_or(longest, Duration::from_secs);
        if command.sensitive || command.argv.iter().any(Text::is_secret) {
            child.echo = Echo::Program;
        }
        Ok(child)
    }

    /// Whom to run as, and the variables login(1) would set for that user.
    fn run_as(&self, command: &Command) -> Result<(Option<RunAs>, BTreeMap<OsString, OsString>), Failure> {
        let mut env = BTreeMap::new();
        if command.user.is_none() && command.group.is_none() {
            return Ok((None, env));
        }
        let accounts = self.read_accounts()?;
        let missing = |what: &str, who: &Principal| Failure::Missing { what: format!("{what} {who}") };
        let own = Principal::Number(rustix::process::geteuid().as_raw());
        let who = command.user.as_ref().unwrap_or(&own);
        let uid = accounts.uid(who).ok_or_else(|| missing("user", who))?;
        let account = account(&accounts, who, uid);
        let gid = match (&command.group, &account) {
            (Some(group), _) => accounts.gid(group).ok_or_else(|| missing("group", group))?,
            (None, Some((_, user))) => user.gid,
            (None, None) => return Err(missing("user", who)),
        };
        let mut groups = Vec::new();
        if let Some((name, user)) = account {
            groups.extend(accounts.groups.values().filter(|it| it.members.contains(name)).map(|it| it.gid));
            let pairs = [("HOME", user.home.as_str()), ("USER", name), ("LOGNAME", name)];
            env.extend(pairs.map(|(key, value)| (OsString::from(key), OsString::from(value))));
        }
        Ok((Some(RunAs { uid, gid, groups }), env))
    }

    /// What is secret in general, and in this command.
    fn mask_of(&self, command: &Command) -> Mask {
        let texts = command.argv.iter().chain(command.env.values()).chain(&command.stdin);
        let secret = texts.filter(|text| text.is_secret()).map(|text| text.expose().as_bytes());
        self.mask.lock().unwrap_or_else(std::sync::PoisonError::into_inner).with(secret)
    }
}

fn account<'a>(
    accounts: &'a Accounts,
    who: &'a Principal,
    uid: u32,
) -> Option<(&'a str, &'a crate::system::User)> {
    let found = match who.name() {
        Some(name) => accounts.users.get_key_value(name),
        None => accounts.users.iter().find(|(_, user)| user.uid == uid),
    };
    found.map(|(name, user)| (name.as_str(), user))
}

/// How a command ended, with the last lines of what it said. The secrets go before the lines are cut, or half of one could stay.
pub(super) fn told(output: &Output, mask: &Mask) -> Failure {
    let said = [&output.stderr, &output.stdout].map(|stream| mask.hide(stream.printable().trim_end()));
    let said = said.into_iter().find(|text| !text.is_empty()).unwrap_or(String::new());
    match output.failure() {
        // Without a word in it, because the command is sensitive or was silent.
        Failure::Command { argv, status, stderr } if stderr.is_empty() => {
            Failure::Command { argv: mask.hide(&argv), status, stderr }
        }
        Failure::Command { argv, status, .. } => {
            Failure::Command { argv: mask.hide(&argv), status, stderr: tail(&said).to_owned() }
        }
        other => other,
    }
}

/// At most ten lines and 2 KiB.
pub(super) fn tail(text: &str) -> &str {
    const MOST: usize = 2048;
    let text = match text.rmatch_indices('\n').nth(9) {
        Some((newline, _)) => &text[newline + 1..],
        None => text,
    };
    let start = (text.len().saturating_sub(MOST)..=text.len()).find(|at| text.is_char_boundary(*at));
    &text[start.unwrap_or(0)..]
}

pub(super) fn hidden(failure: Failure, mask: &Mask) -> Failure {
    match failure {
        Failure::Command { argv, status, stderr } => {
            Failure::Command { argv: mask.hide(&argv), status, stderr: mask.hide(&stderr) }
        }
        Failure::Timeout { what, seconds } => Failure::Timeout { what: mask.hide(&what), seconds },
        other => other,
    }
}
