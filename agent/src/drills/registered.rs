//! A sort of fault without its type: what the compiler and the documentation see of it.

use super::fault::Fault;
use crate::kind::{decode, fields};
use model::{CheckSide, Field, Footprint, KindInfo, Problem, Scope, SubjectInfo};
use serde_json::Value;
use std::marker::PhantomData;
use std::sync::OnceLock;

/// Stands for the type `S` in the list.
pub struct Registration<S> {
    fields: OnceLock<Vec<Field>>,
    fault: PhantomData<fn() -> S>,
}

/// The registration of a sort, for the list.
pub(super) const fn registered<S: Fault>() -> Registration<S> {
    Registration { fields: OnceLock::new(), fault: PhantomData }
}

impl<S: Fault> Registration<S> {
    fn typed(params: &Value) -> Result<S, Vec<Problem>> {
        let Value::Object(map) = params else {
            return Err(vec![Problem::whole(format!("`{}` takes a table", S::NAME))]);
        };
        let fault: S = decode(map, None)?;
        let problems = fault.problems();
        if problems.is_empty() { Ok(fault) } else { Err(problems) }
    }
}

impl<S: Fault> KindInfo for Registration<S> {
    fn name(&self) -> &'static str {
        S::NAME
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
        S::EXAMPLE
    }

    fn schema(&self) -> Value {
        schemars::SchemaGenerator::default().into_root_schema_for::<S>().to_value()
    }

    fn inspect(&self, _: &str, params: &Value) -> Result<Footprint, Vec<Problem>> {
        Self::typed(params).map(|_| Footprint::default())
    }
}

impl<S: Fault> SubjectInfo for Registration<S> {
    fn short(&self) -> &'static str {
        S::SHORT
    }

    fn sides(&self, _: &Value) -> &'static [CheckSide] {
        &[CheckSide::Host]
    }
}
