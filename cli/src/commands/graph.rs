//! `keel graph`: the resources of one host, and what comes before what.

use crate::exit::Exit;
use crate::format::Format;
use crate::target::{Refusal, Site};
use crate::view;
use clap::ValueEnum;

/// Arguments of `graph`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The host of the inventory.
    #[arg(value_name = "HOST", conflicts_with = "file")]
    host: Option<String>,
    /// How to draw.
    #[arg(long, value_enum, default_value_t = Drawing::Dot)]
    format: Drawing,
    #[command(flatten)]
    site: Site,
}

/// How to draw.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Drawing {
    /// For Graphviz.
    Dot,
    /// A picture.
    Svg,
    /// For Markdown.
    Mermaid,
}

/// Draws.
pub fn run(args: &Args) -> anyhow::Result<Exit> {
    let facts = agent::os::facts::collect()?;
    let compiled = host(args).and_then(|host| args.site.compile(host.as_deref(), &facts));
    let compiled = match compiled {
        Ok(compiled) => compiled,
        Err(refusal) => return Ok(view::refused(&refusal, Format::Human)),
    };
    view::wrong::show(&compiled.warnings, Format::Human);
    view::text(&match args.format {
        Drawing::Dot => view::graph::dot(&compiled.catalog),
        Drawing::Svg => view::graph::svg(&compiled.catalog),
        Drawing::Mermaid => view::graph::mermaid(&compiled.catalog),
    });
    Ok(Exit::Fine)
}

fn host(args: &Args) -> Result<Option<String>, Refusal> {
    let hosts = args.site.choose(args.host.as_slice())?;
    match hosts.as_slice() {
        [] => Ok(None),
        [one] => Ok(Some(one.clone())),
        many => Err(Refusal::Other(anyhow::anyhow!("one host at a time: {}", many.join(", ")))),
    }
}
