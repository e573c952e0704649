//! JSON to CEL and back. Numbers keep what they are: CEL tells integers from floats, and so does what reads the result.

use cel::objects::{Key, Map};
use serde_json::Value;
use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// Top-level values of one context as CEL has them, each converted when an expression first names it: inputs may be large, and
/// the `when` of a `for_each` is asked once for each of its elements.
#[derive(Default)]
pub(crate) struct Variables(RefCell<Known>);

/// A clone converts for itself what it is asked for.
impl Clone for Variables {
    fn clone(&self) -> Self {
        Self::default()
    }
}

struct Known {
    names: BTreeSet<String>,
    scope: cel::Context<'static, 'static>,
}

impl Default for Known {
    fn default() -> Self {
        Self { names: BTreeSet::new(), scope: cel::Context::with_env(super::environment()) }
    }
}

impl Variables {
    /// Runs `work` where the names `used` stand for what they are in `context`; null where they are nothing.
    pub(super) fn with<T>(
        &self,
        used: BTreeSet<String>,
        context: &Value,
        work: impl FnOnce(&cel::Context<'static, 'static>) -> T,
    ) -> T {
        let mut known = self.0.borrow_mut();
        for name in used {
            if !known.names.contains(&name) {
                let value = to_cel(context.get(&name).unwrap_or(&Value::Null));
                known.scope.add_variable_from_value(name.clone(), value);
                known.names.insert(name);
            }
        }
        work(&known.scope)
    }

    /// What `name` stands for has changed.
    pub(crate) fn forget(&mut self, name: &str) {
        self.0.get_mut().names.remove(name);
    }
}

/// A JSON value as CEL has it; integers beyond 63 bits are unsigned.
pub(super) fn to_cel(value: &Value) -> cel::Value {
    match value {
        Value::Null => cel::Value::Null,
        Value::Bool(flag) => cel::Value::Bool(*flag),
        Value::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(int), _) => cel::Value::Int(int),
            (None, Some(uint)) => cel::Value::UInt(uint),
            (None, None) => cel::Value::Float(number.as_f64().unwrap_or(f64::NAN)),
        },
        Value::String(text) => cel::Value::String(Arc::new(text.clone())),
        Value::Array(list) => cel::Value::List(Arc::new(list.iter().map(to_cel).collect())),
        Value::Object(table) => {
            let entries =
                table.iter().map(|(key, value)| (Key::String(Arc::new(key.clone())), to_cel(value)));
            cel::Value::Map(Map { map: Arc::new(entries.collect::<HashMap<_, _>>()) })
        }
    }
}

/// The JSON of a CEL value; errors, in words, where JSON has none.
pub(super) fn from_cel(value: &cel::Value) -> Result<Value, String> {
    match value {
        cel::Value::Null => Ok(Value::Null),
        cel::Value::Bool(flag) => Ok(Value::Bool(*flag)),
        cel::Value::Int(int) => Ok((*int).into()),
        cel::Value::UInt(uint) => Ok((*uint).into()),
        cel::Value::Float(float) => {
            let number = serde_json::Number::from_f64(*float).map(Value::Number);
            number.ok_or_else(|| "the expression has no finite value".to_owned())
        }
        cel::Value::String(text) => Ok(Value::String(text.to_string())),
        cel::Value::List(list) => list.iter().map(from_cel).collect::<Result<_, _>>().map(Value::Array),
        cel::Value::Map(map) => {
            let entry = |(key, value): (&Key, &cel::Value)| Ok((key.to_string(), from_cel(value)?));
            map.map.iter().map(entry).collect::<Result<_, String>>().map(Value::Object)
        }
        other => Err(format!("the expression is of type {}, which is no value here", other.type_of())),
    }
}
