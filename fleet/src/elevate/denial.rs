//! What sudo and doas say when they make nobody root, told apart.

/// Why a host's sudo or doas did not make anybody root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Denial {
    /// A password would help.
    WantsPassword,
    /// In words.
    Final(String),
}

/// What of a program's words means what. The first that is found counts. `{user}` is the login user.
const SUDO: &[(&str, &str)] = &[
    (
        "you must have a tty",
        "sudo wants a terminal (requiretty), and a push has none: put `Defaults:{user} !requiretty` into the host's sudoers",
    ),
    (
        "is not in the sudoers file",
        "{user} is not in the host's sudoers: nobody has allowed this user to become root",
    ),
    ("I'm sorry {user}. I'm afraid I can't do that", "the host's sudoers do not let {user} become root"),
    ("may not run sudo", "{user} is not in the host's sudoers: nobody has allowed this user to become root"),
    (
        "is not allowed to execute",
        "the host's sudoers do not let {user} run /bin/sh as root, which a push needs",
    ),
    (
        "ccount or password is expired",
        "the account or the password of {user} has expired on the host: renew it there",
    ),
    ("ccount expired", "the account of {user} has expired on the host: renew it there"),
    ("account validation failure", "the account of {user} is locked or has expired on the host"),
    ("assword expired", "the password of {user} has expired on the host: renew it there"),
    (
        "no new privileges",
        "the host's sshd lets no program become root (no_new_privs): sudo cannot work in it",
    ),
];

/// What sudo wrote, or `doas` where that was the way: why nobody became root. `said` is the quoted end of it.
pub fn denial(errors: &str, user: &str, said: &str) -> Denial {
    if errors.contains("doas: ") {
        return Denial::Final(match () {
            () if errors.contains("Operation not permitted") => {
                format!("the host's doas.conf does not let {user} become root")
            }
            () if errors.contains("Authentication required") => {
                format!(
                    "doas wants a password for {user}, and can only be used without one: put `permit nopass {user}` into the host's doas.conf"
                )
            }
            () => format!("doas did not work on the host; it said: {said}"),
        });
    }
    let wants = [
        "a password is required",
        "interactive authentication is required",
        "no password was provided",
        "incorrect password",
    ];
    let known = SUDO.iter().find(|(words, _)| errors.contains(&words.replace("{user}", user)));
    match known {
        Some((_, text)) => Denial::Final(text.replace("{user}", user)),
        None if wants.iter().any(|words| errors.contains(words)) => Denial::WantsPassword,
        None => Denial::Final(format!("sudo did not work on the host; it said: {said}")),
    }
}
