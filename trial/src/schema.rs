//! JSON Schema of a file of tests, for editors: what this crate reads of it, beside the checks and drills that `dsl` does.
//! The compiler of those, and `unit::Case` and `suite` here, say what is right; this must not be stricter.

use model::SubjectInfo;
use serde_json::{Map, Value, json};

/// The schema of `tests/*.toml`.
pub fn schema(subjects: &[&dyn SubjectInfo], faults: &[&dyn SubjectInfo]) -> Value {
    let mut schema = dsl::tests_schema(subjects, faults);
    if let Some(tables) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        for (word, doc, keys) in [
            ("unit", "A test without a host: what is expected of the catalog.", unit()),
            ("box", "A test in a throwaway box: it is converged, checked, and rolled back.", in_box()),
            ("suite", "A program of your own that is run in each box of the file.", suite()),
        ] {
            let one = json!({ "type": "object", "properties": keys, "additionalProperties": false });
            let table = json!({ "type": "object", "description": doc, "additionalProperties": one });
            tables.insert(word.to_owned(), table);
        }
    }
    schema
}

/// What a test is about.
fn subject() -> Map<String, Value> {
    let mut keys = Map::new();
    for (key, doc) in [
        ("module", "The module that is tested."),
        ("role", "The role that is tested."),
        ("host", "The host of the inventory whose catalog is tested."),
        ("file", "The file of resources that is tested; its path is from the file of tests."),
    ] {
        keys.insert(key.to_owned(), json!({ "type": "string", "description": doc }));
    }
    keys.insert("roles".to_owned(), texts("The roles that are tested together."));
    keys.insert("inputs".to_owned(), json!({ "type": "object", "description": "Values for its inputs." }));
    let set = json!({ "type": "object", "description": "Values by the names that `--set` takes." });
    keys.insert("set".to_owned(), set);
    keys
}

fn unit() -> Map<String, Value> {
    let mut keys = subject();
    let facts = "What the host says of itself; facts of some Debian where nothing is said.";
    keys.insert("facts".to_owned(), json!({ "type": "object", "description": facts }));
    let expect = json!({
        "type": "object",
        "description": "What is expected of the catalog; keys of resources by \"KIND.NAME\" = { … }.",
        "properties": {
            "resources": texts("Resources that are in it."),
            "absent": texts("Resources that are not."),
            "edges": texts("What comes before what (`a -> b`), or notifies it (`a ~> b`)."),
            "error": { "type": "string", "description": "The code of an error, or words of it." },
        },
    });
    keys.insert("expect".to_owned(), expect);
    keys
}

fn in_box() -> Map<String, Value> {
    let mut keys = subject();
    let driver = "The sort of box that it needs; what `--box` says, unless said.";
    keys.insert("driver".to_owned(), json!({ "type": "string", "description": driver }));
    keys.insert("leaves".to_owned(), texts("Paths that may be otherwise after the rollback."));
    let rollback = "Whether it is rolled back at the end, and has to be as it was made.";
    keys.insert("rollback".to_owned(), json!({ "type": "boolean", "description": rollback }));
    keys
}

fn suite() -> Map<String, Value> {
    let mut keys = Map::new();
    keys.insert("argv".to_owned(), texts("The program and its arguments; it passes where it ends with 0."));
    let input = "A file beside the tests, which it gets on its standard input.";
    keys.insert("input".to_owned(), json!({ "type": "string", "description": input }));
    let timeout = "How long it may take, such as \"60s\".";
    keys.insert("timeout".to_owned(), json!({ "type": "string", "description": timeout }));
    keys
}

fn texts(doc: &str) -> Value {
    json!({ "type": "array", "items": { "type": "string" }, "description": doc })
}
