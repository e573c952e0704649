//! Which unit reads a file that the way to the host depends on. Where such a file comes back its unit reads it again, whoever had it read the
//! other one: a command, a package's scripts, a boot.
//!
//! Pure. It must not know how a unit is doing: `restoration` asks.

use model::HostPath;

/// Places, and the unit that reads what is there.
const READERS: &[(&str, &str)] = &[
    ("/etc/ssh", "ssh.service"),
    ("/etc/ssh", "sshd.service"),
    ("/etc/nftables", "nftables.service"),
    ("/etc/iptables", "netfilter-persistent.service"),
    ("/etc/ufw", "ufw.service"),
    ("/etc/default/ufw", "ufw.service"),
    ("/etc/firewalld", "firewalld.service"),
    ("/etc/fail2ban", "fail2ban.service"),
    ("/etc/network", "networking.service"),
    ("/etc/systemd/network", "systemd-networkd.service"),
    ("/etc/systemd/networkd", "systemd-networkd.service"),
    ("/etc/NetworkManager", "NetworkManager.service"),
    ("/etc/systemd/resolved", "systemd-resolved.service"),
];

/// The units that read what is at `path`.
pub(super) fn readers(path: &HostPath) -> impl Iterator<Item = &'static str> {
    let text = path.to_string();
    let reads = move |place: &str| {
        let rest = text.strip_prefix(place);
        rest.is_some_and(|rest| rest.chars().next().is_none_or(|next| !next.is_alphanumeric()))
    };
    READERS.iter().filter(move |(place, _)| reads(place)).map(|(_, unit)| *unit)
}

#[cfg(test)]
mod tests {
    use super::readers;
    use model::HostPath;

    #[test]
    fn a_file_is_read_by_its_unit() {
        for (path, units) in [
            ("/etc/ssh/sshd_config.d/1.conf", "ssh.service sshd.service"),
            ("/etc/nftables.conf", "nftables.service"),
            ("/etc/systemd/network/10-eth.network", "systemd-networkd.service"),
            ("/etc/networks", ""),
            ("/etc/sshguard/x", ""),
            ("/etc/motd", ""),
        ] {
            let found: Vec<&str> = readers(&HostPath::new(path).unwrap()).collect();
            assert_eq!(found.join(" "), units, "{path}");
        }
    }
}
