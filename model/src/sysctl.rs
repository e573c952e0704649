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
    use super::{sysctl_key, sysctl_path};
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
