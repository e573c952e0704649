//! The part of URLs (RFC 3986) that checks take: `http` or `https`, a host, a port, a path.

use serde::{Deserialize, Deserializer, de};

/// Where something is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    /// True of `https`.
    pub tls: bool,
    /// The name or address, without brackets.
    pub host: String,
    /// The port, that of the scheme unless said.
    pub port: u16,
    /// The path with its query, `/` at least.
    pub target: String,
}

impl Url {
    /// Reads one.
    ///
    /// # Errors
    /// Why it is none, in words.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = |why: &str| format!("`{text}` is no URL: {why}");
        let (tls, rest) = match (text.strip_prefix("http://"), text.strip_prefix("https://")) {
            (Some(rest), _) => (false, rest),
            (_, Some(rest)) => (true, rest),
            _ => return Err(wrong("it begins with neither http:// nor https://")),
        };
        if text.bytes().any(|byte| byte <= b' ' || byte >= 0x7f) {
            return Err(wrong("it holds something else than visible ASCII: write %XX for it"));
        }
        let rest = rest.split('#').next().unwrap_or(rest);
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        if authority.contains('@') {
            return Err(wrong("a password does not belong here"));
        }
        let split = match authority.strip_prefix('[') {
            Some(inner) => inner.split_once(']').map(|(host, rest)| (host, rest.strip_prefix(':'))),
            None => match authority.split_once(':') {
                Some((host, port)) => Some((host, Some(port))),
                None => Some((authority, None)),
            },
        };
        let (host, port) =
            split.filter(|(host, _)| !host.is_empty()).ok_or_else(|| wrong("it names no host"))?;
        let port = match port {
            None => {
                if tls {
                    443
                } else {
                    80
                }
            }
            Some(port) => {
                port.parse().ok().filter(|port| *port > 0).ok_or_else(|| wrong("its port is none"))?
            }
        };
        let target = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        Ok(Self { tls, host: host.to_owned(), port, target })
    }

    /// For the `Host` field.
    pub fn authority(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        match (self.tls, self.port) {
            (false, 80) | (true, 443) => host,
            (_, port) => format!("{host}:{port}"),
        }
    }
}

impl<'de> Deserialize<'de> for Url {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

/// In the schema it is a string.
impl schemars::JsonSchema for Url {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Url".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string" })
    }

    fn inline_schema() -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::Url;

    #[test]
    fn a_url_is_read_and_named_again() {
        for (text, said) in [
            ("http://a", "http a 80 / a"),
            ("https://a:8443/x?y=1#z", "https a 8443 /x?y=1 a:8443"),
            ("http://[::1]:80?q", "http ::1 80 /?q [::1]"),
            ("https://[2001:db8::1]/", "https 2001:db8::1 443 / [2001:db8::1]"),
            ("ftp://a/", "`ftp://a/` is no URL: it begins with neither http:// nor https://"),
            ("http:///x", "`http:///x` is no URL: it names no host"),
            ("http://a:0/", "`http://a:0/` is no URL: its port is none"),
            ("http://u:p@a/", "`http://u:p@a/` is no URL: a password does not belong here"),
            (
                "http://a/\r\nX: y",
                "`http://a/\r\nX: y` is no URL: it holds something else than visible ASCII: write %XX for it",
            ),
        ] {
            let read = Url::parse(text).map(|url| {
                let scheme = if url.tls { "https" } else { "http" };
                format!("{scheme} {} {} {} {}", url.host, url.port, url.target, url.authority())
            });
            assert_eq!(read.unwrap_or_else(|why| why), said);
        }
    }
}
