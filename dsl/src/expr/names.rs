//! The names of an expression: which variables and functions it uses, where they stand, and what was meant by one that
//! is not defined.

use super::limits::children;
use super::{Error, FUNCTIONS};
use crate::nearest::advice;
use cel::common::ast::Expr;
use cel::{IdedExpr, Program};
use serde_json::Value;
use std::collections::BTreeSet;

/// Refuses functions that there are not, even in a branch that is not taken.
pub(super) fn check_functions(text: &str, program: &Program) -> Result<(), Error> {
    let word =
        |name: &&str| name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') && !name.starts_with('_');
    let references = program.references();
    let mut called: Vec<&str> = references.functions().into_iter().filter(word).collect();
    called.sort_unstable();
    match called.into_iter().find(|name| !FUNCTIONS.contains(name)) {
        Some(name) => {
            let error = Error::new(find(text, name), format!("there is no function `{name}`"));
            Err(error.help(advice(name, FUNCTIONS.iter().copied())))
        }
        None => Ok(()),
    }
}

/// The variables that are used, each defined in `context`; even those in a branch that is not taken must be.
pub(super) fn check_variables(
    text: &str,
    program: &Program,
    context: &Value,
) -> Result<BTreeSet<String>, Error> {
    let mut paths = Vec::new();
    collect(program.expression(), &mut Vec::new(), &mut paths);
    let known = || context.as_object().into_iter().flat_map(|table| table.keys().map(String::as_str));
    for path in &paths {
        if context.get(path.root).is_none() {
            let error = Error::new(place(text, program, path, 0), format!("`{}` is not defined", path.root));
            return Err(error.help(advice(path.root, known())));
        }
    }
    Ok(paths.into_iter().map(|path| path.root.to_owned()).collect())
}

/// The error of a key that evaluation did not find: at the first path that leads to it.
pub(super) fn missing_key(text: &str, program: &Program, key: &str, context: &Value) -> Error {
    let mut paths = Vec::new();
    collect(program.expression(), &mut Vec::new(), &mut paths);
    for path in &paths {
        let mut here = context.get(path.root);
        for (at, (field, _)) in path.fields.iter().enumerate() {
            let Some(table) = here.and_then(Value::as_object) else { break };
            here = table.get(*field);
            if here.is_none() && *field == key {
                let before =
                    path.fields[..at].iter().map(|(field, _)| format!(".{field}")).collect::<String>();
                let message = format!("`{}{before}` has no `{key}`", path.root);
                let error = Error::new(place(text, program, path, at + 1), message);
                return error.help(advice(key, table.keys().map(String::as_str)));
            }
        }
    }
    // A computed key: it is a value, and is not named unless it stands in the text.
    match literal(text, key) {
        Some(at) => Error::new(at, format!("there is no key `{key}`")),
        None => {
            Error::new(0, "there is no such key").help(Some("test for it with `key in table`".to_owned()))
        }
    }
}

/// The error of the first path that asks what is no table for a field; none where there is no such path.
pub(super) fn field_of_no_table(text: &str, program: &Program, context: &Value) -> Option<Error> {
    let mut paths = Vec::new();
    collect(program.expression(), &mut Vec::new(), &mut paths);
    paths.iter().find_map(|path| {
        let (mut here, mut before) = (context.get(path.root)?, path.root.to_owned());
        for (at, (field, _)) in path.fields.iter().enumerate() {
            if !here.is_object() {
                let message =
                    format!("`{before}` is {}, it has no `{field}`", crate::template::type_name(here));
                return Some(Error::new(place(text, program, path, at + 1), message));
            }
            here = here.get(field)?;
            before = format!("{before}.{field}");
        }
        None
    })
}

/// A free variable and the fields selected from it.
struct Path<'e> {
    root: &'e str,
    id: u64,
    /// Name and node of each field.
    fields: Vec<(&'e str, u64)>,
}

/// All paths, those of variables that a loop binds left out.
fn collect<'e>(expression: &'e IdedExpr, bound: &mut Vec<&'e str>, found: &mut Vec<Path<'e>>) {
    if let Some(path) = path(expression) {
        if !bound.contains(&path.root) {
            found.push(path);
        }
        return;
    }
    let Expr::Comprehension(inner) = &expression.expr else {
        children(expression).into_iter().for_each(|child| collect(child, bound, found));
        return;
    };
    collect(&inner.iter_range, bound, found);
    collect(&inner.accu_init, bound, found);
    let outside = bound.len();
    bound.extend([inner.iter_var.as_str(), inner.accu_var.as_str()]);
    bound.extend(inner.iter_var2.as_deref());
    for part in [&inner.loop_cond, &inner.loop_step, &inner.result] {
        collect(part, bound, found);
    }
    bound.truncate(outside);
}

fn path(mut expression: &IdedExpr) -> Option<Path<'_>> {
    let mut fields = Vec::new();
    loop {
        match &expression.expr {
            Expr::Ident(root) => {
                fields.reverse();
                return Some(Path { root, id: expression.id, fields });
            }
            Expr::Select(select) => {
                // `has(a.b)` asks for `b`, and may be answered no.
                if !select.test {
                    fields.push((select.field.as_str(), expression.id));
                }
                expression = &select.operand;
            }
            _ => return None,
        }
    }
}

/// Offset of the root (0) or of a field (from 1) of a path.
fn place(text: &str, program: &Program, path: &Path<'_>, part: usize) -> usize {
    let (word, id) = if part == 0 { (path.root, path.id) } else { path.fields[part - 1] };
    let start = program.source_info().offset_for(id).map_or(0, |(start, _)| start as usize);
    // The place of a field is that of its dot.
    find_from(text, word, if text.is_char_boundary(start) { start } else { 0 })
}

/// Offset of `word` in `text`, as a whole word if it is one; 0 where it is not to be found.
pub(super) fn find(text: &str, word: &str) -> usize {
    find_from(text, word, 0)
}

fn find_from(text: &str, word: &str, from: usize) -> usize {
    let tail = text.get(from..).unwrap_or_default();
    let part = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    let mut matches = tail.match_indices(word).map(|(at, _)| from + at);
    let whole = matches.find(|at| {
        let (before, after) = (&text[..*at], &text[at + word.len()..]);
        !(part(word.chars().next()) && (part(before.chars().next_back()) || part(after.chars().next())))
    });
    whole.unwrap_or(from.min(text.len()))
}

/// Offset of `key` as a string literal.
fn literal(text: &str, key: &str) -> Option<usize> {
    ["'", "\""].iter().find_map(|quote| text.find(&format!("{quote}{key}{quote}")))
}
