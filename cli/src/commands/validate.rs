//! `keel validate`: everything compiles, or all that is wrong is said at once.

use crate::exit::Exit;
use crate::format::Format;
use crate::target::{Refusal, Target};
use crate::view;
use crate::view::valid::Valid;
use model::{Diagnostic, Facts};

/// Arguments of `validate`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    target: Target,
}

/// Compiles for each host that is meant, for all of them where none is named, and says what is wrong.
pub fn run(args: &Args, format: Format) -> anyhow::Result<Exit> {
    let facts = agent::os::facts::collect()?;
    let done = hosts(&args.target).and_then(|hosts| compile(args, &hosts, &facts));
    let (found, valid) = match done {
        Ok(done) => done,
        Err(refusal) => return Ok(view::refused(&refusal, format)),
    };
    view::wrong::show(&found, format);
    view::valid::show(&valid, format);
    Ok(if valid.broken.is_empty() { Exit::Fine } else { Exit::Usage })
}

/// The hosts; one `None` for a machine that is in no inventory.
fn hosts(target: &Target) -> Result<Vec<Option<String>>, Refusal> {
    let site = &target.site;
    if target.hosts.is_empty() && (site.file.is_some() || !site.roles.is_empty()) {
        return Ok(vec![None]);
    }
    let names = if target.hosts.is_empty() {
        site.inventory()?.into_iter().map(|host| host.name).collect()
    } else {
        site.select(&target.hosts)?
    };
    if names.is_empty() {
        // A site without an inventory still has a keel.toml to check.
        return Ok(vec![None]);
    }
    Ok(names.into_iter().map(Some).collect())
}

/// Compiles for each host; what is wrong for several is told once.
fn compile(
    args: &Args,
    hosts: &[Option<String>],
    facts: &Facts,
) -> Result<(Vec<Diagnostic>, Valid), Refusal> {
    let mut found: Vec<Diagnostic> = Vec::new();
    let mut valid = Valid::default();
    for host in hosts {
        let name = host.clone().unwrap_or_default();
        let diagnostics = match args.target.site.compile(host.as_deref(), facts) {
            Ok(compiled) => {
                valid.fine.push((name, compiled.catalog.nodes().len(), compiled.catalog.edges().len()));
                compiled.warnings
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
