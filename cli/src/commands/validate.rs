//! `keel validate`: everything compiles, or all that is wrong is said at once.

use crate::exit::Exit;
use crate::format::Format;
use crate::library::Files;
use crate::site::{Refusal, Site};
use crate::vault::Opening;
use crate::view;
use crate::view::valid::Valid;
use crate::work::facts_for_compiling;
use dsl::Compiled;
use model::{Diagnostic, Facts};

/// Arguments of `validate`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Hosts of the inventory: names, globs such as 'db*', or @group; all of them unless said.
    #[arg(value_name = "HOST", conflicts_with = "file")]
    hosts: Vec<String>,
    #[command(flatten)]
    site: Site,
}

/// Compiles for each host that is meant, for all of them where none is named, and says what is wrong.
pub fn run(args: &Args, format: Format) -> anyhow::Result<Exit> {
    let facts = facts_for_compiling()?;
    let files = Files::for_looking(Opening::Unasked);
    let done = hosts(args, &files).and_then(|hosts| compile(&args.site, &hosts, (&facts, &files)));
    let (found, valid) = match done {
        Ok(done) => done,
        Err(refusal) => return Ok(view::refused(&refusal, format)),
    };
    view::wrong::show(&found, format);
    view::valid::show(&valid, format);
    Ok(if valid.broken.is_empty() { Exit::Fine } else { Exit::Usage })
}

/// The hosts; one `None` for a machine that is in no inventory.
fn hosts(args: &Args, files: &Files) -> Result<Vec<Option<String>>, Refusal> {
    if args.hosts.is_empty() && args.site.is_direct() {
        return Ok(vec![None]);
    }
    let hosts = if args.hosts.is_empty() {
        args.site.inventory(files)?
    } else {
        args.site.select(&args.hosts, files)?
    };
    if hosts.is_empty() {
        // A site without an inventory still has a keel.toml to check.
        return Ok(vec![None]);
    }
    Ok(hosts.into_iter().map(|host| Some(host.name)).collect())
}

/// Compiles for each host; what is wrong for several is told once.
fn compile(
    site: &Site,
    hosts: &[Option<String>],
    (facts, files): (&Facts, &Files),
) -> Result<(Vec<Diagnostic>, Valid), Refusal> {
    let mut found: Vec<Diagnostic> = Vec::new();
    let mut valid = Valid::default();
    let compiled = parallel::map(hosts, parallel::processors(), |host| {
        // No more than one catalog on each core is held.
        let Compiled { catalog, warnings, .. } = site.compile(host.as_deref(), facts, files)?;
        Ok((catalog.nodes().len(), catalog.edges().len(), warnings))
    });
    for (host, compiled) in hosts.iter().zip(compiled) {
        let name = host.clone().unwrap_or_default();
        let diagnostics = match compiled {
            Ok((nodes, edges, warnings)) => {
                valid.fine.push((name, nodes, edges));
                warnings
            }
            Err(Refusal::Diagnostics(diagnostics)) => {
                valid.broken.push(name);
                diagnostics
            }
            Err(other) => return Err(other),
        };
        for diagnostic in diagnostics {
            if !found.contains(&diagnostic) {
                found.push(diagnostic);
            }
        }
    }
    Ok((found, valid))
}
