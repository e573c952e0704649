//! What is to be said of boxes on a machine that is no Linux.

use super::dealing::Dealing;
use trial::{BoxCase, Outcome};

pub fn run(
    cases: &[BoxCase],
    _: &Dealing<'_>,
    _: &(dyn Fn(&Outcome) + Sync),
) -> anyhow::Result<Vec<Outcome>> {
    match cases {
        [] => Ok(Vec::new()),
        _ => anyhow::bail!("this machine is no Linux, and makes no boxes: --unit leaves them out"),
    }
}

pub fn destroy(_: &[String], _: &dyn Fn(&str)) -> anyhow::Result<()> {
    anyhow::bail!("this machine is no Linux, and has no boxes")
}
