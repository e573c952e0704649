//! `keel bundle build`: collects a site, writes the archive, and compiles it from there for each of its hosts. What a host will not be able to read is
//! told now, and not by the host.

use super::run::Wrong;
use crate::exit::Exit;
use crate::library::Files;
use crate::site::{Refusal, Site};
use crate::vault::{self, Opening};
use crate::view;
use crate::work::facts_for_compiling;
use anyhow::Context as _;
use bundle::{Bundle, Contents, Wanted};
use dsl::{Closed, Host, Loader as _, Request, Unseal};
use model::{Diagnostic, Facts, Secret};
use std::collections::BTreeMap;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use tempfile::NamedTempFile;

/// Seconds since 1970 that stand for now, so that what is made twice is the same (reproducible-builds.org/specs/source-date-epoch).
const EPOCH: &str = "SOURCE_DATE_EPOCH";

/// Arguments of `bundle build`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The directory that holds `keel.toml`.
    #[arg(long, value_name = "DIR", default_value = ".")]
    site: PathBuf,
    /// Where to put the bundle; `NAME.bundle` unless said, as `keel.toml` names the site.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// A number larger than that of every bundle before: hosts take none that is older. Unless said SOURCE_DATE_EPOCH of the environment, else the seconds since 1970.
    #[arg(long, value_name = "N")]
    counter: Option<u64>,
}

/// Makes it.
pub fn run(args: &Args) -> Result<Exit, Wrong> {
    let counter = counter(args)?;
    let files = Files::for_looking(Opening::Never);
    let site = Site::at(args.site.clone());
    let hosts = site.inventory(&files)?;
    let mut roles = own_roles(&site, &files)?;
    roles.extend(hosts.iter().flat_map(|host| host.roles.clone()));
    let whole = Site { roles, ..site.clone() };
    let contents: Result<Contents, bundle::Refusal> =
        whole.with_request((None, &Facts::default()), &files, |request| {
            Ok(bundle::collect(&Wanted { request, root: whole.root() }))
        })?;
    let contents = contents?;
    let output = args.output.clone().unwrap_or_else(|| PathBuf::from(format!("{}.bundle", contents.site)));
    let file = write(&contents, counter, (&files, &output))?;
    let digests = bundle::digests(file.as_file())?;
    let packed = Bundle::open(Arc::new(file.reopen().context("cannot open what was written")?), &digests)?;
    // What is not in the bundle is missing here as it would be on a host.
    let mut from_there = Files::for_looking(Opening::Never);
    from_there.bundle = Some(packed);
    let compiled = compile(&Site { is_packed: true, ..Site::at(".") }, &hosts, &from_there)?;
    view::wrong::show(&compiled.warnings, crate::format::Format::Human);
    for (host, needed) in hosts.iter().zip(&compiled.needed) {
        unreadable(host, needed)?;
    }
    let cannot = || format!("cannot write {}", output.display());
    file.persist(&output).map_err(|error| error.error).with_context(cannot)?;
    view::bundle::built(&output, (&contents.site, counter, contents.files.len()), &digests);
    Ok(Exit::Fine)
}

fn counter(args: &Args) -> anyhow::Result<u64> {
    let epoch = std::env::var(EPOCH).ok().filter(|text| !text.is_empty());
    match (args.counter, epoch) {
        (Some(counter), _) => Ok(counter),
        (None, Some(epoch)) => epoch.parse().with_context(|| format!("{EPOCH} is no number of seconds")),
        (None, None) => Ok(u64::try_from(crate::clock::seconds())?),
    }
}

/// The roles in the site: any host can be given one of them by hand.
fn own_roles(site: &Site, files: &Files) -> anyhow::Result<Vec<String>> {
    let names = files.list(&site.root().join("roles")).map_err(anyhow::Error::msg)?;
    Ok(names.iter().filter_map(|name| name.strip_suffix(".toml")).map(str::to_owned).collect())
}

/// The secrets that a host needs, with their files.
type Needed = BTreeMap<String, Vec<u8>>;

/// What came of compiling.
#[derive(Default)]
struct Compiled {
    warnings: Vec<Diagnostic>,
    /// For each host, in their order.
    needed: Vec<Needed>,
}

/// Opens nothing, and keeps what it was asked for.
#[derive(Default)]
struct Asked(Mutex<Needed>);

impl Unseal for Asked {
    fn unseal(&self, name: &str, sealed: &[u8]) -> Result<Option<Secret<Vec<u8>>>, Closed> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), sealed.to_vec());
        Ok(None)
    }
}

/// Compiles for each host; for none where there is none.
fn compile(site: &Site, hosts: &[Host], files: &Files) -> Result<Compiled, Refusal> {
    let facts = facts_for_compiling()?;
    let names: Vec<Option<&str>> = match hosts {
        [] => vec![None],
        hosts => hosts.iter().map(|host| Some(host.name.as_str())).collect(),
    };
    let done = parallel::map(&names, parallel::processors(), |name| {
        let asked = Asked::default();
        let made = site.with_request((*name, &facts), files, |request| {
            dsl::compile(&Request { unseal: &asked, ..*request })
        });
        made.map(|compiled| (compiled.warnings, asked.0.into_inner().unwrap_or_else(PoisonError::into_inner)))
    });
    let (mut compiled, mut wrong) = (Compiled::default(), Vec::new());
    for one in done {
        match one {
            Ok((warnings, needed)) => {
                add(warnings, &mut compiled.warnings);
                compiled.needed.push(needed);
            }
            Err(Refusal::Diagnostics(diagnostics)) => add(diagnostics, &mut wrong),
            Err(other) => return Err(other),
        }
    }
    if wrong.is_empty() { Ok(compiled) } else { Err(Refusal::Diagnostics(wrong)) }
}

/// What is wrong for several hosts is told once.
fn add(some: Vec<Diagnostic>, all: &mut Vec<Diagnostic>) {
    for one in some {
        if !all.contains(&one) {
            all.push(one);
        }
    }
}

/// Tells which secrets a host could not read that needs them.
fn unreadable(host: &Host, needed: &Needed) -> anyhow::Result<()> {
    let keys = &host.reach.host_keys;
    let mut closed = Vec::new();
    for (name, sealed) in needed {
        let is_for = vault::is_for(sealed, keys);
        if !is_for.map_err(|why| anyhow::anyhow!("the secret `{name}` {why}"))? {
            closed.push(name.as_str());
        }
    }
    if !closed.is_empty() {
        view::bundle::closed(&host.name, &closed, keys);
    }
    Ok(())
}

/// Into a file beside the place where it is to be.
fn write(contents: &Contents, counter: u64, (files, to): (&Files, &Path)) -> Result<NamedTempFile, Wrong> {
    let cannot = || format!("cannot write {}", to.display());
    let dir = to.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let permissions = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    let mut temporary = tempfile::Builder::new();
    let file = temporary.prefix(".keel-").permissions(permissions).tempfile_in(dir).with_context(cannot)?;
    bundle::build(contents, counter, files, BufWriter::new(file.as_file()))?;
    file.as_file().sync_all().with_context(cannot)?;
    Ok(file)
}
