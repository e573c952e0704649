//! `keel explain`: a kind, a module or a role and its keys, from the same text that is compiled; without an argument all there is.

use crate::exit::Exit;
use crate::format::Format;
use crate::library;
use crate::site::kinds;
use crate::view;
use crate::view::explain::Topic;
use agent::checks::SUBJECTS;
use agent::drills::FAULTS;
use anyhow::anyhow;
use dsl::Loader;
use model::{KindInfo, SubjectInfo};
use std::path::{Path, PathBuf};

/// Arguments of `explain`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A kind, such as `file`, or `check`, `check.http`, `drill`, `drill.port`, `module.NAME`, `role.NAME`; all there is, where it is left out.
    topic: Option<String>,
    /// The directory that holds `keel.toml`, for modules and roles of a site; where you are, unless said.
    #[arg(long, value_name = "DIR")]
    site: Option<PathBuf>,
}

/// Explains.
pub fn run(args: &Args, format: Format) -> anyhow::Result<Exit> {
    let kinds = kinds();
    let texts = texts(args.site.as_deref().unwrap_or(Path::new("")))?;
    let Some(topic) = &args.topic else {
        view::explain::list(&kinds, &texts.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), format);
        return Ok(Exit::Fine);
    };
    if let Some(kind) = kinds.iter().find(|kind| kind.name() == topic) {
        view::explain::kind(*kind, (Topic::Kind, &dsl::common_fields()), format);
        return Ok(Exit::Fine);
    }
    if topic == "check" {
        view::explain::subjects(SUBJECTS, (Topic::Subject, &dsl::check_fields()), format);
        return Ok(Exit::Fine);
    }
    if topic == "drill" {
        view::explain::subjects(FAULTS, (Topic::Fault, &dsl::drill_fields()), format);
        return Ok(Exit::Fine);
    }
    if let Some(fault) = topic.strip_prefix("drill.").and_then(|name| named(FAULTS, name)) {
        view::explain::kind(fault, (Topic::Fault, &dsl::drill_fields()), format);
        return Ok(Exit::Fine);
    }
    if let Some(subject) = topic.strip_prefix("check.").and_then(|name| named(SUBJECTS, name)) {
        view::explain::kind(subject, (Topic::Subject, &dsl::check_fields()), format);
        return Ok(Exit::Fine);
    }
    if let Some((_, path)) = texts.iter().find(|(name, _)| name == topic) {
        return manual(topic, path, &kinds, format);
    }
    let checks: Vec<String> = SUBJECTS.iter().map(|one| format!("check.{}", one.name())).collect();
    let drills: Vec<String> = FAULTS.iter().map(|one| format!("drill.{}", one.name())).collect();
    let words = checks.iter().chain(&drills).map(String::as_str).chain(["check", "drill"]);
    let known =
        kinds.iter().map(|kind| kind.name()).chain(words).chain(texts.iter().map(|(name, _)| name.as_str()));
    let advice = dsl::advice(topic, known).unwrap_or_default();
    Ok(view::misuse(&anyhow!("there is no kind, check, drill, module or role `{topic}`: {advice}")))
}

/// What checks can look at, or drills do, by its name.
fn named(list: &'static [&'static dyn SubjectInfo], name: &str) -> Option<&'static dyn KindInfo> {
    list.iter().find(|one| one.name() == name).map(|one| *one as &dyn KindInfo)
}

/// What a module or a role says of itself.
fn manual(topic: &str, path: &Path, kinds: &[&dyn KindInfo], format: Format) -> anyhow::Result<Exit> {
    match dsl::manual(path, kinds, &library::Files::default()) {
        Ok(Some(manual)) => {
            view::explain::manual(topic, &manual, format);
            Ok(Exit::Fine)
        }
        Ok(None) => Ok(view::misuse(&anyhow!("{} is not there any more", path.display()))),
        Err(diagnostics) => {
            view::wrong::show(&diagnostics, format);
            Ok(Exit::Usage)
        }
    }
}

/// `module.NAME` and `role.NAME` with their texts, those of the site before those of the library.
fn texts(site: &Path) -> anyhow::Result<Vec<(String, PathBuf)>> {
    let mut found: Vec<(String, PathBuf)> = Vec::new();
    let files = library::Files::default();
    for root in std::iter::once(site.to_owned()).chain(library::roots()) {
        for (directory, word) in [("modules", "module"), ("roles", "role")] {
            let directory = root.join(directory);
            for entry in files.list(&directory).map_err(|error| anyhow!(error))? {
                let (name, path) = match word {
                    "module" => (entry.as_str(), directory.join(&entry).join("module.toml")),
                    _ => (entry.strip_suffix(".toml").unwrap_or(""), directory.join(&entry)),
                };
                let topic = format!("{word}.{name}");
                let is_new = found.iter().all(|(known, _)| *known != topic);
                let is_text = files.digest(&path).is_ok_and(|digest| digest.is_some());
                if !name.is_empty() && is_new && is_text {
                    found.push((topic, path));
                }
            }
        }
    }
    Ok(found)
}
