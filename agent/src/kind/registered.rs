//! A kind without its type: what the engine sees of it, and what the compiler, the documentation and the tests do.

use super::decode::{decode, plain};
use super::fields::fields;
use super::resource::{Class, Kind};
use crate::system::System;
use model::{Answer, Check, Claim, Failure, Field, Footprint, KindInfo, Problem, Scope, Step};
use serde_json::{Map, Value};
use std::marker::PhantomData;
use std::sync::OnceLock;

/// A kind, as the engine sees it.
pub trait Registered: Send + Sync {
    /// The word in TOML, such as `file`.
    fn word(&self) -> &'static str;
    /// Decodes and checks a resource. `params` holds resolved secrets. What cannot be decoded is told without its field: [`KindInfo::inspect`] has that.
    fn decode(&self, name: &str, params: &Value) -> Result<Box<dyn Resource>, Vec<Problem>>;
}

/// A kind, as everybody else sees it. Apart from what the engine sees: an agent has no use for documentation.
pub trait Described: Registered + KindInfo {
    /// Decides on a state given as data; for the data cases of the tests.
    fn decide(&self, name: &str, params: &Value, seen: Value) -> Result<Vec<Step>, String>;
}

/// A decoded resource.
pub trait Resource: Send + Sync {
    /// What it owns and needs.
    fn footprint(&self) -> Footprint;
    /// What it owns.
    fn owns(&self) -> Vec<Claim>;
    /// What may run at the same time.
    fn class(&self) -> Class;
    /// Probes, and gives the state found as data. It may hold secrets: it must not be kept.
    fn seen(&self, system: &dyn System) -> Result<Value, Failure>;
    /// Probes and decides.
    fn plan(&self, system: &dyn System) -> Result<Vec<Step>, Failure>;
    /// Probes and answers a notification.
    fn refresh(&self, system: &dyn System) -> Result<Vec<Step>, Failure>;
    /// Whether what it changes can be the configuration of a service.
    fn is_config(&self) -> bool;
    /// How it tells whether the configuration that it would read is good; `None` where it does not.
    fn config_check(&self) -> Option<Check>;
    /// What answers a notification in a run that is not for it; `None` where only its own can.
    fn answer(&self) -> Option<Answer>;
    /// Probes and says how to remove the thing; `None` where it cannot be removed.
    fn removal(&self, system: &dyn System) -> Result<Option<Vec<Step>>, Failure>;
}

impl<K: Kind> Resource for K {
    fn footprint(&self) -> Footprint {
        Footprint { claims: self.claims(), wants: self.wants() }
    }

    fn owns(&self) -> Vec<Claim> {
        self.claims()
    }

    fn class(&self) -> Class {
        Kind::class(self)
    }

    fn seen(&self, system: &dyn System) -> Result<Value, Failure> {
        serde_json::to_value(self.probe(system)?)
            .map_err(|error| Failure::unknown(K::NAME, error.to_string()))
    }

    fn plan(&self, system: &dyn System) -> Result<Vec<Step>, Failure> {
        Kind::plan(self, &self.probe(system)?)
    }

    fn refresh(&self, system: &dyn System) -> Result<Vec<Step>, Failure> {
        Ok(Kind::refresh(self, &self.probe(system)?))
    }

    fn is_config(&self) -> bool {
        K::CONFIG
    }

    fn config_check(&self) -> Option<Check> {
        Kind::config_check(self)
    }

    fn answer(&self) -> Option<Answer> {
        Kind::answer(self)
    }

    fn removal(&self, system: &dyn System) -> Result<Option<Vec<Step>>, Failure> {
        Ok(Kind::removal(self, &self.probe(system)?))
    }
}

/// The registration of a kind, for the list in `kinds`.
pub const fn registered<K: Kind>() -> Registration<K> {
    Registration { fields: OnceLock::new(), kind: PhantomData }
}

/// Stands for the type `K` in the list.
pub struct Registration<K> {
    fields: OnceLock<Vec<Field>>,
    kind: PhantomData<fn() -> K>,
}

/// How a table becomes a resource.
type Decode<K> = fn(&Map<String, Value>, Option<&Value>) -> Result<K, Vec<Problem>>;

impl<K: Kind> Registration<K> {
    fn typed(name: &str, params: &Value, decode: Decode<K>) -> Result<K, Vec<Problem>> {
        let Value::Object(map) = params else {
            return Err(vec![Problem::whole(format!("`{}` takes a table", K::NAME))]);
        };
        // The name comes in as one more key, without a copy of the others.
        let resource: K = decode(map, Some(&Value::String(name.to_owned())))?;
        let problems = resource.check();
        if problems.is_empty() { Ok(resource) } else { Err(problems) }
    }
}

impl<K: Kind> KindInfo for Registration<K> {
    fn name(&self) -> &'static str {
        K::NAME
    }

    fn scope(&self) -> Scope {
        K::SCOPE
    }

    fn doc(&self) -> String {
        let schema = self.schema();
        schema.get("description").and_then(Value::as_str).unwrap_or("").to_owned()
    }

    fn fields(&self) -> &[Field] {
        self.fields.get_or_init(|| fields(&self.schema()))
    }

    fn example(&self) -> &'static str {
        K::EXAMPLE
    }

    fn schema(&self) -> Value {
        schemars::SchemaGenerator::default().into_root_schema_for::<K>().to_value()
    }

    fn inspect(&self, name: &str, params: &Value) -> Result<Footprint, Vec<Problem>> {
        Self::typed(name, params, decode).map(|resource| resource.footprint())
    }
}

impl<K: Kind> Registered for Registration<K> {
    fn word(&self) -> &'static str {
        K::NAME
    }

    fn decode(&self, name: &str, params: &Value) -> Result<Box<dyn Resource>, Vec<Problem>> {
        Ok(Box::new(Self::typed(name, params, plain)?))
    }
}

impl<K: Kind> Described for Registration<K> {
    fn decide(&self, name: &str, params: &Value, seen: Value) -> Result<Vec<Step>, String> {
        let resource = Self::typed(name, params, decode).map_err(|problems| format!("{problems:?}"))?;
        let seen: K::Seen = serde_json::from_value(seen).map_err(|error| error.to_string())?;
        Kind::plan(&resource, &seen).map_err(|failure| failure.to_string())
    }
}
