//! `keel graph`: the resources of one host, and what comes before what.

use crate::exit::Exit;
use crate::format::Format;
use crate::library::Files;
use crate::site::{Refusal, Site};
use crate::vault::Opening;
use crate::view;
use crate::work::facts_for_compiling;
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
    let facts = facts_for_compiling()?;
    let files = Files::for_looking(Opening::Never);
    let compiled = host(args, &files).and_then(|host| args.site.compile(host.as_deref(), &facts, &files));
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

fn host(args: &Args, files: &Files) -> Result<Option<String>, Refusal> {
    let Some(pattern) = &args.host else {
        args.site
            .is_direct()
            .then_some(())
            .ok_or_else(|| anyhow::anyhow!("say which host of the inventory is meant"))?;
        return Ok(None);
    };
    match args.site.select(std::slice::from_ref(pattern), files)?.as_slice() {
        [one] => Ok(Some(one.name.clone())),
        many => {
            let names: Vec<&str> = many.iter().map(|host| host.name.as_str()).collect();
            Err(anyhow::anyhow!("one host at a time: {}", names.join(", ")).into())
        }
    }
}
