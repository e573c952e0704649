//! `ProxyJump` taken apart: a list of `[user@]host[:port]` or `ssh://[user@]host[:port]`, or `none`.

/// One host on the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Hop {
    pub(super) user: Option<String>,
    pub(super) name: String,
    pub(super) port: Option<u16>,
}

/// The hops, the first to be connected to first; none for `none`.
///
/// # Errors
/// What is wrong with it, and what to write.
pub(super) fn hops(list: &str) -> Result<Vec<Hop>, String> {
    let list = list.trim();
    if list.eq_ignore_ascii_case("none") {
        return Ok(Vec::new());
    }
    list.split(',').map(|one| hop(one.trim())).collect()
}

fn hop(text: &str) -> Result<Hop, String> {
    let wrong = || {
        format!(
            "`{text}` is no way to jump: write `[user@]host[:port]`, with commas between several, or `none`"
        )
    };
    let rest = text.strip_prefix("ssh://").map_or(text, |rest| rest.strip_suffix('/').unwrap_or(rest));
    let (user, rest) = match rest.rsplit_once('@') {
        Some((user, rest)) => (Some(user.to_owned()), rest),
        None => (None, rest),
    };
    let (name, port) = match rest.strip_prefix('[').map(|inner| inner.split_once(']')) {
        Some(Some((name, ""))) => (name, None),
        Some(Some((name, port))) => (name, Some(port.strip_prefix(':').ok_or_else(wrong)?)),
        Some(None) => return Err(wrong()),
        None => match rest.split_once(':') {
            Some((_, port)) if port.contains(':') => return Err(wrong()),
            Some((name, port)) => (name, Some(port)),
            None => (rest, None),
        },
    };
    let port = port.map(|port| port.parse().ok().filter(|port| *port != 0).ok_or_else(wrong)).transpose()?;
    if host_problem(name).is_some() || user.as_deref().is_some_and(|user| user_problem(user).is_some()) {
        return Err(wrong());
    }
    Ok(Hop { user, name: name.to_owned(), port })
}

/// Characters that mean something to a shell that ssh may start, as OpenSSH refuses them.
const SPECIAL: [char; 14] = ['\'', '"', '`', '$', '\\', ';', '&', '<', '>', '|', '(', ')', '{', '}'];

/// What keeps a text from being a host's name or address, if anything: names become arguments of programs.
pub(super) fn host_problem(name: &str) -> Option<&'static str> {
    match name {
        "" => Some("is empty"),
        _ if name.starts_with('-') => Some("begins with `-`"),
        _ if name.contains(|c: char| c.is_whitespace() || c.is_control()) => Some("contains white space"),
        _ if name.contains(['/', '@', ',']) => Some("contains `/`, `@` or `,`"),
        _ if name.contains(SPECIAL) => Some("contains a character that is special to shells"),
        _ => None,
    }
}

/// The same of a user's name.
pub(super) fn user_problem(name: &str) -> Option<&'static str> {
    match name {
        "" => Some("is empty"),
        _ if name.starts_with('-') => Some("begins with `-`"),
        _ if name.ends_with('\\') => Some("ends with `\\`"),
        _ if name.contains(char::is_control) => Some("contains control characters"),
        // `DOMAIN\user` is one.
        _ if name.contains(|c| c != '\\' && c != '$' && SPECIAL.contains(&c)) => {
            Some("contains a character that is special to shells")
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{Hop, hops};

    fn hop(user: Option<&str>, name: &str, port: Option<u16>) -> Hop {
        Hop { user: user.map(str::to_owned), name: name.to_owned(), port }
    }

    #[test]
    fn lists_addresses_and_uris() {
        for (list, expected) in [
            ("none", vec![]),
            ("a", vec![hop(None, "a", None)]),
            ("me@a:2222, b", vec![hop(Some("me"), "a", Some(2222)), hop(None, "b", None)]),
            ("me@corp@a", vec![hop(Some("me@corp"), "a", None)]),
            ("[::1]:22,[fe80::1%eth0]", vec![hop(None, "::1", Some(22)), hop(None, "fe80::1%eth0", None)]),
            ("ssh://me@a:2222/", vec![hop(Some("me"), "a", Some(2222))]),
        ] {
            assert_eq!(hops(list).unwrap(), expected, "{list}");
        }
    }

    #[test]
    fn what_could_be_taken_for_something_else_is_refused() {
        for list in [
            "",
            "a,",
            "-oProxyCommand=x",
            "a b",
            "a:0",
            "a:x",
            "a:70000",
            "::1",
            "[::1",
            "[a]b",
            "a;b",
            "-x@a",
            "ssh://a/b",
        ] {
            assert!(hops(list).unwrap_err().contains("write `[user@]host[:port]`"), "{list}");
        }
    }
}
