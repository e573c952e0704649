//! `keel explain`: a kind and its keys, from the same list that reads them; without an argument the list of kinds.

use crate::args::Format;
use crate::exit::Exit;
use crate::target::kinds;
use crate::view;

/// Arguments of `explain`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The kind, such as `file`; all kinds are listed where it is left out.
    kind: Option<String>,
}

/// Explains.
pub fn run(args: &Args, format: Format) -> anyhow::Result<Exit> {
    let kinds = kinds();
    let Some(wanted) = &args.kind else {
        view::explain::list(&kinds, format);
        return Ok(Exit::Fine);
    };
    if let Some(kind) = kinds.iter().find(|kind| kind.name() == wanted) {
        view::explain::kind(*kind, &dsl::common_fields(), format);
        return Ok(Exit::Fine);
    }
    let advice = dsl::advice(wanted, kinds.iter().map(|kind| kind.name())).unwrap_or_default();
    Ok(view::misuse(&anyhow::anyhow!("there is no kind `{wanted}`: {advice}")))
}
