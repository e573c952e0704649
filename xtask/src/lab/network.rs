//! The lab's network: a bridge per lab inside one /16 that is blackholed, so that nothing addressed to a host
//! ever leaves the machine, also when the bridge is gone. It must not change any other route, interface or
//! forwarding setting of the machine. Next: `daemons`.

use anyhow::{Result, bail};

use crate::cmd;
use crate::lab::state::Lab;

/// All labs' addresses. Part of 10/8 (RFC 1918).
const NET: &str = "10.213.0.0/16";

/// Puts up the blackhole, then the bridge with its address; does nothing for what is there.
///
/// # Errors
/// The machine routes the lab's /16 somewhere else.
pub fn up(lab: &Lab) -> Result<()> {
    let route = ip(&["-4", "route", "show", "exact", NET])?;
    if route.is_empty() {
        ip(&["-4", "route", "add", "blackhole", NET])?;
    } else if !route.starts_with("blackhole") {
        bail!("this machine routes {NET}, which the lab uses for its hosts: {}", route.trim());
    }
    let bridge = lab.bridge();
    if !exists(&bridge) {
        // An address of its own: else it takes that of one of its ports, and when that host ends, all others talk for
        // half a minute to an address that is gone. 02 says "locally administered".
        ip(&["link", "add", &bridge, "address", "02:6b:65:65:6c:01", "type", "bridge"])?;
    }
    let address = format!("{}/24", lab.gateway());
    ip(&["address", "replace", &address, "dev", &bridge])?;
    ip(&["link", "set", &bridge, "up"])?;
    Ok(())
}

/// Removes the bridge and every veth on it.
pub fn down(lab: &Lab) -> Result<()> {
    let bridge = lab.bridge();
    if !exists(&bridge) {
        return Ok(());
    }
    let ports = ip(&["-o", "link", "show", "master", &bridge])?;
    for port in ports.lines().filter_map(port_name) {
        remove_link(port)?;
    }
    remove_link(&bridge)
}

/// Removes the blackhole; only when no lab is left.
pub fn remove_blackhole() -> Result<()> {
    if !ip(&["-4", "route", "show", "exact", NET])?.is_empty() {
        ip(&["-4", "route", "del", "blackhole", NET])?;
    }
    Ok(())
}

/// Removes a link unless the kernel has done so meanwhile: a veth goes with its network namespace.
pub fn remove_link(name: &str) -> Result<()> {
    if !exists(name) {
        return Ok(());
    }
    match ip(&["link", "del", name]) {
        Err(error) if exists(name) => Err(error),
        _ => Ok(()),
    }
}

/// `4: vb-k1-10@if2: <…` -> `vb-k1-10`
fn port_name(line: &str) -> Option<&str> {
    line.split_once(": ")?.1.split([':', '@']).next()
}

fn exists(link: &str) -> bool {
    std::path::Path::new("/sys/class/net").join(link).exists()
}

fn ip(args: &[&str]) -> Result<String> {
    cmd::quiet(cmd::command(&["ip"]).args(args))
}

#[cfg(test)]
mod tests {
    use super::port_name;

    #[test]
    fn ports_of_a_bridge_are_named() {
        assert_eq!(port_name("4: vb-k1-10@if2: <BROADCAST> mtu 1500"), Some("vb-k1-10"));
        assert_eq!(port_name("9: dummy0: <BROADCAST>"), Some("dummy0"));
    }
}
