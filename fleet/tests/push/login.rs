//! Login shells: what they print, what they are, and those that do not do what they are told.

use crate::host::{As, Host};
use std::path::Path;
use std::time::Duration;

/// A login shell that does this with its command, which is `$0`.
fn host(login: &str) -> Host {
    let mut host = Host::new(As::Root);
    host.login = vec!["/bin/sh".to_owned(), "-c".to_owned(), login.to_owned()];
    host.patience.login = Duration::from_secs(1);
    host
}

#[test]
fn what_a_login_prints_is_no_answer() {
    for noise in [
        "echo Welcome; echo lecture >&2",
        "printf 'no end of line'",
        "printf 'KEEL-00 here sudo\\nKEEL-\\nKEEL-'",
        "head -c 60000 /dev/zero",
        // As `set -v` does in a profile.
        "echo \"$0\"; echo \"$0\" >&2",
    ] {
        let host = host(&format!("{noise}; exec sh -c \"$0\""));
        assert_eq!(host.end(), "Unchanged", "{noise}");
    }
}

#[test]
fn a_shell_that_does_not_do_what_it_is_told_is_quoted() {
    let begins = "the login shell of ada did not run what it was given";
    let usual = "as a nologin shell or a ForceCommand does";
    for (shell, words) in [
        (
            "echo 'This account is currently not available.'; exit 1",
            format!("{begins} (exit status 1), {usual}; it said: This account is currently not available."),
        ),
        ("exit 0", format!("{begins} (exit status 0), {usual}; it said nothing")),
        ("kill -9 $$", format!("{begins} (killed by a signal), {usual}; it said nothing")),
        (
            "printf 'out\\n\\033[31m'; echo err >&2; exit 3",
            format!("{begins} (exit status 3), {usual}; it said: out | \\u{{1b}}[31m | err"),
        ),
        ("sleep 100", "no answer within 1 s while becoming root".to_owned()),
        (
            "echo 'Choose a menu:'; sleep 100",
            "no answer within 1 s while becoming root; the host said: Choose a menu:".to_owned(),
        ),
    ] {
        assert_eq!(host(shell).end(), words, "{shell}");
    }
}

#[test]
fn noise_without_end_is_cut() {
    let words = host("while :; do echo yes; done").end();
    assert!(
        words.starts_with("the login shell prints without end, and not what it was asked to run: "),
        "{words}"
    );
    assert!(words.len() < 1000);
}

/// Each of these with what follows the command.
const LOGIN_SHELLS: &[&str] =
    &["dash -c", "bash -c", "busybox sh -c", "zsh -c", "tcsh -c", "fish -c", "csh -c"];

#[test]
fn login_shells_hand_the_script_on_as_it_is() {
    for (shell, path) in LOGIN_SHELLS.iter().filter_map(|shell| Some((shell, found(shell)?))) {
        let mut host = Host::new(As::User);
        host.tool("sudo", "shift 2; touch {dir}/mark; exec \"$@\"");
        host.login = path.split(' ').map(str::to_owned).collect();
        assert_eq!([host.end(), host.end()], ["Unchanged", "Unchanged"], "{shell}");
    }
}

#[test]
fn the_script_is_for_every_posix_shell() {
    let shells = ["dash", "bash", "bash --posix", "busybox sh", "zsh --emulate sh"];
    for (shell, path) in shells.into_iter().filter_map(|shell| Some((shell, found(shell)?))) {
        let mut host = Host::new(As::Root);
        host.sh = path;
        if shell == "busybox sh" {
            host.busy();
        }
        assert_eq!([host.end(), host.end()], ["Unchanged", "Unchanged"], "{shell}");
        std::fs::write(host.installed_agent(), "").unwrap();
        assert!(host.end().starts_with("the agent on the host was tampered with or damaged"), "{shell}");
    }
}

/// With its path, where it is installed.
fn found(shell: &str) -> Option<String> {
    let paths = ["/usr/bin/", "/bin/"].map(|place| format!("{place}{shell}"));
    paths.into_iter().find(|path| Path::new(path.split(' ').next().unwrap()).exists())
}
