//! How files introduce themselves and hang together: headers, names, `mod.rs`, files that no module declares.

use crate::tidy::finding::Finding;
use crate::tidy::source::{Source, is_test_path};
use crate::tidy::tree::Tree;
use crate::tidy::words::has_word;

/// Names that say nothing about what is inside.
const EMPTY_NAMES: &[&str] = &["util", "utils", "helper", "helpers", "manager", "managers"];

/// All findings about modules.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    for source in &tree.sources {
        found.extend(header(source));
        found.extend(name(source));
        found.extend(declarations_only(source));
        found.extend(orphan(tree, source));
    }
    found
}

fn header(source: &Source) -> Option<Finding> {
    let first = source.lines.first().map_or("", String::as_str);
    let missing = first.strip_prefix("//!").is_none_or(|text| text.trim().is_empty());
    let advice = "open the file with `//!`: what it is for, what it must not do, what comes next";
    missing.then(|| Finding::new(&source.path, 1, advice))
}

fn name(source: &Source) -> Option<Finding> {
    let part = source.path.split('/').find(|part| EMPTY_NAMES.contains(&part.trim_end_matches(".rs")))?;
    Some(Finding::new(&source.path, 1, format!("`{part}` says nothing: name it after what it is about")))
}

fn declarations_only(source: &Source) -> Option<Finding> {
    if !source.path.ends_with("/mod.rs") {
        return None;
    }
    let function = source.functions.iter().find(|function| function.body)?;
    let advice = format!("mod.rs holds declarations only: move fn {} into a file of its own", function.name);
    Some(Finding::new(&source.path, function.first, advice))
}

/// A file below `src/` whose parent module does not name it is never compiled.
fn orphan(tree: &Tree, source: &Source) -> Option<Finding> {
    let (package, inner) = source.path.split_once("/src/")?;
    let stem = inner.strip_suffix("/mod.rs").or_else(|| inner.strip_suffix(".rs"))?;
    if is_test_path(package) || matches!(stem, "lib" | "main") || stem.starts_with("bin/") {
        return None;
    }
    let (above, own) = stem.rsplit_once('/').unwrap_or(("", stem));
    let parents = match above {
        "" => vec![format!("{package}/src/lib.rs"), format!("{package}/src/main.rs")],
        _ => vec![format!("{package}/src/{above}/mod.rs"), format!("{package}/src/{above}.rs")],
    };
    let parents: Vec<_> = tree.sources.iter().filter(|other| parents.contains(&other.path)).collect();
    let declared = parents.iter().any(|parent| parent.code.iter().any(|line| has_word(line, own)));
    let advice = format!("no module declares it: add `mod {own};` to its parent, or delete the file");
    (!declared).then(|| Finding::new(&source.path, 1, advice))
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::tidy::tree::Tree;

    fn advice(files: &[(&str, &str)]) -> String {
        let files = files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned()));
        check(&Tree::new(files.collect())).iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn a_file_without_a_header_is_found() {
        assert!(advice(&[("m/src/lib.rs", "fn a() {}\n")]).contains("m/src/lib.rs:1: open the file"));
        assert!(advice(&[("m/src/lib.rs", "//!\n")]).contains("open the file"));
        assert_eq!(advice(&[("m/src/lib.rs", "//! What it is for.\n")]), "");
    }

    #[test]
    fn a_name_that_says_nothing_is_found() {
        assert!(advice(&[("m/tests/helpers/x.rs", "//! x\n")]).contains("`helpers` says nothing"));
        assert!(advice(&[("m/tests/utils.rs", "//! x\n")]).contains("`utils.rs` says nothing"));
    }

    #[test]
    fn a_body_in_mod_rs_is_found_and_macros_are_not() {
        let lib = ("m/src/lib.rs", "//! x\nmod a;\n");
        let bad = advice(&[lib, ("m/src/a/mod.rs", "//! x\nfn b() {}\n")]);
        assert!(bad.contains("m/src/a/mod.rs:2: mod.rs holds declarations only"), "{bad}");
        let list = "//! x\nmacro_rules! m { () => { fn c() {} } }\nm!();\n";
        assert_eq!(advice(&[lib, ("m/src/a/mod.rs", list)]), "");
    }

    #[test]
    fn a_file_that_nobody_declares_is_found() {
        let lib = ("m/src/lib.rs", "//! x\n// mod a;\nmod b;\n");
        let a = ("m/src/a.rs", "//! x\n");
        let c = ("m/src/b/c.rs", "//! x\n");
        let b = ("m/src/b/mod.rs", "//! x\nkinds! { c }\n");
        let found = advice(&[lib, a, b, c]);
        assert_eq!(found.lines().count(), 1, "{found}");
        assert!(found.contains("m/src/a.rs:1: no module declares it"));
    }
}
