//! Any bytes into the compiler: it must not panic, must be told in words where it
//! is refused, and must end within a second of processor time. The first byte says
//! what the rest is: a file of resources, a template, an inventory, or an expression. Touches no file and no host.
#![no_main]

#[path = "../../cli/src/view/diagnostics.rs"]
mod diagnostics;

use dsl::{Entry, Memory, Request};
use libfuzzer_sys::fuzz_target;
use model::{Facts, KindInfo};
use rustix::time::{ClockId, clock_gettime};
use std::path::Path;

/// In milliseconds of processor time, so that a busy machine fails nothing.
const LONGEST: i64 = 1000;

fuzz_target!(|data: &[u8]| {
    let Some((first, rest)) = data.split_first() else { return };
    let started = millis();
    match first % 4 {
        0 => resources(rest),
        1 => template(rest),
        2 => inventory(rest),
        _ => expression(rest),
    }
    let took = millis() - started;
    assert!(took <= LONGEST, "took {took} ms");
});

fn millis() -> i64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec * 1000 + time.tv_nsec / 1_000_000
}

fn facts() -> Facts {
    let os = model::OsFacts {
        id: "debian".into(),
        id_like: vec!["linux".into()],
        version: "12".into(),
        codename: "bookworm".into(),
        name: "Debian GNU/Linux 12".into(),
    };
    Facts {
        os,
        hostname: "h1".into(),
        arch: "x86_64".into(),
        cpus: 2,
        addresses: vec!["10.0.0.1".into()],
        ..Facts::default()
    }
}

fn compile(entry: Entry<'_>, loader: &Memory) {
    let facts = facts();
    let kinds: Vec<&dyn KindInfo> = agent::kinds::ALL.iter().map(|kind| *kind as &dyn KindInfo).collect();
    let request = Request {
        entry,
        facts: &facts,
        sets: &[],
        library: &[],
        kinds: &kinds,
        loader,
        unseal: &dsl::NoKeys,
        texts: &dsl::Texts::default(),
    };
    let shown = match dsl::compile(&request) {
        Ok(compiled) => compiled.warnings,
        Err(diagnostics) => {
            assert!(!diagnostics.is_empty(), "refused without a word");
            diagnostics
        }
    };
    for label in shown.iter().flat_map(|diagnostic| &diagnostic.labels) {
        let (line, col) = label.span.line_col();
        assert!(line > 0 && col > 0);
        assert!(label.span.text.get(label.span.range.clone()).is_some(), "a span outside of its text");
    }
    let told = diagnostics::render(&shown, diagnostics::Color::Never);
    assert_eq!(told.is_empty(), shown.is_empty());
}

fn resources(bytes: &[u8]) {
    let loader = Memory::default()
        .with("/s/a.toml", bytes)
        .with("/s/t.hbs", "{{ facts.hostname }} {{ inputs.port }}")
        .with("/s/modules/m/module.toml", "[inputs.port]\ntype = \"integer\"\ndefault = 80\n");
    compile(Entry::File(Path::new("/s/a.toml")), &loader);
}

fn template(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let context =
        serde_json::json!({ "facts": facts(), "inputs": { "list": [1, 2], "table": { "a": null }, "n": 1 } });
    if let Err(error) = dsl::template::render(text, &context) {
        let last = text.split('\n').count();
        assert!(
            error.line >= 1 && error.line as usize <= last && error.col >= 1,
            "{error} is outside of the text"
        );
    }
    let loader = Memory::default()
        .with("/s/a.toml", "[file.\"/tmp/a\"]\ntemplate = \"t.hbs\"\n")
        .with("/s/t.hbs", bytes);
    compile(Entry::File(Path::new("/s/a.toml")), &loader);
}

fn inventory(bytes: &[u8]) {
    let loader = Memory::default()
        .with("/s/keel.toml", "[project]\nname = \"s\"\n")
        .with("/s/roles/web.toml", "[inputs.port]\ntype = \"integer\"\ndefault = 80\n[file.\"/tmp/a\"]\ncontent = \"{{inputs.port}}\"\n")
        .with("/s/hosts.toml", bytes);
    compile(Entry::Site { root: Path::new("/s"), host: Some("web1"), roles: &[] }, &loader);
    if let Ok(hosts) = dsl::hosts(Path::new("/s"), &loader) {
        for host in hosts {
            assert!(!host.address.starts_with('-') && !host.name.starts_with('-'), "an option as a host");
        }
    }
}

fn expression(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let context =
        serde_json::json!({ "facts": facts(), "inputs": { "list": [1, 2], "table": { "a": null }, "n": 1 } });
    let value = dsl::expr::Expression::parse(text).and_then(|parsed| parsed.eval(&context));
    if let Err(error) = value {
        assert!(
            error.offset <= text.len() && text.is_char_boundary(error.offset),
            "{error} is outside of the text"
        );
    }
}
