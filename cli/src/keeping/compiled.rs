//! Compiling for the agent, in a process of its own: what a compiler leaves in memory goes with it. What it says goes through a pipe,
//! because secrets are in it.

use super::bundles::{self, Ask, InForce};
use crate::blobs::SiteBlobs;
use crate::library::Files;
use crate::site::{Refusal, Site};
use crate::view;
use crate::work::facts_for_compiling;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bundle::Bundle;
use daemon::settings::Origin;
use daemon::{NoSite, Settings};
use dsl::Compiled;
use model::{Digest, Facts, LeafKind, Secrets};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use wire::{Terms, Work};

/// What to compile, as the settings say, and this host's name in the inventory.
pub fn site_of(settings: &Settings) -> (Site, Option<String>) {
    let pairs = |set: &BTreeMap<String, String>| {
        set.iter().map(|(key, value)| (key.clone(), value.clone())).collect()
    };
    match settings.source.clone() {
        Origin::None => (Site::default(), None),
        bundles @ Origin::Bundles { .. } => bundles::site_of(bundles),
        Origin::Site { dir, host, roles, set, unseal_with } => {
            let sets = pairs(&set);
            (Site { site: dir, roles, sets, identities: unseal_with, ..Site::default() }, host)
        }
        Origin::File { file, set, unseal_with } => {
            let sets = pairs(&set);
            (Site { file: Some(file), sets, identities: unseal_with, ..Site::default() }, None)
        }
    }
}

/// Compiles, and says what came of it as JSON: for [`read`], over a pipe. What was taken of bundles is kept below `state`.
pub fn compile(settings: &Settings, state: &Path, ask: Ask) -> Value {
    let watched = bundles::watched(&settings.source, state);
    let no = |why: String| json!({ "why": why, "files": watched });
    let facts = match facts_for_compiling() {
        Ok(facts) => facts,
        Err(error) => return no(format!("{error:#}")),
    };
    if !matches!(settings.source, Origin::Bundles { .. }) {
        return compile_from(settings, &facts, Files::default());
    }
    match bundles::take(&settings.source, (&facts, ask), state) {
        Err(why) => no(why),
        Ok(InForce { record, files, refused }) => {
            let mut told = compile_from(settings, &facts, files);
            told["files"] = json!(watched);
            told["refused"] = json!(refused);
            told["bundle"] = json!(record);
            told
        }
    }
}

fn compile_from(settings: &Settings, facts: &Facts, files: Files) -> Value {
    let (site, host) = site_of(settings);
    let compiled = site.compile(host.as_deref(), facts, &files).and_then(|compiled| {
        let scope = site.scope(host.as_deref(), compiled.project.as_deref())?;
        Ok((compiled, scope))
    });
    match compiled {
        Ok((compiled, scope)) => told(compiled, scope, files.looked_at()),
        Err(Refusal::Diagnostics(found)) => {
            json!({ "why": view::wrong::plain(&found), "files": files.looked_at() })
        }
        Err(Refusal::Other(error)) => json!({ "why": format!("{error:#}"), "files": files.looked_at() }),
    }
}

fn told(compiled: Compiled, scope: String, mut files: Vec<PathBuf>) -> Value {
    let Compiled { catalog, secrets, mut blobs, trees, keep, warnings, .. } = compiled;
    for tree in &trees {
        files.push(tree.path.clone());
        for leaf in tree.tree.leaves() {
            let path = tree.path.join(&*leaf.path);
            match leaf.kind {
                LeafKind::File { digest, .. } => drop(blobs.insert(digest, path)),
                // What is put into it later belongs to the site as well.
                LeafKind::Directory => files.push(path),
                _ => {}
            }
        }
    }
    let terms = Terms { keep_runs: keep.runs, keep_days: keep.days, ..Terms::default() };
    let command = "agent".to_owned();
    let work = Work { catalog, scope, command, terms, ..Work::default() };
    let secrets: BTreeMap<&str, String> =
        secrets.entries().map(|(name, value)| (name, STANDARD.encode(value.expose()))).collect();
    let blobs: BTreeMap<String, PathBuf> =
        blobs.into_iter().map(|(digest, path)| (digest.to_string(), path)).collect();
    let warnings: Vec<String> = warnings.iter().map(|one| one.message.clone()).collect();
    json!({ "work": work, "secrets": secrets, "blobs": blobs, "files": files, "warnings": warnings })
}

/// Reads what [`compile`] said. `open` opens the bundle that it names.
pub fn read(
    bytes: &[u8],
    open: impl FnOnce(&daemon::Bundle) -> Result<Bundle, String>,
) -> Result<daemon::Site, NoSite> {
    let none = |why: String| NoSite { why, files: Vec::new() };
    let broken = |error: serde_json::Error| none(format!("what was compiled cannot be read: {error}"));
    let mut value: Value = serde_json::from_slice(bytes).map_err(broken)?;
    let mut take = |key: &str| value.get_mut(key).map(Value::take).unwrap_or_default();
    let files: Vec<PathBuf> = serde_json::from_value(take("files")).map_err(broken)?;
    if let Value::String(why) = take("why") {
        return Err(NoSite { why, files });
    }
    let work: Work = serde_json::from_value(take("work")).map_err(broken)?;
    let blobs: BTreeMap<String, PathBuf> = serde_json::from_value(take("blobs")).map_err(broken)?;
    let hidden: BTreeMap<String, String> = serde_json::from_value(take("secrets")).map_err(broken)?;
    let warnings = serde_json::from_value(take("warnings")).map_err(broken)?;
    let refused = serde_json::from_value(take("refused")).map_err(broken)?;
    let bundle: Option<daemon::Bundle> = serde_json::from_value(take("bundle")).map_err(broken)?;
    let packed = bundle.as_ref().map(open).transpose();
    let packed = packed.map_err(|why| NoSite { why, files: files.clone() })?;
    let mut secrets = Secrets::default();
    for (name, text) in hidden {
        let bytes = STANDARD.decode(text).map_err(|_| none(format!("secret {name} came damaged")))?;
        drop(secrets.keep(name, bytes));
    }
    let digest = |hex: &str| Digest::parse(hex).ok_or_else(|| none(format!("{hex} is no digest")));
    let blobs = blobs.into_iter().map(|(hex, path)| Ok((digest(&hex)?, path))).collect::<Result<_, _>>()?;
    let blobs = Arc::new(SiteBlobs::new(blobs, Vec::new()).within(packed));
    Ok(daemon::Site { work, secrets, blobs, files, warnings, bundle, refused })
}
