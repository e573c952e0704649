//! The first connection to a host that may still be booting: it is tried again for as long as the user is willing to wait. A host that answers as
//! somebody else is not waited for.

use crate::bootstrap::Brought;
use crate::push::progress::Progress;
use crate::push::way::Way;
use crate::remote::Remote;
use crate::trouble::{Stage, Trouble};
use std::time::{Duration, Instant};

/// The time between two tries.
const NAP: Duration = Duration::from_secs(2);

/// Reaches the host, which may take [`crate::Push::wait`].
///
/// # Errors
/// The last dead end.
pub(crate) fn reach(way: &Way<'_>, progress: &Progress<'_>) -> Result<(Box<dyn Remote>, Brought), Trouble> {
    let (since, limit) = (Instant::now(), way.push.wait);
    let mut is_told = false;
    loop {
        let trouble = match way.reach(way.endpoint, progress) {
            Ok(reached) => return Ok(reached),
            Err(trouble) => trouble,
        };
        let left = limit.saturating_sub(since.elapsed());
        if left.is_zero() || !may_come_up(&trouble) {
            (way.met)(&trouble);
            return Err(trouble);
        }
        if !is_told {
            progress.note(&format!("{trouble}; waiting for it, {} s at most", limit.as_secs()));
            is_told = true;
        }
        progress.rest(NAP.min(left))?;
    }
}

/// Whether a host that comes up may look like this for a while.
fn may_come_up(trouble: &Trouble) -> bool {
    match trouble {
        Trouble::ConnectionRefused { .. } | Trouble::NoRoute { .. } => true,
        // A hop may be up before the host behind it, or sshd be started as it is asked for its keys.
        Trouble::Timeout { stage, .. } | Trouble::Lost { stage, .. } => *stage <= Stage::Login,
        // Some sshds are started by the first connection, and drop it.
        Trouble::NotSsh { said, .. } => said.is_empty(),
        Trouble::Through { trouble, .. } => may_come_up(trouble),
        // While `/run/nologin` is there (pam_nologin(8)) sshd ends the connection as soon as a key has been taken.
        Trouble::LoginRefused { methods, .. } => methods.contains("it has ended the connection"),
        // As systemd-user-sessions.service(8) has it said.
        Trouble::Shell(said) => said.contains("System is booting up"),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::may_come_up;
    use crate::trouble::{Stage, Trouble};
    use std::time::Duration;

    #[test]
    fn a_host_that_may_be_booting_is_told_from_one_that_is_another() {
        let text = |text: &str| text.to_owned();
        let refused = || Trouble::ConnectionRefused { address: text("192.0.2.1:22") };
        let timeout = |stage| Trouble::Timeout { stage, limit: Duration::ZERO, setting: "" };
        let lost = |stage| Trouble::Lost { stage, because: String::new() };
        let nologin =
            "it said: \"System is booting up. Unprivileged users are not permitted to log in yet.\"";
        let login =
            |said: &str| Trouble::LoginRefused { user: text("u"), tried: Vec::new(), methods: text(said) };
        for (trouble, expected) in [
            (refused(), true),
            (Trouble::NoRoute { address: text("x"), because: text("y") }, true),
            (timeout(Stage::Connect), true),
            (timeout(Stage::Elevate), false),
            (lost(Stage::HostKey), true),
            (lost(Stage::Plan), false),
            (Trouble::Through { hop: text("b"), trouble: Box::new(refused()) }, true),
            (Trouble::Shell(text(nologin)), true),
            (Trouble::Shell(text("nologin")), false),
            (Trouble::HostKey(text("unknown")), false),
            (Trouble::NameUnknown { host: text("x"), because: text("y") }, false),
            (login("publickey"), false),
            (login("no more: it has ended the connection (closed; see its MaxAuthTries)"), true),
        ] {
            assert_eq!(may_come_up(&trouble), expected, "{trouble}");
        }
    }
}
