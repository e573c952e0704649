//! How the host of `--box ssh:HOST` is reached: just as a push reaches it, by the inventory of the site, its transport and hosts on the way
//! included, and by the user's configuration of ssh.

use super::dealing::Dealing;
use crate::site::Site;
use crate::view;
use crate::work::{Connection, Login, Machines, targets};
use anyhow::anyhow;
use fleet::Endpoint;
use std::sync::Arc;
use trial::boxes::{Connect, Names, Way};

/// What connects to the host that the user calls `name`, and its names. Nothing is connected to yet.
pub fn reach(name: &str, dealing: &Dealing<'_>) -> anyhow::Result<(Names, Connect)> {
    let site = Site { site: dealing.site.to_owned(), ..Site::default() };
    let machines = Machines::over(Connection::usual(dealing.ssh_config.clone()));
    let hosts = machines.named(name, &site, dealing.files)?;
    let is_declared = hosts.list.iter().any(|machine| machine.host.is_some());
    let mut targets = targets(&hosts)?;
    let login = Login::new(&hosts, &targets, dealing.files.vault.keyring()).afresh();
    let target = targets.pop().ok_or_else(|| anyhow!("`{name}` names no host"))?;
    let endpoint = target.endpoint?;
    let names = names(name, is_declared, &endpoint);
    let connect: Connect = Arc::new(move || {
        let remote = login.connect(&endpoint, &|_, text| view::remark(text))?;
        Ok(Way { remote, user: endpoint.user.clone() })
    });
    Ok((names, connect))
}

fn names(called: &str, is_declared: bool, endpoint: &Endpoint) -> Names {
    let Endpoint { user, alias, port, jumps, .. } = endpoint;
    let typed =
        if is_declared || called.contains('@') { called.to_owned() } else { format!("{user}@{called}") };
    let way: Vec<String> =
        jumps.iter().map(|one| format!("{}@{}:{}", one.user, one.alias, one.port)).collect();
    let way = if way.is_empty() { String::new() } else { format!("-J {} ", way.join(",")) };
    let port = if *port == 22 { String::new() } else { format!("-p {port} ") };
    Names { called: called.to_owned(), typed, login: format!("{way}{port}{user}@{alias}") }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::disallowed_methods, reason = "writes a scratch site")]

    use super::super::dealing::Dealing;
    use super::super::sort::Sort;
    use super::reach;
    use crate::library::Files;
    use crate::vault::Opening;

    #[test]
    fn a_host_is_called_as_each_program_takes_it() {
        let site = tempfile::tempdir().unwrap();
        let config = site.path().join("config");
        std::fs::write(site.path().join("keel.toml"), "[project]\n").unwrap();
        std::fs::write(site.path().join("hosts.toml"), "[host.web1]\naddress = \"192.0.2.7\"\nport = 23\n")
            .unwrap();
        std::fs::write(&config, "Host *\nUser admin\nHost boxhost\nHostName 192.0.2.8\nProxyJump hop\n")
            .unwrap();
        let files = Files::for_looking(Opening::Never);
        let dealing = Dealing {
            files: &files,
            site: site.path(),
            sort: Sort::default(),
            base: None,
            ssh_config: Some(config),
            is_kept: false,
            parallel: 1,
        };
        for (called, typed, login) in [
            ("web1", "web1", "-p 23 admin@192.0.2.7"),
            ("boxhost", "admin@boxhost", "-J admin@hop:22 admin@boxhost"),
            ("root@192.0.2.9", "root@192.0.2.9", "root@192.0.2.9"),
        ] {
            let (names, _) = reach(called, &dealing).unwrap();
            assert_eq!((&*names.called, &*names.typed, &*names.login), (called, typed, login));
        }
    }
}
