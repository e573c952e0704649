//! Where to connect to, as one word: `[user@]host[:port]`, as ssh(1) and `ProxyJump` write it. Looks nothing up.

use std::fmt;
use std::str::FromStr;

/// `[user@]host[:port]`; an IPv6 address stands in brackets where a port follows it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Destination {
    /// The user, where it is said.
    pub user: Option<String>,
    /// A name, an alias of `~/.ssh/config`, or an IP address without brackets.
    pub host: String,
    /// The port, where it is said.
    pub port: Option<u16>,
}

/// Names become words of a command line and parts of paths: no option, no blank, no separator may pass.
pub fn is_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    name.len() <= 253
        && name.bytes().all(allowed)
        && name.starts_with(|first: char| first.is_ascii_alphanumeric())
}

/// A name, or an IPv4 or IPv6 address, with a zone (RFC 6874) perhaps.
pub fn is_address(text: &str) -> bool {
    let (address, zone) = text.split_once('%').unwrap_or((text, "0"));
    is_name(zone) && (is_name(text) || address.parse::<std::net::IpAddr>().is_ok())
}

/// A login name: what useradd(8) takes, and the `user@domain` of directories.
pub fn is_user(text: &str) -> bool {
    let allowed =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b'+' | b'@' | b'$');
    text.len() <= 256
        && text.bytes().all(allowed)
        && text.starts_with(|first: char| first.is_ascii_alphanumeric() || first == '_')
}

impl FromStr for Destination {
    type Err = String;

    /// Errors with what is wrong, in a few words.
    fn from_str(text: &str) -> Result<Self, String> {
        let (user, rest) = match text.rsplit_once('@') {
            Some((user, _)) if !is_user(user) => return Err("this is no name of a user".to_owned()),
            Some((user, rest)) => (Some(user.to_owned()), rest),
            None => (None, text),
        };
        let (host, port) = match rest.strip_prefix('[') {
            Some(rest) => {
                let (host, tail) = rest.split_once(']').ok_or("the bracket is not closed")?;
                match tail.strip_prefix(':') {
                    None if !tail.is_empty() => return Err("write [ADDRESS]:PORT".to_owned()),
                    port => (host, port),
                }
            }
            // Several colons are an address of its own.
            None => match rest.split_once(':') {
                Some((host, port)) if !port.contains(':') => (host, Some(port)),
                _ => (rest, None),
            },
        };
        if !is_address(host) {
            return Err("this is no name and no address of a host".to_owned());
        }
        let number = |port: &str| port.parse().ok().filter(|port| *port > 0);
        let port = port.map(|port| number(port).ok_or("a port is a number from 1 to 65535")).transpose()?;
        Ok(Self { user, host: host.to_owned(), port })
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(user) = &self.user {
            write!(f, "{user}@")?;
        }
        match self.port {
            Some(port) if self.host.contains(':') => write!(f, "[{}]:{port}", self.host),
            Some(port) => write!(f, "{}:{port}", self.host),
            None => f.write_str(&self.host),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Destination, is_address, is_name};

    #[test]
    fn names_and_addresses_are_words() {
        for good in ["web1", "web1.example.org", "10.0.0.1", "h_1-2"] {
            assert!(is_name(good) && is_address(good), "{good}");
        }
        for good in ["::1", "2001:db8::1", "fe80::1%eth0"] {
            assert!(is_address(good) && !is_name(good), "{good}");
        }
        for bad in
            ["", "-v", ".", "..", "a b", "a\n", "a;b", "a@b", "a:22", "ä", "%h", "10.0.0.1%", "fe80::1%-o x"]
        {
            assert!(!is_address(bad) && !is_name(bad), "{bad}");
        }
    }

    #[test]
    fn a_destination_is_read_and_written_alike() {
        for (text, user, host, port) in [
            ("web1", None, "web1", None),
            ("ann@web1.example.org:2222", Some("ann"), "web1.example.org", Some(2222)),
            ("a@corp@10.0.0.1", Some("a@corp"), "10.0.0.1", None),
            ("2001:db8::1", None, "2001:db8::1", None),
            ("root@[2001:db8::1]:22", Some("root"), "2001:db8::1", Some(22)),
        ] {
            let read: Destination = text.parse().unwrap();
            assert_eq!((read.user.as_deref(), read.host.as_str(), read.port), (user, host, port));
            assert_eq!(read.to_string(), text);
        }
        assert_eq!("[::1]".parse::<Destination>().unwrap().host, "::1");
    }

    #[test]
    fn what_is_none_is_refused() {
        for (text, why) in [
            ("", "this is no name and no address of a host"),
            ("-oProxyCommand=x", "this is no name and no address of a host"),
            ("@web1", "this is no name of a user"),
            ("-l@web1", "this is no name of a user"),
            ("a;b@web1", "this is no name of a user"),
            ("web1:0", "a port is a number from 1 to 65535"),
            ("web1:ssh", "a port is a number from 1 to 65535"),
            ("web1:65536", "a port is a number from 1 to 65535"),
            ("[::1", "the bracket is not closed"),
            ("[::1]:", "a port is a number from 1 to 65535"),
            ("[::1]22", "write [ADDRESS]:PORT"),
            ("web1/x", "this is no name and no address of a host"),
        ] {
            assert_eq!(text.parse::<Destination>().unwrap_err(), why, "{text}");
        }
    }
}
