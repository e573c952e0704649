//! Secrets that are named wrongly, or where none is taken. Part of the group `toml`.

use super::write::Case;

/// What stands in place of the value of an input of the type `secret`.
const NAMED: &[(&str, &str)] = &[
    ("secret-that-is-not-there", "{ secret = \"nowhere\" }"),
    ("secret-without-a-name", "{ secret = \"\" }"),
    ("secret-by-a-path-that-leads-out", "{ secret = \"../../etc/passwd\" }"),
    ("secret-by-an-absolute-path", "{ secret = \"/etc/shadow\" }"),
    ("secret-by-an-empty-table", "{}"),
    ("secret-by-a-number", "{ secret = 7 }"),
    ("secret-by-an-array", "{ secret = [\"a\", \"b\"] }"),
    ("secret-by-a-table", "{ secret = { secret = \"a\" } }"),
    ("secret-by-a-template", "{ secret = \"{{ facts.hostname }}\" }"),
    ("secret-with-another-key", "{ secret = \"a\", from = \"b\" }"),
    ("secret-by-an-unknown-key", "{ vault = \"a\" }"),
    ("secret-with-an-escape-in-its-name", "{ secret = \"a\\u001b[2J\" }"),
    ("secret-with-a-turn-in-its-name", "{ secret = \"a\\u202eb\" }"),
    ("secret-with-a-nul-in-its-name", "{ secret = \"a\\u0000\" }"),
    ("secret-by-a-number-alone", "7"),
];

/// The cases.
pub fn cases() -> Vec<Case> {
    let role = |kind: &str, value: &str, used: &str| {
        let input = format!("[inputs.pw]\ntype = \"{kind}\"\ndefault = {value}\n\n");
        format!("{input}[file.\"/tmp/a\"]\ncontent = \"{{{{ {used} }}}}\"\n").into_bytes()
    };
    let named = NAMED.iter().map(|&(name, value)| (name, role("secret", value, "inputs.pw")));
    let long = format!("{{ secret = \"{}\" }}", "a".repeat(5000));
    let listed = "[\"x\", { secrt = \"a\" }]";
    let others = [
        ("secret-with-a-long-name", role("secret", &long, "inputs.pw")),
        ("secret-in-an-array-by-an-unknown-key", role("list(secret)", listed, "inputs.pw.0")),
        ("secret-for-a-string", role("string", "{ secret = \"a\" }", "inputs.pw")),
        ("secret-in-a-key", b"[file.\"/tmp/a\"]\ncontent = { secret = \"a\" }\n".to_vec()),
        ("secret-in-an-inventory-of-nobody", b"[host.a]\nsecret = \"a\"\n".to_vec()),
    ];
    named.chain(others).collect()
}
