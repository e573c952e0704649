//! ARCHITECTURE.md is short and whole: at most 250 lines, with every dependency and every folder of the top
//! level in it. It must not judge the prose.

use std::collections::BTreeSet;

use toml::{Table, Value};

use crate::tidy::finding::Finding;
use crate::tidy::tree::Tree;
use crate::tidy::words::has_word;

const MAP: &str = "ARCHITECTURE.md";
const LINES: usize = 250;

/// All findings about the map; a tree without one has none.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let Some(map) = tree.text(MAP) else { return Vec::new() };
    let mut found = Vec::new();
    let lines = map.lines().count();
    if lines > LINES {
        let advice = format!("{lines} lines, {LINES} are allowed: move detail into docs/");
        found.push(Finding::new(MAP, LINES + 1, advice));
    }
    for name in dependencies(tree).into_iter().filter(|name| !names(map, name)) {
        found.push(Finding::new(MAP, 1, format!("name the dependency {name} with its reason, or drop it")));
    }
    for folder in folders(tree).into_iter().filter(|folder| !map.contains(&format!("{folder}/"))) {
        found.push(Finding::new(MAP, 1, format!("say what the folder {folder}/ is for")));
    }
    found
}

/// The outside crates of [workspace.dependencies].
fn dependencies(tree: &Tree) -> Vec<String> {
    let manifest = tree.text("Cargo.toml").and_then(|text| text.parse::<Table>().ok()).unwrap_or_default();
    let listed = manifest.get("workspace").and_then(|w| w.get("dependencies")).and_then(Value::as_table);
    let outside = |value: &Value| value.get("path").is_none();
    listed.into_iter().flatten().filter(|(_, value)| outside(value)).map(|(name, _)| name.clone()).collect()
}

/// The folders of the top level, without the dotted ones.
fn folders(tree: &Tree) -> BTreeSet<&str> {
    let tops = tree.texts.iter().filter_map(|(path, _)| path.split_once('/')).map(|(top, _)| top);
    tops.filter(|top| !top.starts_with('.')).collect()
}

/// Is the crate named as a word of its own? `serde` is not named by `serde_json`.
fn names(map: &str, name: &str) -> bool {
    let whole = |line: &str| {
        has_word(line, name)
            && line.split(|c: char| !c.is_alphanumeric() && !"-_".contains(c)).any(|word| word == name)
    };
    map.lines().any(whole)
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::tidy::tree::Tree;

    fn found(map: &str) -> Vec<String> {
        let manifest = "[workspace.dependencies]\nmodel = { path = \"model\" }\nserde = \"1\"\n";
        let files = [
            ("ARCHITECTURE.md", map),
            ("Cargo.toml", manifest),
            ("model/src/lib.rs", "//! x\n"),
            (".ci/run", ""),
        ];
        let tree = Tree::new(files.map(|(path, text)| (path.to_owned(), text.to_owned())).into());
        check(&tree).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_dependency_without_a_reason_is_found() {
        let want = ["ARCHITECTURE.md:1: name the dependency serde with its reason, or drop it"];
        assert_eq!(found("model/ is data, serde_json and serde-x are not it\n"), want);
        assert_eq!(found("model/: data, by `serde`\n"), [""; 0]);
    }

    #[test]
    fn a_folder_that_is_not_on_the_map_is_found() {
        assert_eq!(found("serde\n"), ["ARCHITECTURE.md:1: say what the folder model/ is for"]);
    }

    #[test]
    fn a_long_map_is_found() {
        let map = format!("model/ serde\n{}", "x\n".repeat(250));
        assert_eq!(found(&map), ["ARCHITECTURE.md:251: 251 lines, 250 are allowed: move detail into docs/"]);
    }
}
