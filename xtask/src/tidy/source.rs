//! One Rust file made countable: its code without comments and strings, its functions with their extents, the
//! line where its tests begin. It judges nothing and expects rustfmt's layout. Next: the rules.

use crate::tidy::mask::{Keep, mask};

/// One Rust file.
#[derive(Debug)]
pub struct Source {
    /// Relative to the project's root.
    pub path: String,
    /// The lines as written.
    pub lines: Vec<String>,
    /// The same lines without comments and strings.
    pub code: Vec<String>,
    /// The same lines without strings.
    pub remarks: Vec<String>,
    /// How many lines come before `#[cfg(test)] mod tests`; none of a file under `tests/`, all of others.
    pub product_lines: usize,
    /// The functions, also nested ones; those written inside `macro_rules!` are left out.
    pub functions: Vec<Function>,
}

/// One function with its place.
#[derive(Debug, PartialEq, Eq)]
pub struct Function {
    /// Its name.
    pub name: String,
    /// The line of `fn`, from 1.
    pub first: usize,
    /// The line of the closing brace, or of the semicolon of one without a body.
    pub last: usize,
    /// From visibility to the opening brace, on one line.
    pub signature: String,
    /// Has it a body?
    pub body: bool,
    /// Has it an attribute `#[test]`?
    pub test: bool,
}

impl Source {
    /// Prepares a text.
    pub fn new(path: &str, text: &str) -> Self {
        let split = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
        let masked = mask(text, Keep::Code);
        let (lines, code) = (split(text), split(&masked));
        let product_lines = product_lines(path, &code);
        let functions = functions(&masked, &lines);
        let remarks = split(&mask(text, Keep::CodeAndComments));
        Self { path: path.to_owned(), lines, code, remarks, product_lines, functions }
    }

    /// The lines of code that are no tests, with their numbers from 1.
    pub fn product(&self) -> impl Iterator<Item = (usize, &str)> {
        self.code.iter().take(self.product_lines).enumerate().map(|(index, line)| (index + 1, line.as_str()))
    }

    /// All lines of code with their numbers from 1.
    pub fn all(&self) -> impl Iterator<Item = (usize, &str)> {
        self.code.iter().enumerate().map(|(index, line)| (index + 1, line.as_str()))
    }
}

/// Is it a test by its place: under `tests/`, or a file called `tests.rs`?
pub fn is_test_path(path: &str) -> bool {
    path.split('/').any(|part| part == "tests" || part == "tests.rs" || part == "fuzz")
}

fn product_lines(path: &str, code: &[String]) -> usize {
    if is_test_path(path) {
        return 0;
    }
    let begins =
        |pair: &[String]| pair[0].trim() == "#[cfg(test)]" && pair[1].trim_start().starts_with("mod ");
    code.windows(2).position(|pair| begins(pair) && pair[1].ends_with('{')).unwrap_or(code.len())
}

fn functions(code: &str, lines: &[String]) -> Vec<Function> {
    let macros = macro_extents(code);
    let mut found = Vec::new();
    for (at, _) in code.match_indices("fn ") {
        let starts_word = !code[..at].chars().next_back().is_some_and(|c| c.is_alphanumeric() || c == '_');
        let in_macro = macros.iter().any(|(from, to)| (*from..*to).contains(&at));
        let name: String = code[at + 3..].chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        if !starts_word || in_macro || name.is_empty() {
            continue;
        }
        let Some(open) = body_or_end(code, at) else { continue };
        let body = code[open..].starts_with('{');
        let end = if body { matching_brace(code, open) } else { open };
        let line_start = code[..at].rfind('\n').map_or(0, |n| n + 1);
        let first = line_of(code, at);
        let signature = code[line_start..open].split_whitespace().collect::<Vec<_>>().join(" ");
        let test = has_test_attribute(lines, first);
        found.push(Function { name, first, last: line_of(code, end), signature, body, test });
    }
    found
}

/// The offset of `{` or `;` that ends the signature beginning at `at`.
fn body_or_end(code: &str, at: usize) -> Option<usize> {
    let mut depth = 0_i32;
    for (offset, c) in code[at..].char_indices() {
        match c {
            '(' | '[' => depth += 1,
            ')' | ']' => depth -= 1,
            '{' | ';' if depth == 0 => return Some(at + offset),
            _ => {}
        }
    }
    None
}

/// The offset of the brace that closes the one at `open`, or the end of a text that never closes it.
fn matching_brace(code: &str, open: usize) -> usize {
    let mut depth = 0_i32;
    for (offset, c) in code[open..].char_indices() {
        depth += match c {
            '{' => 1,
            '}' => -1,
            _ => 0,
        };
        if depth == 0 {
            return open + offset;
        }
    }
    code.len()
}

fn macro_extents(code: &str) -> Vec<(usize, usize)> {
    let starts = code.match_indices("macro_rules!");
    let braced = starts.filter_map(|(at, _)| code[at..].find('{').map(|open| at + open));
    braced.map(|open| (open, matching_brace(code, open))).collect()
}

fn line_of(code: &str, at: usize) -> usize {
    code[..at].matches('\n').count() + 1
}

fn has_test_attribute(lines: &[String], first: usize) -> bool {
    let above = lines[..first - 1].iter().rev().map(|line| line.trim());
    above.take_while(|line| line.starts_with("#[") || line.starts_with("//")).any(|line| line == "#[test]")
}

#[cfg(test)]
mod tests {
    use super::Source;

    const TEXT: &str = "//! x\npub fn a(\n    b: [u8; 2],\n) -> u8 {\n    if true { 1 } else { 2 }\n}\n\
                        trait T {\n    fn c(&self);\n}\nmacro_rules! m {\n    () => { fn d() {} };\n}\n\
                        #[cfg(test)]\nmod tests {\n    #[test]\n    fn e() {}\n}\n";

    #[test]
    fn functions_have_their_extents() {
        let source = Source::new("m/src/x.rs", TEXT);
        let seen: Vec<_> =
            source.functions.iter().map(|f| (&*f.name, f.first, f.last, f.body, f.test)).collect();
        assert_eq!(seen, [("a", 2, 6, true, false), ("c", 8, 8, false, false), ("e", 16, 16, true, true)]);
        assert_eq!(source.functions[0].signature, "pub fn a( b: [u8; 2], ) -> u8");
    }

    #[test]
    fn tests_are_no_product() {
        assert_eq!(Source::new("m/src/x.rs", TEXT).product_lines, 12);
        assert_eq!(Source::new("m/tests/x.rs", TEXT).product_lines, 0);
    }
}
