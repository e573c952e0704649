//! Who may depend on whom. It reads the Cargo.toml files alone; the compiler holds the rest.

use toml::{Table, Value};

use crate::tidy::finding::Finding;
use crate::tidy::tree::Tree;

/// Each member and the members it may use: cli -> fleet, dsl, agent -> wire -> model. Nothing else.
const MEMBERS: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("parallel", &[]),
    ("dsl", &["model", "parallel"]),
    ("wire", &["model"]),
    ("agent", &["model", "parallel", "wire"]),
    ("fleet", &["model", "wire"]),
    ("daemon", &["model", "wire", "agent"]),
    ("checks", &["model", "agent"]),
    ("trial", &["model", "wire", "dsl", "agent", "fleet", "checks"]),
    ("bundle", &["model", "dsl"]),
    ("cli", &["model", "parallel", "wire", "dsl", "agent", "fleet", "checks", "trial", "daemon", "bundle"]),
    ("bench", &["model", "dsl", "agent"]),
    ("fuzz", &["model", "wire", "dsl", "agent", "bundle", "daemon"]),
    ("xtask", &[]),
];

/// Crates that belong to some members only.
const RESERVED: &[(&str, &[&str])] = &[("anyhow", &["cli", "xtask", "bench"]), ("ssh2", &["fleet"])];

/// All findings about layers.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    for (path, text) in &tree.texts {
        if let Some(member) = path.strip_suffix("/Cargo.toml").filter(|member| !member.contains('/')) {
            found.extend(manifest(member, path, text));
        }
    }
    found
}

fn manifest(member: &str, path: &str, text: &str) -> Vec<Finding> {
    let table: Table = match text.parse() {
        Ok(table) => table,
        Err(error) => return vec![Finding::new(path, 1, format!("no TOML: {error}"))],
    };
    let Some((_, allowed)) = MEMBERS.iter().find(|(name, _)| *name == member) else {
        let advice =
            format!("{member} has no place in the layers: give it a line in xtask/src/tidy/layers.rs");
        return vec![Finding::new(path, 1, advice)];
    };
    let mut found = Vec::new();
    for name in dependencies(&table) {
        let is_member = MEMBERS.iter().any(|(other, _)| *other == name);
        // One that names itself turns on a feature for its tests.
        if is_member && name != member && !allowed.contains(&name) {
            let advice = format!("{member} must not use {name}: it may use {}", listed(allowed));
            found.push(Finding::new(path, line_of(text, name), advice));
        }
        if let Some((_, owners)) =
            RESERVED.iter().find(|(other, owners)| *other == name && !owners.contains(&member))
        {
            let advice = format!("{name} is for {} only", listed(owners));
            found.push(Finding::new(path, line_of(text, name), advice));
        }
    }
    found
}

/// The names in every dependency table, those of targets included.
fn dependencies(table: &Table) -> Vec<&str> {
    let mut names = Vec::new();
    for (key, value) in table {
        let Value::Table(inner) = value else { continue };
        match key.as_str() {
            "dependencies" | "dev-dependencies" | "build-dependencies" => {
                names.extend(inner.keys().map(String::as_str))
            }
            "target" => names.extend(inner.values().filter_map(Value::as_table).flat_map(dependencies)),
            _ => {}
        }
    }
    names
}

fn listed(names: &[&str]) -> String {
    if names.is_empty() { "no other member".to_owned() } else { names.join(", ") }
}

fn line_of(text: &str, name: &str) -> usize {
    text.lines().position(|line| line.starts_with(name)).map_or(1, |index| index + 1)
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::tidy::tree::Tree;

    fn found(member: &str, text: &str) -> Vec<String> {
        check(&Tree::of(&format!("{member}/Cargo.toml"), text)).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn an_arrow_in_the_wrong_direction_is_found() {
        let want = ["dsl/Cargo.toml:2: dsl must not use agent: it may use model, parallel"];
        assert_eq!(found("dsl", "[dependencies]\nagent.workspace = true\nmodel.workspace = true\n"), want);
        assert_eq!(found("cli", "[dependencies]\nagent.workspace = true\n"), [""; 0]);
        assert_eq!(found("model", "[dev-dependencies]\ndsl.workspace = true\n").len(), 1);
        assert_eq!(found("fleet", "[target.'cfg(unix)'.dependencies]\nagent.workspace = true\n").len(), 1);
    }

    #[test]
    fn a_reserved_crate_is_found_elsewhere() {
        assert_eq!(
            found("agent", "[dependencies]\nanyhow = \"1\"\n"),
            ["agent/Cargo.toml:2: anyhow is for cli, xtask, bench only"]
        );
        assert_eq!(found("cli", "[dependencies]\nanyhow = \"1\"\n"), [""; 0]);
    }

    #[test]
    fn a_member_without_a_layer_is_found() {
        assert!(found("extra", "[package]\nname = \"extra\"\n")[0].contains("has no place in the layers"));
    }
}
