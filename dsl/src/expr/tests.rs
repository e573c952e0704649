//! Tables of expressions: their values, and where they fail.

use super::{Error, Expression};
use serde_json::{Value, json};

fn context() -> Value {
    json!({
        "inputs": {
            "tls": true, "port": 443, "ratio": 0.5, "none": null, "big": u64::MAX, "names": ["a", "b"],
            "hosts": {"web": {"cpus": 4}, "db": {"cpus": 8}}, "é": "ü",
        },
        "facts": {"os": {"id": "ubuntu", "version": "24.04"}, "cpus": 2},
    })
}

fn value(text: &str) -> Result<Value, Error> {
    Expression::parse(text)?.eval(&context())
}

const VALUES: &[(&str, &str)] = &[
    ("true", "true"),
    ("facts.os.id == 'ubuntu' && inputs.tls", "true"),
    ("inputs.port + 1", "444"),
    ("inputs.port == 443", "true"),
    ("inputs.port > 80.5", "true"),
    ("inputs.ratio * 2.0", "1.0"),
    ("inputs.big", "18446744073709551615"),
    ("-1", "-1"),
    ("inputs.none == null", "true"),
    ("inputs.names", r#"["a","b"]"#),
    ("inputs.names[1]", r#""b""#),
    ("inputs['port']", "443"),
    ("inputs['é'] + \"ä\"", r#""üä""#),
    ("'a' in inputs.names", "true"),
    ("'web' in inputs.hosts && !('x' in inputs.hosts)", "true"),
    ("size(inputs.names) + size('abc') + size(inputs.hosts)", "7"),
    ("inputs.names.size()", "2"),
    ("facts.os.version.startsWith('24') && facts.os.version.endsWith('04')", "true"),
    ("facts.os.id.contains('bun') && facts.os.version.matches('^[0-9]+[.]04$')", "true"),
    ("has(inputs.tls) && !has(inputs.nope)", "true"),
    ("inputs.tls ? 'yes' : 'no'", r#""yes""#),
    ("inputs.names.map(n, n + '.org')", r#"["a.org","b.org"]"#),
    ("inputs.names.filter(n, n != 'a')", r#"["b"]"#),
    ("inputs.hosts.exists(h, inputs.hosts[h].cpus > 4)", "true"),
    ("inputs.names.all(n, inputs.names.exists(m, m == n))", "true"),
    ("{'a': 1, 'b': [2, {}]}", r#"{"a":1,"b":[2,{}]}"#),
    ("int('12') + int(1.9)", "13"),
    ("string(inputs.port) + ':' + string(true)", r#""443:true""#),
    ("7 / 2 + 7 % 2", "4"),
    ("[1, 2] + [3]", "[1,2,3]"),
    ("inputs.none != null && inputs.none.x", "false"),
];

#[test]
fn has_values() {
    for &(text, expected) in VALUES {
        let expected: Value = serde_json::from_str(expected).expect(text);
        assert_eq!(value(text), Ok(expected), "{text}");
    }
}

const ERRORS: &[(&str, usize, &str)] = &[
    ("", 0, "the expression is empty"),
    ("inputs.prot", 7, "`inputs` has no `prot`"),
    ("'é' == inputs['é'] || input.x", 24, "`input` is not defined"),
    ("facts.os.id == 'x' && fact.os.id == 'y'", 22, "`fact` is not defined"),
    ("true || gone", 8, "`gone` is not defined"),
    ("facts.os.idd == 'x'", 9, "`facts.os` has no `idd`"),
    ("inputs.tls && inputs.names.exists(n, n == inputs.nam)", 49, "`inputs` has no `nam`"),
    ("inputs.names.map(n, nn)", 20, "`nn` is not defined"),
    ("inputs['prot']", 7, "there is no key `prot`"),
    ("inputs.hosts[facts.os.id]", 0, "there is no such key"),
    ("startWith('a')", 0, "there is no function `startWith`"),
    ("false && inputs.names.siez() > 1", 22, "there is no function `siez`"),
    ("inputs.port + 'a'", 12, "`+` cannot be applied to int and string"),
    ("inputs.names[7]", 0, "the index is beyond the end of the list"),
    ("1 / 0", 0, "this divides by zero"),
    ("9223372036854775807 + 1", 0, "the result is too large for an integer"),
    ("inputs.port.x", 12, "`inputs.port` is a number, it has no `x`"),
    ("inputs.tls &&", 13, "the expression ends too early"),
    ("inputs.tls = 1", 11, "this cannot be read as an expression"),
    ("'a", 0, "this cannot be read as an expression"),
    ("'é' = 1", 5, "this cannot be read as an expression"),
    ("var + 1", 0, "this word is reserved"),
    ("inputs.names['a']", 12, "`[` cannot be applied to list and string"),
    ("-facts.os.id", 0, "`-` cannot be applied to string"),
    ("1 in inputs.port", 2, "`in` cannot be applied to int and int"),
    ("inputs.port && true", 12, "`&&` cannot be applied to int and bool"),
    ("size(1)", 0, "`size` cannot be applied to int"),
    ("facts.os.id.matches('(')", 12, "`matches` failed"),
    ("inputs.tls ? gone : 1", 13, "`gone` is not defined"),
    ("inputs.port ? 1 : 2", 0, "this expression has no value: a value has the wrong type"),
    ("int('x')", 0, "`int` failed"),
    ("-9223372036854775808 / -1", 0, "the result is too large for an integer"),
    ("[1].map(x, y)", 11, "`y` is not defined"),
    ("1 +* 2", 3, "this cannot be read as an expression"),
    ("a b", 2, "this cannot be read as an expression"),
    ("b'x'", 0, "the expression is of type bytes, which is no value here"),
    ("1.0 / 0.0", 0, "the expression has no finite value"),
];

#[test]
fn has_errors_at_their_place() {
    let mut wrong = Vec::new();
    for &(text, offset, message) in ERRORS {
        let error = value(text).expect_err(text);
        if (error.offset, error.message.as_str()) != (offset, message) {
            wrong.push((text, error));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn says_what_was_meant() {
    for (text, help) in [
        ("inputs.prot", "did you mean `port`?"),
        ("facts.os.Version", "did you mean `version`?"),
        ("fact.cpus", "did you mean `facts`?"),
        ("startWith('a')", "did you mean `startsWith`?"),
    ] {
        assert_eq!(value(text).expect_err(text).help.as_deref(), Some(help), "{text}");
    }
}

/// Beyond a limit, or without end.
fn monsters() -> Vec<String> {
    let repeated = [("1+", 2000), ("!", 4000), ("-", 4000), ("[", 4000), ("{1:", 1000), ("x ? 1 : ", 500)];
    let others = [
        ("a ", 2000),
        (" ", 5000),
        ("'", 4000),
        ("\\", 4000),
        ("a.a.", 1000),
        ("(", 33),
        ("\"\"\"", 1001),
        ("1 in ", 800),
        ("a:", 2000),
    ];
    repeated.iter().chain(&others).map(|(text, times)| text.repeat(*times)).collect()
}

#[test]
fn is_bounded() {
    let nested = |n: usize| format!("{}1{}", "(".repeat(n), ")".repeat(n));
    assert_eq!(value(&nested(32)), Ok(json!(1)));
    assert!(value(&nested(33)).is_err());
    let loops = |n: usize| (0..n).fold("1".to_owned(), |inner, at| format!("[1].map(v{at}, {inner})"));
    assert_eq!(value(&loops(2)), Ok(json!([[1]])));
    assert!(value(&loops(3)).is_err());
    for text in monsters() {
        assert!(value(&text).is_err(), "{text}");
    }
    assert_eq!(value(&("1+".repeat(250) + "1")), Ok(json!(251)));
    assert_eq!(value(&("!".repeat(250) + "true")), Ok(json!(true)));
    assert_eq!(value(&("true || ".repeat(120) + "true")), Ok(json!(true)));
    assert_eq!(value(&("true ? 1 : ".repeat(80) + "1")), Ok(json!(1)));
}
