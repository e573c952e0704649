//! Tests without a host, as their users see them: each folder of `tests/cases/trial` is a site, and what comes of its tests stands in
//! `expected.txt`. `UPDATE_EXPECTED=1` writes what comes out.

use dsl::{Disk, NoKeys, Texts};
use model::{Diagnostic, KindInfo};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use trial::{Means, Sheet, Wanted};

fn cases() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/cases/trial")
}

fn told(site: &Path) -> String {
    let kinds: Vec<&dyn KindInfo> = agent::kinds::ALL.iter().map(|kind| *kind as &dyn KindInfo).collect();
    let modules = dsl::module_dirs(site, &Disk).unwrap();
    let wanted = Wanted { site: Some(site), modules: &modules, library: &[] };
    let (texts, mut out) = (Texts::default(), String::new());
    let means = Means { kinds: &kinds, library: &[], loader: &Disk, unseal: &NoKeys, texts: &texts };
    for (home, path) in trial::collect(wanted, &Disk).unwrap() {
        let sheet = match Sheet::read(home, &path, &Disk) {
            Ok(sheet) => sheet,
            Err(wrong) => {
                out.extend(wrong.iter().map(diagnostic));
                continue;
            }
        };
        for outcome in sheet.units.iter().map(|case| case.run(means)) {
            writeln!(
                out,
                "{} {} at {}",
                outcome.name,
                if outcome.passed() { "passed" } else { "failed" },
                outcome.origin
            )
            .unwrap();
            for fault in outcome.faults {
                writeln!(out, "    {}: {}", fault.origin, fault.message).unwrap();
            }
        }
    }
    out.replace(&format!("{}/", site.display()), "")
}

fn diagnostic(one: &Diagnostic) -> String {
    let place = one.labels[0].span.origin();
    format!("{place}: {}: {}\n    {}\n", one.code, one.message, one.help.as_deref().unwrap_or_default())
}

#[test]
fn every_site_is_told_as_expected() {
    let mut wrong = Vec::new();
    let mut sites: Vec<PathBuf> =
        std::fs::read_dir(cases()).unwrap().map(|entry| entry.unwrap().path()).collect();
    sites.sort();
    assert!(sites.len() >= 3, "{sites:?}");
    for site in sites {
        let (found, file) = (told(&site), site.join("expected.txt"));
        if std::env::var_os("UPDATE_EXPECTED").is_some() {
            let mut open = std::fs::OpenOptions::new();
            let mut file = open.write(true).create(true).truncate(true).open(&file).unwrap();
            std::io::Write::write_all(&mut file, found.as_bytes()).unwrap();
        } else if std::fs::read_to_string(&file).unwrap() != found {
            wrong.push(format!("== {}\n{found}", site.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_tests_of_the_library_pass() {
    let kinds: Vec<&dyn KindInfo> = agent::kinds::ALL.iter().map(|kind| *kind as &dyn KindInfo).collect();
    let library = [Path::new(env!("CARGO_MANIFEST_DIR")).join("..")];
    let texts = Texts::default();
    let means = Means { kinds: &kinds, library: &library, loader: &Disk, unseal: &NoKeys, texts: &texts };
    let found = trial::collect(Wanted { site: None, modules: &[], library: &library }, &Disk).unwrap();
    let sheets = found.into_iter().map(|(home, path)| Sheet::read(home, &path, &Disk).unwrap());
    let cases: Vec<_> = sheets.flat_map(|sheet| sheet.units).collect();
    assert!(cases.len() >= 9, "{}", cases.len());
    let faults: Vec<_> = cases.iter().flat_map(|case| case.run(means).faults).collect();
    assert_eq!(faults, []);
}
