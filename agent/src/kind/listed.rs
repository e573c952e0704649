//! What files of tests have besides kinds: a subject of checks, a sort of fault. One registration serves all of them; what each does on a
//! host is its own trait's, and not known here.

use super::decode::decode;
use super::fields::fields;
use model::{CheckSide, Field, Footprint, KindInfo, Problem, Scope, SubjectInfo};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::marker::PhantomData;
use std::sync::OnceLock;

/// A word of files of tests. The struct is what it says: its fields are the keys in TOML, their doc comments the reference.
pub trait Listed: DeserializeOwned + JsonSchema + Send + Sync + 'static {
    /// The word in TOML.
    const NAME: &'static str;
    /// The key that a value stands for that is no table.
    const SHORT: &'static str;
    /// A table in TOML that compiles.
    const EXAMPLE: &'static str;

    /// Problems that types cannot express, by field.
    fn problems(&self) -> Vec<Problem>;

    /// From where it can be looked at; the usual side comes first.
    fn sides(&self) -> &'static [CheckSide] {
        &[CheckSide::Host]
    }
}

/// Stands for the type `E` in a list: a word without its type, as the compiler and the documentation see it.
pub struct Listing<E> {
    fields: OnceLock<Vec<Field>>,
    entry: PhantomData<fn() -> E>,
}

/// The registration of a word, for the list.
pub(crate) const fn listed<E: Listed>() -> Listing<E> {
    Listing { fields: OnceLock::new(), entry: PhantomData }
}

impl<E: Listed> Listing<E> {
    fn typed(params: &Value) -> Result<E, Vec<Problem>> {
        let Value::Object(map) = params else {
            return Err(vec![Problem::whole(format!("`{}` takes a table", E::NAME))]);
        };
        let entry: E = decode(map, None)?;
        let problems = entry.problems();
        if problems.is_empty() { Ok(entry) } else { Err(problems) }
    }
}

impl<E: Listed> KindInfo for Listing<E> {
    fn name(&self) -> &'static str {
        E::NAME
    }

    fn scope(&self) -> Scope {
        Scope::Module
    }

    fn doc(&self) -> String {
        self.schema().get("description").and_then(Value::as_str).unwrap_or("").to_owned()
    }

    fn fields(&self) -> &[Field] {
        self.fields.get_or_init(|| fields(&self.schema()))
    }

    fn example(&self) -> &'static str {
        E::EXAMPLE
    }

    fn schema(&self) -> Value {
        schemars::SchemaGenerator::default().into_root_schema_for::<E>().to_value()
    }

    fn inspect(&self, _: &str, params: &Value) -> Result<Footprint, Vec<Problem>> {
        Self::typed(params).map(|_| Footprint::default())
    }
}

impl<E: Listed> SubjectInfo for Listing<E> {
    fn short(&self) -> &'static str {
        E::SHORT
    }

    fn sides(&self, params: &Value) -> &'static [CheckSide] {
        Self::typed(params).map_or(&[], |entry| entry.sides())
    }
}
