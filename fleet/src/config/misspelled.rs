//! Keywords of ssh_config(5) that were meant to be others. Most that are unknown here are none of our business, and a newer OpenSSH has more;
//! but a misspelled `ProxyJump` must not become a connection without it.

/// What a mistake in would change where we connect to, or whom we trust.
const MATTERING: &[&str] = &[
    "CertificateFile",
    "ConnectTimeout",
    "GlobalKnownHostsFile",
    "Host",
    "HostKeyAlias",
    "HostName",
    "IdentitiesOnly",
    "IdentityAgent",
    "IdentityFile",
    "Include",
    "KnownHostsCommand",
    "Match",
    "Port",
    "ProxyCommand",
    "ProxyJump",
    "RevokedHostKeys",
    "StrictHostKeyChecking",
    "User",
    "UserKnownHostsFile",
];

/// Old words that look like mistakes.
const OTHERS: &[&str] = &["globalknownhostsfile2", "userknownhostsfile2", "identityfile2"];

/// What `keyword`, in small letters, was probably meant to be; `None` where it is one of them or like none.
pub(super) fn meant(keyword: &str) -> Option<&'static str> {
    let distance = |word: &str| strsim::damerau_levenshtein(&word.to_ascii_lowercase(), keyword);
    let known = OTHERS.contains(&keyword) || MATTERING.iter().any(|word| distance(word) == 0);
    let close = |word: &&&str| distance(word) <= if word.len() < 8 { 1 } else { 2 };
    if known { None } else { MATTERING.iter().find(close).copied() }
}

#[cfg(test)]
mod tests {
    use super::meant;

    #[test]
    fn slips_of_the_pen_are_found_and_other_words_are_let_be() {
        for (keyword, expected) in [
            ("proxyjmp", Some("ProxyJump")),
            ("hostnmae", Some("HostName")),
            ("usr", Some("User")),
            ("identitesonly", Some("IdentitiesOnly")),
            ("proxyjump", None),
            ("userknownhostsfile2", None),
            ("hostkeyalgorithms", None),
            ("tag", None),
            ("usekeychain", None),
            ("sendenv", None),
        ] {
            assert_eq!(meant(keyword), expected, "{keyword}");
        }
    }
}
