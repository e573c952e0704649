//! Becoming root: each way, each denial, and where the password goes and does not go.

use crate::host::{As, Host, in_words};
use crate::told::Told;
use fleet::Password;
use model::Secret;
use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A sudo that lets people through without a password. It writes down what it was given.
const SUDO: &str = r#"echo "sudo $*" >> {dir}/argv
[ "$1" = -n ] && [ "$2" = -- ] || { echo "sudo: a password is required" >&2; exit 1; }
shift 2; touch {dir}/mark; exec "$@""#;

/// One that wants the password `open sesame`, asks for it three times at most, and knows sudo's words.
const ASKING: &str = r#"echo "sudo $*" >> {dir}/argv
if [ "$1" = -n ]; then echo "sudo: a password is required" >&2; exit 1; fi
[ "$1 $2 $3" = "-S -k -p" ] || exit 9
prompt=$4; shift 5
for try in 1 2 3; do
printf %s "$prompt" >&2
if read -r given; then
if [ "$given" = "open sesame" ]; then touch {dir}/mark; exec "$@"; fi
printf '\nSorry, try again.\n' >&2
else
printf '\nsudo: no password was provided\nsudo: 1 incorrect password attempt\n' >&2; exit 1
fi
done
echo "sudo: 3 incorrect password attempts" >&2; exit 1"#;

const DOAS: &str =
    r#"echo "doas $*" >> {dir}/argv; [ "$1" = -n ] || exit 9; shift; touch {dir}/mark; exec "$@""#;

/// A user's host, with these tools.
fn host(tools: &[(&str, &str)]) -> Host {
    let host = Host::new(As::User);
    tools.iter().for_each(|(name, script)| host.tool(name, script));
    host
}

#[test]
fn a_user_becomes_root_by_sudo_or_doas_without_a_password() {
    let refusing = "echo 'sudo: a password is required' >&2; exit 1";
    for (tools, way) in [
        (&[("sudo", SUDO)][..], "sudo -n -- /bin/sh -c set -u; "),
        (&[("doas", DOAS)], "doas -n /bin/sh -c set -u; "),
        (&[("sudo", SUDO), ("doas", DOAS)], "sudo -n -- "),
        (&[("sudo", refusing), ("doas", DOAS)], "doas -n "),
    ] {
        let host = host(tools);
        assert_eq!(host.end(), "Unchanged", "{way}");
        let argv = fs::read_to_string(host.path("argv")).unwrap();
        assert!(argv.starts_with(way), "{way}: {argv}");
    }
}

#[test]
fn a_password_is_asked_for_once_and_goes_to_sudo_alone() {
    let asked = AtomicUsize::new(0);
    let ask = || {
        asked.fetch_add(1, Ordering::SeqCst);
        Some(Secret::new("open sesame".to_owned()))
    };
    let password = Password::asked_with(&ask);
    for _ in 0..3 {
        let host = host(&[("sudo", ASKING)]);
        let told = Told::default();
        assert_eq!(in_words(&host.push(&told, &password)), "Unchanged");
        let argv = fs::read_to_string(host.path("argv")).unwrap();
        let seen = format!("{argv}{:?}", told.lines());
        assert!(!seen.contains("sesame"), "{seen}");
        let execs = argv.matches("sudo -").count();
        assert_eq!(execs, if argv.contains("sudo -n") { 2 } else { 1 });
    }
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}

#[test]
fn where_sudo_wants_no_password_nobody_is_asked() {
    let ask = || -> Option<Secret<String>> { panic!("nobody is to be asked") };
    let host = host(&[("sudo", SUDO)]);
    assert_eq!(in_words(&host.push(&Told::default(), &Password::asked_with(&ask))), "Unchanged");
}

#[test]
fn a_wrong_password_is_sent_once() {
    let ask = || Some(Secret::new("wrong".to_owned()));
    let host = host(&[(
        "sudo",
        &format!("{}\n", ASKING.replace("read -r given", "read -r given && echo \"$given\" >> {dir}/given")),
    )]);
    let end = host.push(&Told::default(), &Password::asked_with(&ask));
    assert_eq!(in_words(&end), "the host's sudo did not take the password for ada");
    assert_eq!(fs::read_to_string(host.path("given")).unwrap(), "wrong\n");
    assert!(host.installed().is_empty());
}

#[test]
fn a_host_that_repeats_the_password_is_not_quoted_with_it() {
    let ask = || Some(Secret::new("open sesame".to_owned()));
    let sudo =
        ASKING.replace("read -r given; then", "read -r given; then echo \"what is $given?\" >&2; exit 1;");
    let end = host(&[("sudo", &sudo)]).push(&Told::default(), &Password::asked_with(&ask));
    let words = in_words(&end);
    assert!(words.contains("what is <secret>?") && !words.contains("sesame"), "{words}");
}

#[test]
fn a_wrong_password_goes_to_one_host_of_many() {
    let ask = || Some(Secret::new("wrong".to_owned()));
    let host = host(&[(
        "sudo",
        &ASKING.replace("read -r given", "read -r given && echo \"$given\" >> {dir}/given"),
    )]);
    let ends = host.push_many(5, &Told::default(), &Password::asked_with(&ask));
    let elsewhere =
        "the password was not sent to the host: sudo did not take it before, there or on another host";
    let refused = "the host's sudo did not take the password for ada";
    let count = |words: &str| ends.iter().filter(|end| *end == words).count();
    assert_eq!((count(refused), count(elsewhere)), (1, 4), "{ends:?}");
    assert_eq!(fs::read_to_string(host.path("given")).unwrap(), "wrong\n");
}

#[test]
fn a_right_password_goes_to_all() {
    let ask = || Some(Secret::new("open sesame".to_owned()));
    let ends = host(&[("sudo", ASKING)]).push_many(5, &Told::default(), &Password::asked_with(&ask));
    assert_eq!(ends, ["Unchanged"; 5]);
}

#[test]
fn a_password_is_not_sent_before_sudo_has_asked() {
    let ask = || Some(Secret::new("open sesame".to_owned()));
    let sudo = r#"if [ "$1" = -n ]; then echo "sudo: a password is required" >&2; exit 1; fi
read -r given && echo "$given" >> {dir}/given; exit 1"#;
    let mut host = host(&[("sudo", sudo)]);
    host.patience.elevate = std::time::Duration::from_secs(1);
    let end = host.push(&Told::default(), &Password::asked_with(&ask));
    assert_eq!(in_words(&end), "no answer within 1 s while becoming root");
    assert_eq!(fs::read_to_string(host.path("given")).unwrap_or_default(), "");
}

const WANTS: &str = "sudo wants a password for ada, and there is none: give --ask-sudo-password, or let ada use sudo without one (NOPASSWD)";
const UNKNOWN: &str = "ada is not in the host's sudoers: nobody has allowed this user to become root";

/// A tool, what it says, and what the user is told.
const DENIALS: &[(&str, &str, &str)] = &[
    ("sudo", "sudo: a password is required", WANTS),
    ("sudo", "sudo: interactive authentication is required", WANTS),
    (
        "sudo",
        "sudo: sorry, you must have a tty to run sudo",
        "sudo wants a terminal (requiretty), and a push has none: put `Defaults:ada !requiretty` into the host's sudoers",
    ),
    ("sudo", "ada is not in the sudoers file.  This incident will be reported.", UNKNOWN),
    ("sudo", "Sorry, user ada may not run sudo on h.", UNKNOWN),
    (
        "sudo",
        "Sorry, user ada is not allowed to execute '/bin/sh -c x' as root on h.",
        "the host's sudoers do not let ada run /bin/sh as root, which a push needs",
    ),
    (
        "sudo",
        "sudo: Account expired or PAM config lacks an \"account\" section for sudo, contact your system administrator",
        "the account of ada has expired on the host: renew it there",
    ),
    (
        "sudo",
        "sudo: Account or password is expired, reset your password and try again",
        "the account or the password of ada has expired on the host: renew it there",
    ),
    (
        "sudo",
        "sudo: account validation failure, is your account locked?",
        "the account of ada is locked or has expired on the host",
    ),
    (
        "sudo",
        "sudo: The \"no new privileges\" flag is set, which prevents sudo from running as root.",
        "the host's sshd lets no program become root (no_new_privs): sudo cannot work in it",
    ),
    (
        "sudo",
        "sudo: /etc/sudoers is world writable",
        "sudo did not work on the host; it said: sudo: /etc/sudoers is world writable",
    ),
    (
        "doas",
        "doas: Authentication required",
        "doas wants a password for ada, and can only be used without one: put `permit nopass ada` into the host's doas.conf",
    ),
    ("doas", "doas: Operation not permitted", "the host's doas.conf does not let ada become root"),
    (
        "doas",
        "doas: doas is not enabled, /etc/doas.conf: No such file or directory",
        "doas did not work on the host; it said: doas: doas is not enabled, /etc/doas.conf: No such file or directory",
    ),
];

#[test]
fn denials_are_told_apart() {
    for (tool, said, words) in DENIALS {
        let host = host(&[(tool, &format!("echo {} >&2; exit 1", quoted(said)))]);
        assert_eq!(host.end(), *words);
    }
}

#[test]
fn without_a_tool_nobody_becomes_root_and_not_by_one_that_only_says_so() {
    let none = "ada is not root, and the host has neither sudo nor doas: log in as root, or install sudo";
    assert_eq!(host(&[]).end(), none);
    let other = "[ \"$1\" = -n ] || exit 9; shift 2; exec \"$@\"";
    assert_eq!(host(&[("sudo", other)]).end(), "what became root on the host is not root");
}

#[test]
fn where_both_refuse_the_words_are_those_of_sudo() {
    let refusal = |words: &str| format!("echo '{words}' >&2; exit 1");
    let host = host(&[
        ("sudo", &refusal("ada is not in the sudoers file.")),
        ("doas", &refusal("doas: Operation not permitted")),
    ]);
    assert_eq!(host.end(), "ada is not in the host's sudoers: nobody has allowed this user to become root");
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}
