//! Small files, small functions, small tests. It must know no exceptions.

use crate::tidy::finding::Finding;
use crate::tidy::source::{Function, Source};
use crate::tidy::tree::Tree;

const FILE: usize = 400;
const FUNCTION: usize = 60;
const TEST: usize = 25;

/// All findings about sizes.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    for source in &tree.sources {
        found.extend(file(source));
        found.extend(source.functions.iter().filter_map(|f| function(source, f)));
    }
    found
}

fn file(source: &Source) -> Option<Finding> {
    let lines = if source.product_lines == 0 { source.lines.len() } else { source.product_lines };
    let advice = format!("{lines} lines without its tests, {FILE} are allowed: split it by what it is about");
    (lines > FILE).then(|| Finding::new(&source.path, FILE + 1, advice))
}

fn function(source: &Source, function: &Function) -> Option<Finding> {
    let Function { name, first, last, .. } = function;
    if function.test {
        let inside = source.lines.get(*first..last - 1).unwrap_or_default();
        let lines = inside.iter().filter(|line| !line.trim().is_empty()).count();
        let advice = format!("test {name} has {lines} lines, {TEST} are allowed: show one thing a test");
        return (lines > TEST).then(|| Finding::new(&source.path, *first, advice));
    }
    let lines = last - first + 1;
    let advice = format!("fn {name} has {lines} lines, {FUNCTION} are allowed: name its parts");
    (lines > FUNCTION).then(|| Finding::new(&source.path, *first, advice))
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::tidy::tree::Tree;

    fn places(text: &str) -> Vec<usize> {
        check(&Tree::of("m/src/x.rs", text)).iter().map(|finding| finding.line).collect()
    }

    #[test]
    fn a_long_file_is_found_and_its_tests_do_not_count() {
        let lines = |n: usize| "// x\n".repeat(n);
        assert_eq!(places(&lines(401)), [401]);
        assert_eq!(places(&format!("{}#[cfg(test)]\nmod tests {{\n{}}}\n", lines(400), lines(90))), [0; 0]);
    }

    #[test]
    fn a_long_function_is_found() {
        let function = |n: usize| format!("//! x\nfn a() {{\n{}}}\n", "    x();\n".repeat(n));
        assert_eq!(places(&function(58)), [0; 0]);
        assert_eq!(places(&function(59)), [2]);
    }

    #[test]
    fn a_long_test_is_found() {
        let test = |n: usize| format!("//! x\n#[test]\nfn a() {{\n{}}}\n", "    x();\n".repeat(n));
        assert_eq!(places(&test(25)), [0; 0]);
        assert_eq!(places(&test(26)), [3]);
    }
}
