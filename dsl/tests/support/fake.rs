//! A few kinds for tests of the compiler alone, shaped like the real ones.

use model::{
    Claim, Field, Footprint, HostPath, KindInfo, Merge, Presence, Problem, Runtime, Scope, Taint, Thing,
};
use serde_json::Value;

/// A kind made of data.
pub struct Fake {
    name: &'static str,
    scope: Scope,
    fields: Vec<Field>,
    footprint: fn(&str, &Value) -> Result<Footprint, Vec<Problem>>,
}

impl KindInfo for Fake {
    fn name(&self) -> &'static str {
        self.name
    }

    fn scope(&self) -> Scope {
        self.scope
    }

    fn doc(&self) -> String {
        String::new()
    }

    fn fields(&self) -> &[Field] {
        &self.fields
    }

    fn example(&self) -> &'static str {
        ""
    }

    fn schema(&self) -> Value {
        Value::Null
    }

    fn inspect(&self, name: &str, params: &Value) -> Result<Footprint, Vec<Problem>> {
        (self.footprint)(name, params)
    }
}

fn field(name: &str) -> Field {
    let (taint, runtime) = match name {
        "content" | "command" => (Taint::Sensitive, Runtime::Plain),
        "password_hash" => (Taint::Always, Runtime::Plain),
        "source" => (Taint::Never, Runtime::Source),
        "template" => (Taint::Never, Runtime::Template),
        "htdocs" => (Taint::Never, Runtime::Tree),
        "purge" => (Taint::Never, Runtime::Claims),
        "validate" => (Taint::Sensitive, Runtime::Path),
        _ => (Taint::Never, Runtime::Plain),
    };
    let merge = if name == "groups" { Merge::Union } else { Merge::Equal };
    let default = if name == "ensure" { "\"present\"".to_owned() } else { String::new() };
    let (doc, expects) = (String::new(), "string".to_owned());
    Field { name: name.to_owned(), doc, expects, required: name == "command", default, merge, taint, runtime }
}

fn owns(params: &Value, thing: Thing, wants: Vec<Thing>) -> Footprint {
    let absent = params.get("ensure").and_then(Value::as_str) == Some("absent");
    let presence = if absent { Presence::Absent } else { Presence::Present };
    Footprint { claims: vec![Claim { thing, presence }], wants }
}

fn path(name: &str, params: &Value) -> Result<Footprint, Vec<Problem>> {
    let path = HostPath::new(name).map_err(|message| vec![Problem::whole(message)])?;
    if params.get("mode").is_some_and(|mode| !mode.is_string()) {
        return Err(vec![
            Problem::at("mode", "expected a string").help("write the mode in quotes: \"0644\""),
        ]);
    }
    let mut wants: Vec<Thing> = path.parent().into_iter().map(Thing::Path).collect();
    let owner = params.get("owner").and_then(Value::as_str).map(|name| Thing::User(name.to_owned()));
    wants.extend(owner);
    Ok(owns(params, Thing::Path(path), wants))
}

/// The kinds of the tests.
pub fn kinds() -> Vec<Fake> {
    let kind = |name, scope, fields: &[&str], footprint| {
        let fields = fields.iter().map(|name| field(name)).collect();
        Fake { name, scope, fields, footprint }
    };
    let of_file = ["ensure", "content", "source", "template", "owner", "mode", "validate", "sensitive"];
    vec![
        kind("file", Scope::Host, &of_file, path),
        kind("directory", Scope::Host, &["ensure", "owner", "mode", "purge", "exclude", "htdocs"], path),
        kind("package", Scope::Host, &["ensure", "version"], |name, params| {
            Ok(owns(params, Thing::Package(name.to_owned()), Vec::new()))
        }),
        kind("service", Scope::Host, &["running"], |name, _| {
            Ok(Footprint { claims: Vec::new(), wants: vec![Thing::Package(name.to_owned())] })
        }),
        kind("user", Scope::Host, &["ensure", "groups", "password_hash"], |name, params| {
            Ok(owns(params, Thing::User(name.to_owned()), Vec::new()))
        }),
        kind("mount", Scope::Host, &["ensure"], |name, params| {
            let path = HostPath::new(name).map_err(|message| vec![Problem::whole(message)])?;
            let wants = path.parent().into_iter().map(Thing::Path).collect();
            Ok(owns(params, Thing::Mount(path), wants))
        }),
        kind("exec", Scope::Module, &["command", "timeout"], |_, _| Ok(Footprint::default())),
    ]
}
