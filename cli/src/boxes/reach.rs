//! How the host of `--box ssh:HOST` is reached: just as a push reaches it, by the inventory of the site, its transport and hosts on the way
//! included, and by the user's configuration of ssh.

use super::dealing::Dealing;
use crate::site::Site;
use crate::view;
use crate::work::{Connection, Login, Machines, targets};
use anyhow::anyhow;
use std::sync::Arc;
use trial::boxes::{Connect, Way};

/// What connects to the host that the user calls `name`. Nothing is connected to yet.
pub fn reach(name: &str, dealing: &Dealing<'_>) -> anyhow::Result<Connect> {
    let site = Site { site: dealing.site.to_owned(), ..Site::default() };
    let machines = Machines::over(Connection::usual(dealing.ssh_config.clone()));
    let hosts = machines.named(name, &site, dealing.files)?;
    let mut targets = targets(&hosts)?;
    let login = Login::new(&hosts, &targets, dealing.files.vault.keyring()).afresh();
    let target = targets.pop().ok_or_else(|| anyhow!("`{name}` names no host"))?;
    let endpoint = target.endpoint?;
    Ok(Arc::new(move || {
        let remote = login.connect(&endpoint, &|_, text| view::remark(text))?;
        Ok(Way { remote, user: endpoint.user.clone() })
    }))
}
