//! `keel explain-value`: where the value of an input comes from.

use crate::exit::Exit;
use crate::format::Format;
use crate::library::Files;
use crate::site::{Refusal, Site};
use crate::vault::Opening;
use crate::view;
use crate::work::facts_for_compiling;

/// Arguments of `explain-value`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The input: `NAME.INPUT` of a module or role, or `INPUT` of a bare file.
    key: String,
    /// The host of the inventory.
    #[arg(long, value_name = "HOST", conflicts_with = "file")]
    host: Option<String>,
    #[command(flatten)]
    site: Site,
}

/// Shows every layer of the value.
pub fn run(args: &Args, format: Format) -> anyhow::Result<Exit> {
    let facts = facts_for_compiling()?;
    let files = Files::for_looking(Opening::Never);
    let known = |host: &String| args.site.select(std::slice::from_ref(host), &files);
    let explained = args.host.as_ref().map_or(Ok(Vec::new()), known).and_then(|hosts| {
        if hosts.is_empty() && !args.site.is_direct() {
            return Err(Refusal::Other(anyhow::anyhow!("say for which host: --host HOST")));
        }
        let host = hosts.first().map(|host| host.name.as_str());
        args.site.with_request((host, &facts), &files, |request| dsl::explain_value(request, &args.key))
    });
    match explained {
        Ok(layers) => {
            view::explain::layers(&args.key, &layers, format);
            Ok(Exit::Fine)
        }
        Err(refusal) => Ok(view::refused(&refusal, format)),
    }
}
