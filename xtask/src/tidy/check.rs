//! The list of rules. A new rule is a function here and a sample in its file's tests that it bites on.

use std::path::Path;

use anyhow::Result;

use crate::tidy::finding::Finding;
use crate::tidy::tree::Tree;
use crate::tidy::{docs, layers, modules, sizes, words};

/// Everything in the project at `root` that breaks a house rule, sorted by place.
///
/// # Errors
/// The project's files could not be listed or read.
pub fn project(root: &Path) -> Result<Vec<Finding>> {
    let tree = Tree::read(root)?;
    let rules = [modules::check, sizes::check, words::check, layers::check, docs::check];
    let mut found: Vec<Finding> = rules.iter().flat_map(|rule| rule(&tree)).collect();
    found.sort();
    Ok(found)
}
