//! Work on hosts over SSH.

use super::crew::Hosts;
use super::errand::Errand;
use crate::exit::Exit;

pub fn work(_errand: &Errand, _hosts: &Hosts) -> anyhow::Result<Exit> {
    anyhow::bail!("not yet")
}
