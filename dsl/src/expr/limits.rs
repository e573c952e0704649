//! Bounds of an expression: parser and interpreter recurse over it, and loops within loops multiply.

use super::Error;
use cel::IdedExpr;
use cel::common::ast::{EntryExpr, Expr};

const MAX_TEXT: usize = 4 << 10;
const MAX_DEPTH: usize = 32;
/// Work starts on the stack it is on where so much is left of it, else on a new one.
const RED_ZONE: usize = 6 << 20;
const STACK: usize = 16 << 20;
/// Each operator may be a level of the syntax tree.
const MAX_OPERATORS: usize = 256;
const MAX_LOOPS: usize = 2;
/// Runs what recurses over an expression. A thread's usual 2 MiB are too few for the deepest expression within the
/// limits: the generated parser takes some 100 KiB a level.
pub(super) fn on_enough_stack<T>(work: impl FnOnce() -> T) -> T {
    stacker::maybe_grow(RED_ZONE, STACK, work)
}

/// What can be told from the text.
pub(super) fn before_parsing(text: &str) -> Result<(), Error> {
    if text.len() > MAX_TEXT {
        return Err(Error::new(MAX_TEXT, "an expression has at most 4 KiB"));
    }
    if text.trim().is_empty() {
        return Err(Error::new(0, "the expression is empty"));
    }
    let (mut depth, mut operators) = (0_usize, 0_usize);
    // Brackets within strings count as well: that errs on the safe side, for what a string is the parser alone knows.
    for (at, c) in text.char_indices() {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        operators += usize::from("+-*/%!?:.<>=&|([{".contains(c));
        if depth > MAX_DEPTH {
            return Err(Error::new(at, format!("brackets nest deeper than {MAX_DEPTH}")));
        }
        if operators > MAX_OPERATORS {
            return Err(Error::new(at, format!("an expression has at most {MAX_OPERATORS} operators")));
        }
    }
    Ok(())
}

/// What can be told from the tree.
pub(super) fn after_parsing(expression: &IdedExpr) -> Result<(), Error> {
    if loops(expression) > MAX_LOOPS {
        return Err(Error::new(0, format!("loops nest deeper than {MAX_LOOPS}")));
    }
    Ok(())
}

/// How deep loops nest: one in the body of another multiplies, one in its range does not.
fn loops(expression: &IdedExpr) -> usize {
    match &expression.expr {
        Expr::Comprehension(inner) => {
            let body = loops(&inner.loop_step).max(loops(&inner.loop_cond)).max(loops(&inner.result));
            loops(&inner.iter_range).max(1 + body)
        }
        _ => children(expression).into_iter().map(loops).max().unwrap_or(0),
    }
}

/// The parts of an expression, but not those of a loop, which binds variables.
pub(super) fn children(expression: &IdedExpr) -> Vec<&IdedExpr> {
    match &expression.expr {
        Expr::Call(call) => call.target.as_deref().into_iter().chain(&call.args).collect(),
        Expr::List(list) => list.elements.iter().collect(),
        Expr::Select(select) => vec![&select.operand],
        Expr::Map(map) => map.entries.iter().flat_map(|entry| entry_parts(&entry.expr)).collect(),
        Expr::Struct(made) => made.entries.iter().flat_map(|entry| entry_parts(&entry.expr)).collect(),
        Expr::Comprehension(_) | Expr::Ident(_) | Expr::Literal(_) | Expr::Unspecified => Vec::new(),
    }
}

fn entry_parts(entry: &EntryExpr) -> Vec<&IdedExpr> {
    match entry {
        EntryExpr::StructField(field) => vec![&field.value],
        EntryExpr::MapEntry(entry) => vec![&entry.key, &entry.value],
    }
}
