//! `keel test`: what the tests of a site and of modules expect, and whether it is so.

use crate::boxes::{self, Dealing, Sort};
use crate::exit::Exit;
use crate::library::{self, Files};
use crate::site::{self, Refusal, Site};
use crate::vault::Opening;
use crate::view;
use crate::view::tests::{Shape, Told};
use anyhow::{Context, anyhow};
use dsl::Texts;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use trial::unit::Case;
use trial::{BoxCase, Ends, Means, Outcome, Sheet, Wanted};

/// Arguments of `test`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What to test: a module or role by its name, `module.NAME` or `role.NAME`, a test such as `unit.NAME` or `box.NAME`, or a file of
    /// tests; all tests of the site unless said. Modules of the library are tested only where they are named.
    #[arg(value_name = "ROLE|MODULE|TEST")]
    words: Vec<String>,
    /// Only the tests that need no box.
    #[arg(long, conflicts_with_all = ["sort", "rollback", "keep", "parallel"])]
    unit: bool,
    /// What makes the boxes, where a test does not say: `overlay`, a copy of this machine; `nspawn` and `lxc`, a minimal system of this
    /// machine's release that is booted; `podman` and `docker`, the same or `:IMAGE` in a container; `vagrant`, the first machine of the
    /// site's Vagrantfile or one of `:BOX`; `ssh:HOST`, a host that is there: what is done to it is rolled back.
    #[arg(long = "box", value_name = "DRIVER", default_value = "overlay")]
    sort: Sort,
    /// Read in place of ~/.ssh/config and /etc/ssh/ssh_config, for `--box ssh:HOST`.
    #[arg(long, value_name = "FILE")]
    ssh_config: Option<PathBuf>,
    /// A directory with a system to lay booted boxes over, in place of one that is made.
    #[arg(long, value_name = "DIR")]
    box_base: Option<PathBuf>,
    /// Rolls each box back at the end: it has to be as it was made.
    #[arg(long)]
    rollback: bool,
    /// Leaves the boxes to be looked at, and says how to enter and remove them.
    #[arg(long)]
    keep: bool,
    /// Tests nothing: removes boxes that an earlier `--keep` has left, those that are named or all.
    #[arg(long, conflicts_with_all = ["unit", "sort", "rollback", "keep", "parallel", "report"])]
    destroy: bool,
    /// At most so many boxes at once.
    #[arg(long, value_name = "N", default_value = "4")]
    parallel: NonZeroUsize,
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
    if args.destroy {
        return boxes::destroy(&args.words, &view::tests::destroyed).map(|()| Exit::Fine);
    }
    let files = Files::for_looking(Opening::Never);
    let (cases, boxes) = match found(args, &files) {
        Ok(found) => found,
        Err(refusal) => return Ok(view::refused(&refusal, args.format.of_diagnostics())),
    };
    if cases.is_empty() && boxes.is_empty() {
        // A CI that tests nothing must not be green.
        let why = "there is nothing to test: declare [unit.NAME] or [box.NAME] in tests/*.toml";
        return Ok(view::misuse(&anyhow!(why)));
    }
    let told = Told::new(args.format);
    let mut outcomes = units(args, &cases, &files);
    outcomes.iter().for_each(|outcome| told.outcome(outcome));
    outcomes.extend(in_boxes(args, &boxes, &told)?);
    told.finish(&outcomes);
    if let Some(path) = &args.report {
        write(path, &trial::junit(&outcomes)).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(if outcomes.iter().all(Outcome::passed) { Exit::Fine } else { Exit::Failed })
}

fn units(args: &Args, cases: &[Case], files: &Files) -> Vec<Outcome> {
    let (kinds, library) = (site::kinds(), library::roots());
    let (unseal, texts) = (files.vault.opener(&args.site.join("secrets"), &[]), Texts::default());
    let means = Means { kinds: &kinds, library: &library, loader: files, unseal: &unseal, texts: &texts };
    parallel::map(cases, parallel::processors(), |case| case.run(means))
}

fn in_boxes(args: &Args, boxes: &[BoxCase], told: &Told) -> anyhow::Result<Vec<Outcome>> {
    // Boxes get the values of secrets, as far as that takes no question.
    let files = Files::for_looking(Opening::Unasked);
    let dealing = Dealing {
        files: &files,
        site: &args.site,
        sort: args.sort.clone(),
        base: args.box_base.clone(),
        ssh_config: args.ssh_config.clone(),
        is_kept: args.keep,
        parallel: args.parallel.get(),
    };
    boxes::run(boxes, &dealing, &|outcome| told.outcome(outcome))
}

/// The tests that are meant.
fn found(args: &Args, files: &Files) -> Result<(Vec<Case>, Vec<BoxCase>), Refusal> {
    let sheets = sheets(args, files)?;
    let (mut cases, mut boxes) = (Vec::new(), Vec::new());
    for sheet in &sheets {
        let is_meant = |is_called: &dyn Fn(&str) -> bool| {
            args.words.is_empty()
                || args.words.iter().any(|word| sheet.is_at(Path::new(word)) || is_called(word))
        };
        cases.extend(sheet.units.iter().filter(|one| is_meant(&|word| one.is_called(word))).cloned());
        boxes.extend(sheet.boxes.iter().filter(|one| is_meant(&|word| one.is_called(word))).cloned());
    }
    if args.unit {
        boxes.clear();
    }
    if args.rollback {
        boxes.iter_mut().for_each(|one| one.ends = Ends::RolledBack);
    }
    if let Some(one) =
        boxes.iter().find(|one| one.driver.as_deref().is_some_and(|name| Sort::named(name).is_none()))
    {
        let name = one.driver.as_deref().unwrap_or_default();
        let advice = dsl::advice(name, Sort::NAMES).unwrap_or_default();
        return Err(anyhow!("{}: {} wants a box of `{name}`: {advice}", one.origin, one.name).into());
    }
    Ok((cases, boxes))
}

/// All files of tests, and for a word that none of them knows what it means by itself. The library's are looked at only where something
/// is named.
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
    let (mut sheets, mut wrong) = (Vec::new(), Vec::new());
    for (home, path) in found {
        match Sheet::read(home, &path, files) {
            Ok(sheet) => sheets.push(sheet),
            Err(found) => wrong.extend(found),
        }
    }
    if !wrong.is_empty() {
        return Err(Refusal::Diagnostics(wrong));
    }
    let is_known =
        |word: &&String| sheets.iter().any(|sheet| sheet.is_at(Path::new(word)) || sheet.knows(word));
    let unknown: Vec<&String> = args.words.iter().filter(|word| !is_known(word)).collect();
    for word in unknown {
        match Sheet::of_word(word, wanted, files) {
            Some(sheet) if !args.unit => sheets.push(sheet),
            Some(_) | None => return Err(no_test(word, &sheets).into()),
        }
    }
    Ok(sheets)
}

fn no_test(word: &str, sheets: &[Sheet]) -> anyhow::Error {
    let names: Vec<String> = sheets.iter().flat_map(Sheet::names).collect();
    let advice = dsl::advice(word, names.iter().map(String::as_str));
    let advice = advice.unwrap_or_else(|| "put tests into a file tests/NAME.toml".to_owned());
    anyhow!("there is no test of `{word}`: {advice}")
}

fn write(path: &Path, text: &str) -> std::io::Result<()> {
    use std::io::Write as _;
    std::fs::OpenOptions::new().write(true).create(true).truncate(true).open(path)?.write_all(text.as_bytes())
}
