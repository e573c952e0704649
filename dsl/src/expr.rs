//! The expressions of `when` and `for_each`: CEL, over a context that is data and nothing else. A name that is not defined
//! is an error at its place. Bounded in size, nesting and loops before the parser, which recurses, sees the text.
//! Language: <https://github.com/google/cel-spec/blob/master/doc/langdef.md>.

mod limits;
mod names;
mod values;

use cel::{Env, ExecutionError, Program};
use serde_json::Value;
use std::fmt;
use std::sync::{Arc, OnceLock};

pub(crate) use values::Variables;

/// A parsed expression.
#[derive(Debug)]
pub struct Expression {
    text: String,
    program: Program,
}

/// An expression that cannot be parsed or has no value. Never holds a value of the context: it may be secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// Byte offset in the text of the expression.
    pub offset: usize,
    /// One sentence without a final stop.
    pub message: String,
    /// What to write instead.
    pub help: Option<String>,
}

impl Error {
    fn new(offset: usize, message: impl Into<String>) -> Self {
        Self { offset, message: message.into(), help: None }
    }

    fn help(self, help: impl Into<Option<String>>) -> Self {
        Self { help: help.into(), ..self }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

/// Functions an expression may call, methods included; operators and macros are CEL's.
pub const FUNCTIONS: &[&str] = &[
    "all",
    "bool",
    "bytes",
    "contains",
    "double",
    "dyn",
    "endsWith",
    "exists",
    "exists_one",
    "filter",
    "has",
    "int",
    "map",
    "matches",
    "size",
    "startsWith",
    "string",
    "type",
    "uint",
];

impl Expression {
    /// Parses `text`: at most 4 KiB, brackets nested at most 32 deep.
    pub fn parse(text: &str) -> Result<Self, Error> {
        limits::before_parsing(text)?;
        let program =
            limits::on_enough_stack(|| Program::compile(text)).map_err(|errors| syntax(text, &errors))?;
        limits::after_parsing(program.expression())?;
        names::check_functions(text, &program)?;
        Ok(Self { text: text.to_owned(), program })
    }

    /// The text it was parsed from.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Its value, with the top-level keys of `context` as variables. Integers stay integers.
    pub fn eval(&self, context: &Value) -> Result<Value, Error> {
        self.eval_with(context, &Variables::default())
    }

    /// As [`Expression::eval`], with what was converted of `context` for other expressions.
    pub(crate) fn eval_with(&self, context: &Value, variables: &Variables) -> Result<Value, Error> {
        let used = names::check_variables(&self.text, &self.program, context)?;
        let value =
            variables.with(used, context, |scope| limits::on_enough_stack(|| self.program.execute(scope)));
        let value = value.map_err(|error| self.failed(&error, context))?;
        values::from_cel(&value).map_err(|message| Error::new(0, message))
    }

    /// What evaluation says, at its place. The texts of `cel` are not used where they hold values.
    fn failed(&self, error: &ExecutionError, context: &Value) -> Error {
        match error {
            ExecutionError::NoSuchKey(key) => names::missing_key(&self.text, &self.program, key, context),
            ExecutionError::UndeclaredReference(name) => {
                Error::new(names::find(&self.text, name), format!("`{name}` is not defined"))
            }
            ExecutionError::NoSuchOverload(overload) => {
                if let Some(error) = names::field_of_no_table(&self.text, &self.program, context) {
                    return error;
                }
                let types = overload.argument_types().join(" and ");
                let sign = operator_sign(overload.function());
                Error::new(names::find(&self.text, sign), format!("`{sign}` cannot be applied to {types}"))
            }
            ExecutionError::UnsupportedBinaryOperator(operator, left, right) => {
                let sign = operator_sign(operator);
                let types = format!("{} and {}", left.type_of(), right.type_of());
                Error::new(names::find(&self.text, sign), format!("`{sign}` cannot be applied to {types}"))
            }
            ExecutionError::UnsupportedIndex(index, of) => {
                let message = format!("{} cannot be the index of {}", index.type_of(), of.type_of());
                Error::new(names::find(&self.text, "["), message)
            }
            ExecutionError::IndexOutOfBounds(_) => Error::new(0, "the index is beyond the end of the list"),
            ExecutionError::DivisionByZero(_) | ExecutionError::RemainderByZero(_) => {
                Error::new(0, "this divides by zero")
            }
            ExecutionError::Overflow(..) => Error::new(0, "the result is too large for an integer"),
            ExecutionError::FunctionError { function, .. } => {
                Error::new(names::find(&self.text, function), format!("`{function}` failed"))
            }
            ExecutionError::ValuesNotComparable(..) => {
                Error::new(0, "values of different types are compared")
            }
            _ => Error::new(0, "this expression has no value: a value has the wrong type"),
        }
    }
}

/// One environment for all evaluations: it is never changed, and making it costs more than a short expression.
fn environment() -> Arc<Env> {
    static ENVIRONMENT: OnceLock<Arc<Env>> = OnceLock::new();
    ENVIRONMENT.get_or_init(|| Arc::new(Env::stdlib())).clone()
}

/// An operator as it is written; CEL's names are like `_+_`, `!_`, `_[_]`, `@in`.
fn operator_sign(name: &str) -> &str {
    match name {
        "_[_]" => "[",
        "add" => "+",
        "sub" => "-",
        "mul" => "*",
        "div" => "/",
        "rem" => "%",
        _ => name.trim_matches(['_', '@']),
    }
}

/// The first of the parser's errors, at its line and column.
fn syntax(text: &str, errors: &cel::ParseErrors) -> Error {
    let Some(first) = errors.errors.first() else {
        return Error::new(0, "this cannot be read as an expression");
    };
    // The parser's own limit has no place, and its column is -1.
    if first.pos.1 < 1 || first.msg.contains("Recursion limit") {
        return Error::new(0, "the expression nests too deep");
    }
    let (line, col) = (first.pos.0.max(1) as usize, first.pos.1 as usize);
    let start: usize = text.split_inclusive('\n').take(line - 1).map(str::len).sum();
    let within = text[start..].char_indices().nth(col - 1).map_or(text.len() - start, |(at, _)| at);
    let said = first.msg.strip_prefix("Syntax error: ").unwrap_or(&first.msg);
    let message = match said.split(" expecting ").next() {
        Some(said) if said.contains("<EOF>") => "the expression ends too early",
        Some(said) if said.contains("reserved") => "this word is reserved",
        _ => "this cannot be read as an expression",
    };
    let help = "write it like `facts.os.id == 'debian' && inputs.tls`".to_owned();
    Error::new(start + within, message).help(help)
}

#[cfg(test)]
mod tests;
