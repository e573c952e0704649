//! Texts with `{{ … }}`: rendered strictly, from a context that is data and nothing else. A name that is not defined is an
//! error at its place, in every position; nothing is loaded, nothing rendered is rendered again, and time, stack and
//! output are bounded whatever the source. Syntax: Handlebars; helpers: [`HELPERS`].

mod error;
mod functions;
mod plain;
mod prepare;
mod scan;
mod strict;

pub use error::Error;
pub(crate) use functions::type_name;
pub use functions::{HELPERS, HelperDoc, Place};

use error::Fault;
use handlebars::{Context, Handlebars, RenderContext, RenderError, RenderErrorReason, Renderable, Template};
use serde_json::Value;
use std::sync::OnceLock;

/// A rendered text has at most so many bytes.
pub const MAX_OUTPUT: usize = 16 << 20;
/// A rendering looks up at most so many values, elements of `each` included.
const MAX_LOOKUPS: usize = 1 << 19;

/// What templates may name, in the form in which rendering takes it.
pub type Names = Context;

/// Renders `source` with the top-level keys of `context` as names.
///
/// Errors at the first thing that is wrong: syntax, a helper that there is not, a name that is not defined.
pub fn render(source: &str, context: &Value) -> Result<String, Error> {
    if !source.contains("{{") {
        return Ok(source.to_owned());
    }
    Prepared::parse(source)?.render(&Names::from(context.clone()))
}

/// What `source` comes to where that takes no parser; `None` where it takes one, or is an error.
pub(crate) fn printed(source: &str, context: &Names) -> Option<String> {
    plain::print(source, context.data())
}

/// A text that was parsed, and can be rendered often.
#[derive(Debug)]
pub(crate) struct Prepared {
    source: String,
    template: Template,
}

impl Prepared {
    /// Parses `source`, and looks at all that can be known without a context.
    pub(crate) fn parse(source: &str) -> Result<Self, Error> {
        let tags = scan::tags(source)?;
        let mut template = Template::compile(source).map_err(|error| syntax(source, &error))?;
        prepare::prepare(source, &tags, &mut template)?;
        Ok(Self { source: source.to_owned(), template })
    }

    /// Renders it.
    pub(crate) fn render(&self, context: &Names) -> Result<String, Error> {
        let mut output = strict::Bounded::default();
        strict::start();
        let rendered = self.template.render(registry(), context, &mut RenderContext::new(None), &mut output);
        rendered.map(|()| output.0).map_err(|error| located(&self.source, &error))
    }
}

/// The path, where `source` is exactly one `{{ path }}`, plain and dotted. Such a text keeps the type of the value.
pub fn whole_path(source: &str) -> Option<&str> {
    let path = source.strip_prefix("{{")?.strip_suffix("}}")?.trim();
    let plain = |part: &str| {
        !part.is_empty()
            && part.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-') || !c.is_ascii())
    };
    (path.split('.').all(plain) && !matches!(path, "else" | "this")).then_some(path)
}

/// What a dotted path leads to; a number is the index of a list. None where it leads nowhere: then [`render`] says why.
pub fn lookup<'c>(context: &'c Value, path: &str) -> Option<&'c Value> {
    path.split('.').try_fold(context, |at, part| match at {
        Value::Object(table) => table.get(part),
        Value::Array(list) => list.get(part.parse::<usize>().ok()?),
        _ => None,
    })
}

/// One registry for all renderings: it is never changed, and filling it costs more than a short text.
fn registry() -> &'static Handlebars<'static> {
    static REGISTRY: OnceLock<Handlebars<'static>> = OnceLock::new();
    REGISTRY.get_or_init(functions::registry)
}

fn nearest_help<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    crate::nearest::advice(word, known).unwrap_or_default()
}

/// What the parser says, at the place where it gave up.
fn syntax(source: &str, error: &handlebars::TemplateError) -> Error {
    let at = error.pos().map_or(0, |place| error::offset(source, place));
    let error = Error::new(source, at, "this cannot be read as a template");
    error.help("a tag holds a path, or a helper and its arguments: `{{ inputs.port }}`, `{{join inputs.ports \", \"}}`")
}

/// The error of a rendering at its place. `prepare` left byte offsets where the renderer keeps its lines.
fn located(source: &str, error: &RenderError) -> Error {
    let tag = error.line_no.unwrap_or(0);
    let plain = |message: &str| Error::new(source, tag, message);
    match error.reason() {
        RenderErrorReason::NestedError(inner) => match inner.downcast_ref::<Fault>() {
            Some(fault) => Error {
                help: fault.help.clone(),
                ..Error::new(source, fault.offset.unwrap_or(tag), fault.message.clone())
            },
            None => plain("this cannot be rendered"),
        },
        RenderErrorReason::IOError(_) => located(source, &located_limit(error)),
        RenderErrorReason::MissingVariable(_) => plain("the argument is empty, and there is no `{{else}}`"),
        other => plain(&other.to_string()),
    }
}

fn located_limit(error: &RenderError) -> RenderError {
    let mut limit = strict::too_much();
    limit.line_no = error.line_no;
    limit
}

#[cfg(test)]
mod tests;
