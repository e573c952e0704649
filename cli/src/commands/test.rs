//! `keel test`: what a site's or a module's tests expect, and whether it is so.

use crate::cores;
use crate::exit::Exit;
use crate::library::{self, Files};
use crate::site::{self, Refusal, Site};
use crate::vault::Opening;
use crate::view;
use crate::view::tests::{Shape, Told};
use anyhow::{Context, anyhow};
use dsl::Texts;
use std::path::{Path, PathBuf};
use trial::unit::Case;
use trial::{Home, Means, Sheet, Wanted};

/// Arguments of `test`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What to test: a module or role by its name, `module.NAME` or `role.NAME`, a test such as `unit.NAME`, or a file of tests; all
    /// tests of the site unless said. Modules of the library are tested only where they are named.
    #[arg(value_name = "ROLE|MODULE|TEST")]
    words: Vec<String>,
    /// The directory that holds `keel.toml`.
    #[arg(long, value_name = "DIR", default_value = ".")]
    site: PathBuf,
    /// How to print.
    #[arg(long, value_enum, default_value_t = Shape::Human)]
    format: Shape,
    /// Writes the results to this file too, as JUnit XML.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
}

/// Tests.
pub fn run(args: &Args) -> anyhow::Result<Exit> {
    let files = Files::for_looking(Opening::Never);
    let cases = match found(args, &files) {
        Ok(cases) => cases,
        Err(refusal) => return Ok(view::refused(&refusal, args.format.of_diagnostics())),
    };
    let (kinds, library) = (site::kinds(), library::roots());
    let (unseal, texts) = (files.vault.opener(&args.site.join("secrets"), &[]), Texts::default());
    let means = Means { kinds: &kinds, library: &library, loader: &files, unseal: &unseal, texts: &texts };
    let told = Told::new(args.format);
    let outcomes = cores::on_all(&cases, |case| case.run(means));
    outcomes.iter().for_each(|outcome| told.outcome(outcome));
    told.finish(&outcomes);
    if let Some(path) = &args.report {
        write(path, &trial::junit(&outcomes)).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(if outcomes.iter().all(trial::Outcome::passed) { Exit::Fine } else { Exit::Failed })
}

/// The tests that are meant.
fn found(args: &Args, files: &Files) -> Result<Vec<Case>, Refusal> {
    let sheets = sheets(args, files)?;
    let mut cases = Vec::new();
    let is_file = |word: &str, sheet: &Sheet| sheet.is_at(Path::new(word));
    for sheet in &sheets {
        let means = |case: &&Case| {
            args.words.is_empty()
                || args.words.iter().any(|word| is_file(word, sheet) || case.is_called(word))
        };
        cases.extend(sheet.units.iter().filter(means).cloned());
    }
    let is_met = |word: &&String| {
        sheets.iter().any(|sheet| is_file(word, sheet) || sheet.units.iter().any(|case| case.is_called(word)))
    };
    if let Some(word) = args.words.iter().find(|word| !is_met(word)) {
        let names = sheets.iter().flat_map(|sheet| &sheet.units).flat_map(Case::names);
        let names: Vec<String> = names.collect();
        let advice = dsl::advice(word, names.iter().map(String::as_str));
        let advice = advice.unwrap_or_else(|| "put tests into a file tests/NAME.toml".to_owned());
        return Err(anyhow!("there is no test of `{word}`: {advice}").into());
    }
    Ok(cases)
}

/// All files of tests. The library's are looked at only where something is named.
fn sheets(args: &Args, files: &Files) -> Result<Vec<Sheet>, Refusal> {
    let site = Site { site: args.site.clone(), ..Site::default() };
    if args.words.is_empty() {
        site.require()?;
    }
    let root = site.is_there().then(|| site.root());
    let modules =
        root.map_or(Ok(Vec::new()), |root| dsl::module_dirs(root, files)).map_err(Refusal::Diagnostics)?;
    let library = if args.words.is_empty() { Vec::new() } else { library::roots() };
    let wanted = Wanted { site: root, modules: &modules, library: &library };
    let found = trial::collect(wanted, files).map_err(|error| anyhow!(error))?;
    let read = |(home, path): (Home, PathBuf)| Sheet::read(home, &path, files);
    let (mut sheets, mut wrong) = (Vec::new(), Vec::new());
    for sheet in found.into_iter().map(read) {
        match sheet {
            Ok(sheet) => sheets.push(sheet),
            Err(found) => wrong.extend(found),
        }
    }
    if wrong.is_empty() { Ok(sheets) } else { Err(Refusal::Diagnostics(wrong)) }
}

fn write(path: &Path, text: &str) -> std::io::Result<()> {
    use std::io::Write as _;
    std::fs::OpenOptions::new().write(true).create(true).truncate(true).open(path)?.write_all(text.as_bytes())
}
