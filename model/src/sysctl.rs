//! Names of values of the running kernel, as sysctl(8) and sysctl.d(5) write them, and their files below /proc/sys. Pure: it reads none.

use crate::HostPath;

const ROOT: &str = "/proc/sys";

/// Longest name that is taken, in bytes.
const LONGEST: usize = 255;

/// The file of the value `key`: `net.ipv4.ip_forward` or `net/ipv4/ip_forward`. Of dots and slashes the one that comes first separates; the
/// other stands for a dot in a part: `net.ipv4.conf.eth0/5.forwarding` is `net/ipv4/conf/eth0.5/forwarding` (sysctl.d(5)).
///
/// `None` where it is no name of one value.
pub fn sysctl_path(key: &str) -> Option<HostPath> {
    let is_dotted = key.find(['.', '/']).is_some_and(|at| key.as_bytes().get(at) == Some(&b'.'));
    let key = if is_dotted { swapped(key) } else { key.to_owned() };
    let plain = |it: char| it.is_ascii_alphanumeric() || "_-.:@+,".contains(it);
    let part = |part: &str| !matches!(part, "" | "." | "..") && part.chars().all(plain);
    let is_name = key.len() <= LONGEST && key.contains('/') && key.split('/').all(part);
    HostPath::new(format!("{ROOT}/{key}")).ok().filter(|_| is_name)
}

/// The name of the value whose file this is, with dots; `None` where it is none.
pub fn sysctl_key(path: &HostPath) -> Option<String> {
    let below = path.as_path().strip_prefix(ROOT).ok()?.to_str()?;
    (!below.is_empty()).then(|| swapped(below))
}

/// Whether the value with this file is a secret by its nature: keys of TCP Fast Open, and what addresses of IPv6 are made of (ip-sysctl of the kernel).
pub fn sysctl_is_secret(path: &HostPath) -> bool {
    let below = path.as_path().strip_prefix(ROOT).ok().and_then(|below| below.to_str()).unwrap_or("");
    let is_of_an_interface = below.starts_with("net/ipv6/conf/") && below.ends_with("/stable_secret");
    below == "net/ipv4/tcp_fastopen_key" || is_of_an_interface
}

fn swapped(key: &str) -> String {
    let swap = |it| match it {
        '.' => '/',
        '/' => '.',
        other => other,
    };
    key.chars().map(swap).collect()
}

#[cfg(test)]
mod tests {
    use super::{sysctl_is_secret, sysctl_key, sysctl_path};
    use crate::HostPath;

    #[test]
    fn the_first_separator_says_what_the_others_are() {
        for (key, path, name) in [
            ("net.ipv4.ip_forward", "net/ipv4/ip_forward", "net.ipv4.ip_forward"),
            ("net/ipv4/ip_forward", "net/ipv4/ip_forward", "net.ipv4.ip_forward"),
            ("net.ipv4.conf.eth0/5.log", "net/ipv4/conf/eth0.5/log", "net.ipv4.conf.eth0/5.log"),
            ("net/ipv4/conf/eth0.5/log", "net/ipv4/conf/eth0.5/log", "net.ipv4.conf.eth0/5.log"),
        ] {
            let found = sysctl_path(key).unwrap();
            assert_eq!(found, HostPath::new(format!("/proc/sys/{path}")).unwrap());
            assert_eq!(sysctl_key(&found).unwrap(), name);
        }
    }

    #[test]
    fn secrets_are_known_by_their_names() {
        for (key, is_secret) in [
            ("net.ipv4.tcp_fastopen_key", true),
            ("net/ipv6/conf/eth0.5/stable_secret", true),
            ("net.ipv4.tcp_fastopen", false),
        ] {
            assert_eq!(sysctl_is_secret(&sysctl_path(key).unwrap()), is_secret, "{key}");
        }
    }

    #[test]
    fn what_names_no_single_value_is_refused() {
        for key in [
            "",
            "net",
            "net..x",
            "net.ipv4.*.x",
            "../etc/passwd",
            "net/../../x",
            "/net/x",
            "a b.c",
            "a.b=c",
            "a.b\n",
        ] {
            assert_eq!(sysctl_path(key), None, "{key:?}");
        }
        assert_eq!(sysctl_key(&HostPath::new("/etc/passwd").unwrap()), None);
    }
}
