//! The settings of an agent, of what the command line says and of what stands there already: what it does not name stays as it is written.

use crate::commands::agent::Said;
use anyhow::{Context, anyhow, bail};
use model::{Diagnostic, Severity};
use std::path::Path;
use toml_edit::{DocumentMut, Item, TableLike};

/// Where the catalog comes from, and which host this is: what is said of one of these takes the place of the others.
const GROUPS: [&[&str]; 2] = [&["site", "bundles", "name", "file"], &["host", "roles"]];

/// What the catalog is made from, wherever that comes from: a site that moves to another place of bundles stays the same.
const SITE: [&str; 3] = ["site", "name", "file"];

/// On which host the settings count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum On<'a> {
    /// This machine.
    Here,
    /// Another one, and its name in the inventory.
    There(Option<&'a str>),
}

/// The settings that the arguments say, in place of what `old` says of the same; a whole file where there is none. With what is to be
/// told of it: no values, which may be nobody's business.
pub fn settings_text(
    install: &Said,
    on: On<'_>,
    old: Option<&str>,
) -> anyhow::Result<(String, Vec<Diagnostic>)> {
    let Some(old) = old else { return Ok((text_of(install, on, None)?, Vec::new())) };
    let mut document: DocumentMut = old.parse().map_err(|error: toml_edit::TomlError| {
        let line = error.span().map_or(1, |span| 1 + old[..span.start].matches('\n').count());
        anyhow!(
            "the settings that are there are not TOML, so nothing was put into them: line {line}: {}",
            error.message()
        )
    })?;
    if !install.says_something() {
        return Ok((old.to_owned(), Vec::new()));
    }
    let said: DocumentMut = text_of(install, on, Some(&document))?.parse()?;
    let notes = take_away(&mut document, &said, install, on);
    let source = document.get_mut("source").and_then(Item::as_table_like_mut);
    if let (Some(source), Some(said)) = (source, said.get("source")) {
        for group in GROUPS.iter().filter(|group| group.iter().any(|key| said.get(key).is_some())) {
            for key in group.iter().filter(|key| said.get(key).is_none()) {
                source.remove(key);
            }
        }
    }
    lay(&mut *document, &*said);
    Ok((document.to_string(), notes))
}

/// Takes away what is to go, and what was said of another site.
fn take_away(document: &mut DocumentMut, said: &DocumentMut, install: &Said, on: On<'_>) -> Vec<Diagnostic> {
    let mut notes = Vec::new();
    if install.no_prometheus
        && let Some(reports) = table(document.get_mut("reports"))
    {
        reports.remove("prometheus");
    }
    let source = document.get_mut("source").and_then(Item::as_table_like_mut);
    let Some(source) = source else { return notes };
    let is_another = match said.get("source").and_then(Item::as_table_like) {
        Some(said) if install.says_where() => is_another(source, said, on),
        _ => false,
    };
    let mut set: Vec<String> = table(source.get_mut("set"))
        .map_or_else(Vec::new, |set| set.iter().map(|(key, _)| key.to_owned()).collect());
    if is_another {
        source.remove("set");
        set.retain(|key| install.upkeep.sets.iter().all(|(said, _)| said != key));
        if !set.is_empty() {
            let keys = set.join(", ");
            notes.push(note(
                "set-of-another-site",
                format!("what was set for the site before is no longer set: {keys}"),
                Some("say `--set KEY=VALUE` again for what this site takes as well".to_owned()),
            ));
        }
        return notes;
    }
    for key in &install.unsets {
        let gone = table(source.get_mut("set")).and_then(|set| set.remove(key));
        if gone.is_none() {
            let help = (!set.is_empty()).then(|| format!("set were: {}", set.join(", ")));
            notes.push(note("not-set", format!("{key} was not set"), help));
        }
    }
    notes
}

fn table(item: Option<&mut Item>) -> Option<&mut dyn TableLike> {
    item.and_then(Item::as_table_like_mut)
}

/// True where the catalog is to be made from something else than before.
fn is_another(before: &dyn TableLike, said: &dyn TableLike, on: On<'_>) -> bool {
    let text = |table: &dyn TableLike, key| table.get(key).and_then(Item::as_str).map(str::to_owned);
    SITE.iter().any(|key| match (text(before, key), text(said, key)) {
        // What is said of this machine is said without links on the way.
        (Some(before), Some(said)) if *key != "name" && on == On::Here => {
            before != said && std::fs::canonicalize(before).ok().as_deref() != Some(Path::new(&said))
        }
        (before, said) => before != said,
    })
}

fn note(code: &'static str, message: String, help: Option<String>) -> Diagnostic {
    Diagnostic { code, severity: Severity::Warning, message, labels: Vec::new(), help }
}

/// Puts values in place of others, and leaves what stands around them.
fn lay(over: &mut dyn TableLike, said: &dyn TableLike) {
    for (key, item) in said.iter() {
        match (over.get_mut(key), item) {
            (Some(Item::Value(there)), Item::Value(value)) if !there.is_inline_table() => {
                let around = there.decor().clone();
                *there = value.clone();
                *there.decor_mut() = around;
            }
            (Some(there), item) if there.is_table_like() && item.is_table_like() => {
                if let (Some(there), Some(item)) = (there.as_table_like_mut(), item.as_table_like()) {
                    lay(there, item);
                }
            }
            _ => {
                let mut item = item.clone();
                anywhere(&mut item);
                over.insert(key, item);
            }
        }
    }
}

/// A table of another text has no place in this one.
fn anywhere(item: &mut Item) {
    if let Item::Table(table) = item {
        table.set_position(None);
        table.iter_mut().for_each(|(_, item)| anywhere(item));
    }
}

/// What is said; in a file that is new, defaults as well.
fn text_of(install: &Said, on: On<'_>, old: Option<&DocumentMut>) -> anyhow::Result<String> {
    let (upkeep, is_new) = (&install.upkeep, old.is_none());
    let mut lines = Vec::new();
    if is_new {
        lines.push("# What the agent of this host is to do: `keel agent install` wrote it; docs/guide/agent.md explains it.".to_owned());
    }
    let mode = upkeep.mode.as_deref().or(is_new.then_some("correct"));
    lines.extend(mode.map(|mode| format!("mode    = {}", text(mode))));
    let every = upkeep.every.or(is_new.then_some(1800));
    lines.extend(every.map(|every| format!("every   = {}", text(&format!("{every}s")))));
    if is_new || install.no_window || !upkeep.windows.is_empty() {
        lines.push(format!("windows = [{}]", list(&upkeep.windows)));
    }
    if install.says_where() {
        lines.extend([String::new(), "[source]".to_owned()]);
        lines.extend(source(install, on, old)?);
    }
    if !upkeep.sets.is_empty() {
        lines.extend([String::new(), "[source.set]".to_owned()]);
        lines.extend(upkeep.sets.iter().map(|(key, value)| format!("{} = {}", text(key), text(value))));
    }
    if let Some(file) = &upkeep.prometheus {
        let file = if on == On::Here { std::path::absolute(file)? } else { file.clone() };
        if !file.is_absolute() {
            bail!(
                "say the whole path of the host's file, from the root, `/`: --prometheus {}",
                file.display()
            );
        }
        let file = text(file.to_str().context("the path is not UTF-8")?);
        lines.extend([String::new(), "[reports]".to_owned(), format!("prometheus = {file}")]);
    }
    Ok(lines.join("\n") + "\n")
}

/// Where the catalog comes from, and which host this is.
fn source(install: &Said, on: On<'_>, old: Option<&DocumentMut>) -> anyhow::Result<Vec<String>> {
    let upkeep = &install.upkeep;
    let path = |path: &Path| -> anyhow::Result<String> {
        let whole = match on {
            On::Here => {
                std::fs::canonicalize(path).with_context(|| format!("cannot find {}", path.display()))?
            }
            // It is the host's own; that it is whole is for the settings to say.
            On::There(_) => path.to_owned(),
        };
        Ok(text(whole.to_str().context("the path is not UTF-8")?))
    };
    let mut lines = Vec::new();
    if let Some(dir) = &install.site {
        lines.push(format!("site  = {}", path(dir)?));
    }
    if let (Some(place), Some(name)) = (&upkeep.source, &upkeep.name) {
        lines.push(format!("bundles = {}", text(&place_of(place, name)?)));
        lines.push(format!("name  = {}", text(name)));
    }
    if let Some(file) = &install.file {
        lines.push(format!("file = {}", path(file)?));
        return Ok(lines);
    }
    // Which host it is in the inventory is not said, and gives way to what stands there.
    let before = old.and_then(|old| old.get("source"));
    let is_known = before.is_some_and(|before| GROUPS[1].iter().any(|key| before.get(key).is_some()));
    let name = match on {
        On::There(name) if upkeep.roles.is_empty() && !is_known => name,
        _ => None,
    };
    match upkeep.host.as_deref().or(name) {
        Some(host) => lines.push(format!("host  = {}", text(host))),
        None if is_known && upkeep.roles.is_empty() => {}
        None if upkeep.roles.is_empty() => {
            bail!(
                "a site needs to know which host this is: say --role ROLE, or --host NAME, its name in the inventory"
            )
        }
        None => lines.push(format!("roles = [{}]", list(&upkeep.roles))),
    }
    Ok(lines)
}

/// A place as the settings name it, which a host could ask.
fn place_of(place: &str, name: &str) -> anyhow::Result<String> {
    if !bundle::is_site_name(name) {
        bail!("no site that is made into bundles is called `{name}`");
    }
    if place.contains("://") {
        bundle::source(place)?;
        return Ok(place.to_owned());
    }
    let whole = std::path::absolute(place)?;
    Ok(whole.to_str().context("the place is not UTF-8")?.to_owned())
}

fn text(text: &str) -> String {
    serde_json::Value::String(text.to_owned()).to_string()
}

fn list(items: &[String]) -> String {
    items.iter().map(|item| text(item)).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::{On, settings_text};
    use crate::commands::agent::Said;
    use clap::Parser;
    use model::Diagnostic;

    #[derive(Parser)]
    struct Words {
        #[command(flatten)]
        said: Said,
    }

    fn told(words: &str, name: Option<&str>, old: Option<&str>) -> (String, Vec<Diagnostic>) {
        let words = Words::parse_from(std::iter::once("install").chain(words.split_whitespace()));
        settings_text(&words.said, On::There(name), old).expect("it can be said")
    }

    fn said(words: &str, name: Option<&str>, old: Option<&str>) -> String {
        told(words, name, old).0
    }

    const BY_HAND: &str = r#"# Ours.
every = "2h"  # enough
watch = true

[fights]
corrections = 9

# From the mirror.
[source]
bundles = "/srv/old"   # on the disk
name    = "shop"
roles   = ["web", "db"]
unseal_with = ["/etc/keys/a"]

[source.set]
"web.port" = "8080"

[reports.webhook]
url = "https://hooks.example.org"
"#;

    #[test]
    fn what_the_command_line_does_not_name_stays_as_it_is_written() {
        let found = said(
            "--source /srv/new --name bank --every 3h --mode observe --set a=b --prometheus /m",
            Some("web1"),
            Some(BY_HAND),
        );
        let wanted = BY_HAND
            .replace(
                "\"2h\"  # enough\nwatch = true\n",
                "\"10800s\"  # enough\nwatch = true\nmode = \"observe\"\n",
            )
            .replace("/srv/old", "/srv/new")
            .replace("shop", "bank")
            .replace("[reports.", "[reports]\nprometheus = \"/m\"\n\n[reports.")
            .replace("\"web.port\" = \"8080\"\n", "\"a\" = \"b\"\n");
        assert_eq!(found, wanted);
        assert_eq!(said("", None, Some(BY_HAND)), BY_HAND);
    }

    #[test]
    fn the_same_again_changes_nothing() {
        let words = "--source s3://b/p --name shop --role web --set a=b --window Mon --prometheus /m --mode observe --every 1h";
        for words in [words, "--site /srv/site", "-f /srv/site.toml"] {
            let first = said(words, Some("web1"), None);
            assert_eq!(said(words, Some("web1"), Some(&first)), first);
        }
    }

    #[test]
    fn the_catalog_comes_from_one_place_and_the_host_is_one() {
        let source = |text: &str| text.split_once("[source]\n").expect("it is there").1.to_owned();
        let first = said("--site /srv/site --host web1", None, None);
        let bundles = said("--source /srv/b --name shop --role web", None, Some(&first));
        assert_eq!(source(&bundles), "bundles = \"/srv/b\"\nname = \"shop\"\nroles = [\"web\"]\n");
        let file = said("-f /srv/a.toml", None, Some(&bundles));
        assert_eq!(source(&file), "roles = [\"web\"]\nfile = \"/srv/a.toml\"\n");
        assert_eq!(
            source(&said("--site /srv/site", Some("web2"), Some(&first))),
            "site  = \"/srv/site\"\nhost  = \"web1\"\n"
        );
        assert_eq!(
            source(&said("--site /srv/site", Some("web2"), None)),
            "site  = \"/srv/site\"\nhost  = \"web2\"\n"
        );
    }

    #[test]
    fn what_is_set_is_of_one_site() {
        let site = "--site /srv/site --role web --set a=1 --set b.c=hunter2";
        let first = said(site, None, None);
        let set = |words: &str, old: &str| {
            let (text, notes) = told(words, None, Some(old));
            let set = text.split_once("[source.set]\n").map_or("", |(_, set)| set).to_owned();
            (set, notes.into_iter().map(|note| note.message).collect::<Vec<_>>().join("|"))
        };
        let both = "\"a\" = \"1\"\n\"b.c\" = \"hunter2\"\n".to_owned();
        assert_eq!(set("--site /srv/site --every 1h", &first), (both.clone(), String::new()));
        let told = |keys: &str| format!("what was set for the site before is no longer set: {keys}");
        for other in ["--site /srv/other", "-f /srv/a.toml", "--source /srv/b --name shop"] {
            assert_eq!(set(other, &first), (String::new(), told("a, b.c")));
            let again = format!("{other} --set a=2");
            assert_eq!(set(&again, &first), ("\"a\" = \"2\"\n".to_owned(), told("b.c")));
        }
        let bundles = said("--source /srv/b --name shop --role web --set a=1 --set b.c=hunter2", None, None);
        assert_eq!(set("--source s3://c/d --name shop", &bundles), (both, String::new()), "the same site");
    }

    #[test]
    fn what_was_said_can_be_taken_away() {
        let words = "--site /srv/site --role web --set a=1 --set b.c=2 --window Mon --prometheus /m";
        let first = said(words, None, None);
        let (text, notes) = told("--unset b.c --unset port --no-window --no-prometheus", None, Some(&first));
        let wanted = first.replace("\"b.c\" = \"2\"\n", "").replace("[\"Mon\"]", "[]");
        assert_eq!(text, wanted.replace("prometheus = \"/m\"\n", ""));
        assert_eq!(notes.iter().map(|note| &*note.message).collect::<Vec<_>>(), ["port was not set"]);
        let text = said("--unset a --set a=3", None, Some(&first));
        assert_eq!(text, first.replace("\"a\" = \"1\"\n\"b.c\" = \"2\"\n", "\"b.c\" = \"2\"\na = \"3\"\n"));
    }

    #[test]
    fn which_host_it_is_has_to_be_said_once() {
        let words = Words::parse_from(["install", "--source", "/srv/b", "--name", "shop"]);
        let text = |old| settings_text(&words.said, On::There(None), old).map_err(|error| error.to_string());
        assert!(text(None).unwrap_err().contains("say --role ROLE, or --host NAME"));
        assert!(text(Some("[source]\nfile = \"/a\"\n")).unwrap_err().contains("say --role ROLE"));
        assert!(text(Some(BY_HAND)).is_ok());
    }

    #[test]
    fn what_cannot_be_read_is_refused_at_its_line_and_not_shown() {
        let words = Words::parse_from(["install", "--mode", "observe"]);
        let error =
            settings_text(&words.said, On::Here, Some("a = 1\nkey = secret\n")).unwrap_err().to_string();
        let path = Words::parse_from(["install", "--prometheus", "a/b"]);
        let told = settings_text(&path.said, On::There(None), Some(BY_HAND)).unwrap_err().to_string();
        assert!(told.contains("say the whole path"), "{told}");
        assert!(error.contains("line 2: ") && !error.contains("secret"), "{error}");
    }
}
