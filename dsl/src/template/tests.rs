//! Tables of templates: what they print, and where they fail.

use super::{lookup, render, whole_path};
use serde_json::{Value, json};

fn context() -> Value {
    json!({
        "inputs": {
            "port": 8080, "ports": [80, 443], "name": "Web", "off": false, "none": null, "empty": [], "maybe": {"x": 1},
            "users": [{"name": "ann", "uid": 1}, {"name": "bob", "uid": 2}],
            "tls": {"cert": "/c", "key file": "/k"}, "quote": "it's", "text": "a\n\nb\n",
        },
        "facts": {"os": {"id": "debian"}},
    })
}

fn prints(source: &str, expected: &str) {
    assert_eq!(render(source, &context()).as_deref(), Ok(expected), "{source}");
}

fn fails(source: &str, line: u32, col: u32, message: &str) -> Option<String> {
    let error = render(source, &context()).expect_err(source);
    assert_eq!((error.line, error.col, error.message.as_str()), (line, col, message), "{source}");
    error.help
}

const PRINTED: &[(&str, &str)] = &[
    ("", ""),
    ("plain } text", "plain } text"),
    ("{{inputs.port}}/{{ inputs.name }}/{{inputs.off}}/{{inputs.none}}", "8080/Web/false/"),
    ("<{{{inputs.quote}}}>{{&inputs.quote}}{{inputs.quote}}", "<it's>it'sit's"),
    ("{{#if inputs.off}}a{{else if inputs.none}}b{{else}}c{{/if}}", "c"),
    ("{{#if inputs.off}}a{{else if inputs.port}}b{{else}}c{{/if}}", "b"),
    ("{{#unless inputs.off}}a{{/unless}}", "a"),
    ("{{#each inputs.ports}}{{@index}}:{{this}}{{#unless @last}},{{/unless}}{{/each}}", "0:80,1:443"),
    ("{{#each inputs.users}}{{name}}@{{../inputs.port}} {{/each}}", "ann@8080 bob@8080 "),
    (
        "{{#each inputs.users as |u i|}}{{i}}{{u.name}}{{@root.facts.os.id}} {{/each}}",
        "0anndebian 1bobdebian ",
    ),
    ("{{#each inputs.maybe}}{{@key}}={{this}}{{/each}}", "x=1"),
    ("{{#each inputs.empty}}x{{else}}none{{/each}}{{#each inputs.empty}}x{{/each}}", "none"),
    ("{{#with inputs.tls}}{{cert}} {{[key file]}}{{/with}}", "/c /k"),
    ("{{inputs.ports.1}} {{inputs.ports.[0]}} {{inputs.users.1.name}}", "443 80 bob"),
    ("a {{~ inputs.port ~}} b", "a8080b"),
    ("{{#if inputs.port}}\nyes\n{{/if}}\nend\n", "yes\nend\n"),
    ("{{! no {{#if}} }}x{{!-- {{#if}} --}}y", " }}xy"),
    (r"\{{inputs.port}} \\{{inputs.port}}", r"{{inputs.port}} \8080"),
    ("{{{{raw}}}}{{#if x}} {{y}}{{{{/raw}}}}", "{{#if x}} {{y}}"),
    (
        "{{#each inputs.users}}{{#each ../inputs.ports}}{{this}}{{../name}} {{/each}}{{/each}}",
        "80ann 443ann 80bob 443bob ",
    ),
];

#[test]
fn prints_values_and_blocks() {
    for &(source, expected) in PRINTED {
        prints(source, expected);
    }
}

const HELPED: &[(&str, &str)] = &[
    ("{{join inputs.ports \", \"}} {{join inputs.empty \",\"}}", "80, 443 "),
    ("{{default inputs.none \"x\"}}{{default inputs.port 1}}", "x8080"),
    ("{{lower inputs.name}}{{upper inputs.name}}{{upper \"é\"}}", "webWEBÉ"),
    ("{{json inputs.tls}} {{json inputs.name}}", r#"{"cert":"/c","key file":"/k"} "Web""#),
    ("{{shell_quote inputs.quote}} {{shell_quote \"\"}} {{shell_quote 1}}", r"'it'\''s' '' '1'"),
    ("{{indent 2 inputs.text}}", "  a\n\n  b\n"),
    ("{{len inputs.ports}}{{len inputs.name}}{{len inputs.tls}}", "232"),
    ("{{lookup inputs.tls \"cert\"}}{{lookup inputs.ports 1}}", "/c443"),
    ("{{#each inputs.ports}}{{len (lookup ../inputs.users @index)}}{{/each}}", "22"),
    (
        "{{#if (and inputs.port (eq inputs.name \"Web\"))}}1{{/if}}{{#if (or inputs.off (not inputs.none))}}2{{/if}}",
        "12",
    ),
    (
        "{{#if (gt inputs.port 80)}}1{{/if}}{{#eq inputs.port 8080}}2{{/eq}}{{ne 1 2}}{{lte 1 1}}{{gte 1 2}}",
        "12truetruefalse",
    ),
    (
        "{{#if (has inputs \"port\")}}1{{/if}}{{#if (has inputs \"prot\")}}2{{/if}}{{has inputs.ports 443}}",
        "1true",
    ),
    ("{{#each (lookup inputs \"users\")}}{{name}}{{/each}}", "annbob"),
    ("{{(lower inputs.name)}}", "web"),
    ("{{#if 0 includeZero=true}}z{{/if}}", "z"),
];

#[test]
fn has_helpers() {
    for &(source, expected) in HELPED {
        prints(source, expected);
    }
}

const UNDEFINED: &[(&str, u32, u32, &str)] = &[
    ("x\n  {{ inputs.prot }}", 2, 13, "`inputs` has no `prot`"),
    ("é {{input.port}}", 1, 5, "`input` is not defined"),
    ("{{#if inputs.tsl}}x{{/if}}", 1, 14, "`inputs` has no `tsl`"),
    ("{{#unless gone}}x{{/unless}}", 1, 11, "`gone` is not defined"),
    ("{{#if inputs.off}}a\n{{else if inputs.of}}b{{/if}}", 2, 18, "`inputs` has no `of`"),
    ("{{#if inputs.off}}{{/if}}{{#if inputs.off}}{{else}}\n{{x}}{{/if}}", 2, 3, "`x` is not defined"),
    ("{{#each inputs.users}}\n {{nam}}\n{{/each}}", 2, 4, "`nam` is not defined"),
    ("{{#each inputs.users}}{{inputs.port}}{{/each}}", 1, 25, "`inputs` is not defined"),
    ("{{#each inputs.users}}{{../inputs.prot}}{{/each}}", 1, 35, "`../inputs` has no `prot`"),
    ("{{#each inputs.users as |u|}}{{u.nme}}{{/each}}", 1, 34, "`u` has no `nme`"),
    ("{{#each inputs.ports}}{{@idx}}{{/each}}", 1, 25, "`@idx` is not defined"),
    ("{{@index}}", 1, 3, "`@index` is not defined"),
    ("{{#with inputs.tls}}{{ crt }}{{/with}}", 1, 24, "`crt` is not defined"),
    ("{{#each inputs.gone}}{{/each}}", 1, 16, "`inputs` has no `gone`"),
    ("{{inputs.port.x}}", 1, 15, "`inputs.port` is a number, it has no `x`"),
    ("{{inputs.none.x}}", 1, 15, "`inputs.none` is null, it has no `x`"),
    ("{{inputs.ports.9}}", 1, 16, "`inputs.ports` is a list, it has no `9`"),
    ("{{inputs.ports.first}}", 1, 16, "`inputs.ports` is a list, it has no `first`"),
    ("{{upper \"prot\"}} {{join inputs.prts \",\"}}", 1, 32, "`inputs` has no `prts`"),
    ("{{#if (and inputs.port (eq inputs.nam \"x\"))}}x{{/if}}", 1, 35, "`inputs` has no `nam`"),
    ("{{#if (eq inputs.port inputs.prt)}}{{/if}}", 1, 30, "`inputs` has no `prt`"),
    ("{{~#if gone~}}x{{~/if~}}", 1, 8, "`gone` is not defined"),
    ("{{{ gone }}}", 1, 5, "`gone` is not defined"),
    ("{{default gone 1}}", 1, 11, "`gone` is not defined"),
    ("{{@root.gone}}", 1, 9, "`@root` has no `gone`"),
    ("{{this.gone}}", 1, 8, "`this` has no `gone`"),
    ("{{#each inputs.port}}{{/each}}", 1, 9, "`each` wants a list or a table, and `inputs.port` is a number"),
    ("{{inputs.ports}}", 1, 3, "a list cannot be printed"),
    ("a {{inputs}}", 1, 5, "a table cannot be printed"),
    ("{{len}}", 1, 3, "`len` is not defined"),
];

#[test]
fn refuses_what_is_not_defined_where_it_stands() {
    for &(source, line, col, message) in UNDEFINED {
        fails(source, line, col, message);
    }
}

const MALFORMED: &[(&str, u32, u32, &str)] = &[
    ("a\n{{#if inputs.port}}x", 2, 1, "`{{#if}}` is never closed"),
    ("{{#if inputs.port}}x{{/each}}", 1, 21, "`{{/each}}` closes `{{#if}}`, opened in line 1"),
    ("x{{/if}}", 1, 2, "`{{/if}}` closes nothing"),
    ("{{else}}", 1, 1, "`else` outside of a block"),
    ("{{else if x}}", 1, 1, "`else` outside of a block"),
    ("{{#if inputs.off}}\n{{elseif inputs.port}}{{/if}}", 2, 1, "`elseif` reads as `else if`"),
    ("{{elsewhere}}", 1, 1, "`elsewhere` reads as `else where`"),
    ("{{ ~ > other}}", 1, 1, "templates have no partials and no decorators"),
    ("{{ inputs.port }", 1, 1, "this tag is never closed"),
    ("{{", 1, 1, "this tag is never closed"),
    ("{{! x", 1, 1, "this tag is never closed"),
    ("{{ 'x }}", 1, 1, "this tag is never closed"),
    ("{{{{raw}}}} x", 1, 1, "this tag is never closed"),
    ("{{> other}}", 1, 1, "templates have no partials and no decorators"),
    ("{{#> other}}{{/other}}", 1, 1, "templates have no partials and no decorators"),
    ("{{#*inline \"x\"}}{{/inline}}", 1, 1, "templates have no partials and no decorators"),
    ("{{jion inputs.ports \",\"}}", 1, 3, "there is no helper `jion`"),
    ("{{#if inputs.off}}{{nope 1}}{{/if}}", 1, 21, "there is no helper `nope`"),
    ("{{#inputs}}{{/inputs}}", 1, 4, "there is no helper `inputs`"),
    ("{{log inputs}}", 1, 3, "there is no helper `log`"),
    ("{{upper (nope 1)}}", 1, 10, "there is no helper `nope`"),
    ("{{if inputs.off \"a\" \"b\"}}", 1, 3, "`if` is a block"),
    ("{{#upper \"a\"}}{{/upper}}", 1, 4, "`upper` is no block"),
    ("{{join inputs.ports}}", 1, 3, "`join` takes 2 arguments, not 1"),
    ("{{#if a b}}{{/if}}", 1, 4, "`if` takes one argument, not 2"),
    ("{{upper inputs.name how=1}}", 1, 21, "`upper` has no option `how`"),
    ("{{.lookup \"x\"}}", 1, 3, "this cannot be read as a template"),
];

#[test]
fn refuses_what_is_not_a_template() {
    for &(source, line, col, message) in MALFORMED {
        fails(source, line, col, message);
    }
}

const MISTYPED: &[(&str, u32, &str)] = &[
    ("{{join inputs.port \",\"}}", 3, "`join` wants a list, not a number"),
    ("{{join inputs.users \",\"}}", 3, "`join` wants a list of plain values, not a table"),
    ("{{lower inputs.none}}", 3, "`lower` wants a text, not null"),
    ("{{#if (upper inputs.ports)}}{{/if}}", 4, "`upper` wants a text, not a list"),
    ("{{indent 999 \"a\"}}", 3, "`indent` wants a number from 0 to 256 first, not a number"),
    ("{{lookup inputs.tls \"x\"}}", 3, "the table has no such key"),
    ("{{lookup inputs.ports 7}}", 3, "the index is beyond the list's 2 elements"),
    ("{{lookup inputs.ports \"a\"}}", 3, "`lookup` wants a number as the index of a list, not a text"),
    ("{{#with inputs.none}}{{/with}}", 4, "the argument is empty, and there is no `{{else}}`"),
    ("{{shell_quote \"a\\u0000\"}}", 3, "a word for a shell cannot hold a NUL"),
];

#[test]
fn refuses_arguments_of_the_wrong_type() {
    for &(source, col, message) in MISTYPED {
        fails(source, 1, col, message);
    }
}

const MEANT: &[(&str, &str)] = &[
    ("{{inputs.prot}}", "did you mean `port`?"),
    ("{{fact.os}}", "did you mean `facts`?"),
    ("{{#if}}", "end it with `{{/if}}`"),
    (
        "{{#each inputs.users}}{{inputs.port}}{{/each}}",
        "paths in this block start at the block's value: write `@root.inputs`",
    ),
    ("{{#each inputs.users}}{{nam}}{{/each}}", "did you mean `name`?"),
    ("{{#each inputs.users}}{{@inedx}}{{/each}}", "did you mean `@index`?"),
    ("{{inputs.ports.7}}", "a list has the elements 0 to 1"),
    ("{{facts.zzz}}", "there is `os`"),
    ("{{jion inputs.ports \",\"}}", "did you mean `join`?"),
    ("{{#inputs}}{{/inputs}}", "write `{{#if inputs}}` or `{{#each inputs}}`"),
    ("{{#if a}}{{/unless}}", "write `{{/if}}`"),
];

#[test]
fn says_what_was_meant() {
    for &(source, help) in MEANT {
        let error = render(source, &context()).expect_err(source);
        assert_eq!(error.help.as_deref(), Some(help), "{source}");
    }
}

#[test]
fn is_bounded_in_depth_of_blocks() {
    let deep = |n: usize| "{{#if inputs.port}}".repeat(n) + "x" + &"{{/if}}".repeat(n);
    prints(&deep(64), "x");
    fails(&deep(65), 1, 64 * 19 + 1, "blocks nest deeper than 64");
    let chain = |n: usize| format!("{{{{#if inputs.off}}}}{}{{{{/if}}}}", "{{else if inputs.off}}".repeat(n));
    prints(&chain(63), "");
    assert!(render(&chain(64), &context()).is_err());
}

/// Nesting in the forms that the grammar allows and that are easy to overlook.
fn hidden_nesting(depth: usize) -> Vec<String> {
    let inside =
        ["{{elseif inputs.off}}", "{{^if inputs.off}}", "{{ ~ else if inputs.off}}", "{{~^ if inputs.off}}"];
    let blocks = [
        "{{ ~#if inputs.port}}",
        "{{~ # if inputs.port}}",
        "{{\n#if inputs.port}}",
        "\\\\{{#if inputs.port}}",
    ];
    let chains = inside.iter().map(|tag| format!("{{{{#if inputs.off}}}}{}{{{{/if}}}}", tag.repeat(depth)));
    let nested = blocks.iter().map(|tag| tag.repeat(depth) + &"{{/if}}".repeat(depth));
    let lists = ["[", "{\"a\":[", "[1,[", "(upper ", "{\"a\":"];
    let brackets = lists.iter().map(|open| format!("{{{{json {}", open.repeat(depth)));
    chains.chain(nested).chain(brackets).collect()
}

#[test]
fn is_bounded_in_depth_of_whatever_nests() {
    for source in hidden_nesting(20_000) {
        assert!(render(&source, &context()).is_err(), "{}", &source[..60]);
    }
    for source in hidden_nesting(20) {
        if let Err(error) = render(&source, &context()) {
            assert!(!error.message.contains("deeper"), "{error}: {}", &source[..60]);
        }
    }
}

#[test]
fn is_bounded_in_depth_of_brackets() {
    let nested = |n: usize| format!("{{{{upper {}\"a\"{}}}}}", "(upper ".repeat(n), ")".repeat(n));
    prints(&nested(64), "A");
    assert!(render(&nested(65), &context()).is_err());
    for source in [
        "{{#if a}}".repeat(100_000),
        "{{#if a}}{{else if b}}".repeat(50_000),
        "{{upper ".to_owned() + &"(".repeat(100_000),
        "{{a [".to_owned() + &"[".repeat(100_000),
    ] {
        assert!(render(&source, &context()).is_err());
    }
}

#[test]
fn is_bounded_in_time_and_size() {
    let ten = json!({ "l": vec![0; 10] });
    let loops = "{{#each @root.l}}".repeat(12) + &"{{/each}}".repeat(12);
    let error = render(&loops, &ten).expect_err("10^12 rounds");
    assert_eq!(error.message, "the template looks up more than 524288 values");
    let loud = "{{#each @root.l}}".repeat(6) + &"x".repeat(1000) + &"{{/each}}".repeat(6);
    assert_eq!(render(&loud, &ten).expect_err("10^9 bytes").message, "the output is larger than 16 MiB");
    let joins = format!("{{{{len {}\"x\"{}}}}}", "(join l ".repeat(60), ")".repeat(60));
    assert_eq!(render(&joins, &ten).expect_err("9^60 bytes").message, "the output is larger than 16 MiB");
}

#[test]
fn renders_nothing_twice() {
    let context = json!({ "a": "{{b}}", "b": "x" });
    assert_eq!(render("{{a}}", &context).as_deref(), Ok("{{b}}"));
}

const WHOLE: &[(&str, Option<&str>)] = &[
    ("{{ inputs.port }}", Some("inputs.port")),
    ("{{a}}", Some("a")),
    ("{{ports.0}}", Some("ports.0")),
    (" {{a}}", None),
    ("{{a}}{{b}}", None),
    ("{{{a}}}", None),
    ("{{a b}}", None),
    ("{{a..b}}", None),
    ("{{@root.a}}", None),
    ("{{}}", None),
    ("{{else}}", None),
    ("{{!a}}", None),
];

#[test]
fn knows_a_whole_path() {
    for &(source, expected) in WHOLE {
        assert_eq!(whole_path(source), expected, "{source}");
    }
    assert_eq!(lookup(&context(), "inputs.users.1.uid"), Some(&json!(2)));
    assert_eq!(lookup(&context(), "inputs.users.x"), None);
}
