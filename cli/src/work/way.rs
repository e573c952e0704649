//! Hosts on the way to others. One that the inventory knows is gone through as the inventory says. Connects to nothing.

use dsl::{Destination, Host};

/// Hosts to go through.
#[derive(Debug, Default)]
pub struct Way {
    /// As `ProxyJump` of ssh_config(5) has it, where anything is said.
    pub jump: Option<String>,
    /// Keys that hosts on the way must have one of, by their addresses.
    pub host_keys: Vec<(String, Vec<String>)>,
}

impl Way {
    /// The way that `jump` says, with `hosts` of the inventory.
    pub fn of(jump: Option<&str>, hosts: &[Host]) -> Self {
        let mut way = Self::default();
        let hops: Option<Vec<String>> =
            jump.map(|jump| jump.split(',').map(|hop| way.hop(hop, hosts)).collect());
        way.jump = hops.map(|hops| hops.join(","));
        way
    }

    fn hop(&mut self, hop: &str, hosts: &[Host]) -> String {
        let Some(host) = hosts.iter().find(|host| host.name == hop) else { return hop.to_owned() };
        let (user, port) = (host.reach.user.clone(), host.reach.port);
        if !host.reach.host_keys.is_empty() {
            self.host_keys.push((host.address.clone(), host.reach.host_keys.clone()));
        }
        Destination { user, host: host.address.clone(), port }.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::Way;
    use dsl::{Host, Reach};

    #[test]
    fn a_host_of_the_inventory_is_gone_through_as_that_says() {
        let (user, port, host_keys) =
            (Some("ops".to_owned()), Some(2222), vec!["ssh-ed25519 AAAA".to_owned()]);
        let reach = Reach { user, port, host_keys: host_keys.clone(), ..Reach::default() };
        let (groups, roles) = (Vec::new(), Vec::new());
        let bastion = Host { name: "bastion".into(), address: "2001:db8::1".into(), reach, groups, roles };
        for (jump, expected) in [
            (None, None),
            (Some("none"), Some("none")),
            (Some("ann@bastion"), Some("ann@bastion")),
            (Some("edge,bastion"), Some("edge,ops@[2001:db8::1]:2222")),
        ] {
            let way = Way::of(jump, std::slice::from_ref(&bastion));
            assert_eq!(way.jump.as_deref(), expected);
            let is_known = expected.is_some_and(|text| text.contains("2222"));
            let keys = is_known.then(|| ("2001:db8::1".to_owned(), host_keys.clone()));
            assert_eq!(way.host_keys, keys.into_iter().collect::<Vec<_>>());
        }
    }
}
