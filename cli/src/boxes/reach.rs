//! How the host of `--box ssh:HOST` is reached: as a push reaches it, by the inventory of the site and the user's configuration of ssh.

use super::dealing::Dealing;
use crate::site::Site;
use crate::view::ask::Terminal;
use anyhow::anyhow;
use dsl::{Destination, Host};
use fleet::config::{Asked, Overrides, SshFiles, Surroundings, resolve};
use fleet::{Access, Passwords, Transport};
use std::sync::Arc;
use trial::boxes::{Connect, Way};

/// What connects to the host that the user calls `name`. Nothing is connected to yet.
pub fn reach(name: &str, dealing: &Dealing<'_>) -> anyhow::Result<Connect> {
    let surroundings = Surroundings::here()?;
    let usual = SshFiles::usual(&surroundings.home);
    let files = SshFiles { instead: dealing.ssh_config.clone(), ..usual };
    let asked = match declared(name, dealing)? {
        Some(host) => Asked {
            name: host.address,
            inventory: Overrides {
                user: host.reach.user,
                port: host.reach.port,
                host_keys: host.reach.host_keys,
                jump: host.reach.proxy_jump,
                ..Overrides::default()
            },
            command_line: Overrides::default(),
        },
        None => {
            let Destination { user, host, port } = name
                .parse()
                .map_err(|why| anyhow!("`{name}` names no host, as [user@]host[:port] does: {why}"))?;
            let inventory = Overrides { user, port, ..Overrides::default() };
            Asked { name: host, inventory, command_line: Overrides::default() }
        }
    };
    let endpoint = resolve(&asked, &files, &surroundings)?;
    let keyring = dealing.files.vault.keyring();
    Ok(Arc::new(move || {
        let access = Access {
            prompts: &Terminal,
            transport: Transport::Auto,
            passwords: Passwords::Never,
            keyring: &keyring,
            notes: &|_| {},
            keep: None,
        };
        Ok(Way { remote: fleet::connect(&endpoint, &access)?, user: endpoint.user.clone() })
    }))
}

/// The host of the site's inventory that is called so.
fn declared(name: &str, dealing: &Dealing<'_>) -> anyhow::Result<Option<Host>> {
    let site = Site { site: dealing.site.to_owned(), ..Site::default() };
    if !site.is_there() {
        return Ok(None);
    }
    let hosts = site
        .inventory(dealing.files)
        .map_err(|_| anyhow!("the inventory of the site is wrong: keel validate"))?;
    Ok(hosts.into_iter().find(|host| host.name == name))
}
