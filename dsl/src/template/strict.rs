//! Looking up paths while rendering: what is not defined is an error that says where it stands and what there is
//! instead. Also the bounds of a rendering: how much it may print and look up.

use super::error::Fault;
use super::functions::type_name;
use super::{MAX_LOOKUPS, MAX_OUTPUT};
use crate::nearest::advice;
use handlebars::{
    Context, Handlebars, Helper, HelperDef, Output, RenderContext, RenderError, RenderErrorReason, ScopedJson,
};
use serde_json::Value;
use std::cell::Cell;

thread_local! {
    /// Lookups left to the rendering that goes on in this thread. Renderings do not nest.
    static LEFT: Cell<usize> = const { Cell::new(0) };
}

/// Gives a new rendering its share of lookups.
pub(super) fn start() {
    LEFT.set(MAX_LOOKUPS);
}

fn spend(lookups: usize) -> Result<(), RenderError> {
    let left = LEFT.get().checked_sub(lookups);
    LEFT.set(left.unwrap_or(0));
    let tired = || Fault::raise(format!("the template looks up more than {MAX_LOOKUPS} values"), None);
    left.map(drop).ok_or_else(tired)
}

/// The error of an output, or a text on its way there, that grew beyond the limit.
pub(super) fn too_much() -> RenderError {
    Fault::raise(format!("the output is larger than {} MiB", MAX_OUTPUT >> 20), None)
}

/// An output that ends at the limit.
#[derive(Default)]
pub(super) struct Bounded(pub(super) String);

impl Output for Bounded {
    fn write(&mut self, text: &str) -> Result<(), std::io::Error> {
        if self.0.len() + text.len() > MAX_OUTPUT {
            return Err(std::io::ErrorKind::FileTooLarge.into());
        }
        self.0.push_str(text);
        Ok(())
    }
}

/// The helper `.lookup path offset many`.
pub(super) struct Lookup;

impl HelperDef for Lookup {
    fn call_inner<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        context: &'rc Context,
        scope: &mut RenderContext<'reg, 'rc>,
    ) -> Result<ScopedJson<'rc>, RenderError> {
        let literal = |at| helper.param(at).map_or(&Value::Null, |param| param.value());
        let path = literal(0).as_str().unwrap_or_default();
        let offset = literal(1).as_u64().and_then(|at| usize::try_from(at).ok());
        let found = match at_root(path, context, scope).map_or_else(|| scope.evaluate(context, path), Ok) {
            Ok(found) if !found.is_missing() => found,
            Ok(_) => return Err(undefined(path, offset, context, scope)),
            // A list was asked for a key that is no index.
            Err(error) if matches!(error.reason(), RenderErrorReason::InvalidJsonIndex(_)) => {
                return Err(undefined(path, offset, context, scope));
            }
            Err(error) => return Err(error),
        };
        let size = match found.as_json() {
            Value::Array(list) => list.len(),
            Value::Object(table) => table.len(),
            other if literal(2).as_bool() == Some(true) => {
                let message = format!("`each` wants a list or a table, and `{path}` is {}", type_name(other));
                return Err(Fault { offset, message, help: None }.wrap());
            }
            _ => 0,
        };
        spend(1 + if literal(2).as_bool() == Some(true) { size } else { 0 })?;
        Ok(found)
    }
}

/// What a plain path leads to outside of blocks that begin elsewhere, without parsing it; `None` where it is anything else.
fn at_root<'rc>(
    path: &str,
    context: &'rc Context,
    scope: &RenderContext<'_, 'rc>,
) -> Option<ScopedJson<'rc>> {
    let (root, _) = super::plain::path(path)?.split_once('.')?;
    let block = scope.block()?;
    let begins_here = block.base_path().is_empty() && block.base_value().is_none();
    let found = super::lookup(context.data(), path).filter(|_| begins_here)?;
    block
        .get_block_param(root)
        .is_none()
        .then(|| ScopedJson::Context(found, path.split('.').map(str::to_owned).collect()))
}

/// Splits a path in its parts, with the offset after each: `../a.[b c]/d`.
fn parts(path: &str) -> Vec<(&str, usize)> {
    let (mut parts, mut start, mut raw) = (Vec::new(), 0, false);
    for (at, c) in path.char_indices().chain([(path.len(), '/')]) {
        match c {
            '[' => raw = true,
            ']' => raw = false,
            // `..` is a part of its own.
            '.' if !raw && (path[start..at].is_empty() || &path[start..at] == ".") && at + 1 < path.len() => {
            }
            '.' | '/' if !raw || at == path.len() => {
                parts.push((&path[start..at], at));
                start = at + 1;
            }
            _ => {}
        }
    }
    parts
}

/// The error of a path that leads nowhere: the first part that is missing, and what stands beside it.
fn undefined<'rc>(
    path: &str,
    offset: Option<usize>,
    context: &'rc Context,
    scope: &RenderContext<'_, 'rc>,
) -> RenderError {
    let mut base = ScopedJson::Missing;
    let mut upto = 0;
    for (part, end) in parts(path) {
        let (before, start) = (base, upto);
        // The parser knows no path that ends in `..` or `@root`.
        let probe = match part {
            ".." | "@root" => format!("{}/this", &path[..end]),
            _ => path[..end].to_owned(),
        };
        base = scope.evaluate(context, &probe).unwrap_or(ScopedJson::Missing);
        upto = end + 1;
        if !base.is_missing() {
            continue;
        }
        let here =
            if start == 0 { scope.evaluate(context, "this").unwrap_or(ScopedJson::Missing) } else { before };
        let message = match start {
            0 => format!("`{part}` is not defined"),
            _ if here.as_json().is_object() => format!("`{}` has no `{part}`", &path[..start - 1]),
            _ => format!("`{}` is {}, it has no `{part}`", &path[..start - 1], type_name(here.as_json())),
        };
        let help = help(part, start == 0, here.as_json(), context.data());
        return Fault { offset: offset.map(|at| at + start), message, help }.wrap();
    }
    Fault { offset, message: format!("`{path}` is not defined"), help: None }.wrap()
}

/// What to write instead of `part`, which `here` lacks.
fn help(part: &str, bare: bool, here: &Value, root: &Value) -> Option<String> {
    if matches!(part, "@index" | "@key" | "@first" | "@last") {
        return Some(format!("`{part}` is there within `{{{{#each}}}}` only, and `@key` only over a table"));
    }
    if part.starts_with('@') {
        return advice(part, ["@index", "@key", "@first", "@last", "@root"]);
    }
    if bare && here != root && root.get(part).is_some() {
        return Some(format!("paths in this block start at the block's value: write `@root.{part}`"));
    }
    match here {
        Value::Object(table) => advice(part, table.keys().map(String::as_str)),
        Value::Array(list) if list.is_empty() => Some("the list is empty".into()),
        Value::Array(list) => Some(format!("a list has the elements 0 to {}", list.len() - 1)),
        _ => None,
    }
}
