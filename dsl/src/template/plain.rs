//! Texts in which every tag is one dotted path, as `{{ inputs.port }}`: most of them, printed without a parser. Whatever is
//! anything else, or leads nowhere, is left to `template::render`, which also tells what is wrong.

use super::functions::scalar;
use super::{MAX_LOOKUPS, MAX_OUTPUT, lookup};
use serde_json::Value;

/// What the language itself names. None of them is a word of Handlebars where a dot follows.
const ROOTS: [&str; 6] = ["each", "facts", "host", "inputs", "module", "modules"];
/// Longer paths are left to who tells what is wrong with them.
const LONGEST: usize = 256;

/// What `source` comes to; `None` where that takes a parser.
pub(super) fn print(source: &str, context: &Value) -> Option<String> {
    let mut output = String::with_capacity(source.len());
    let (mut rest, mut lookups) = (source, 0);
    while let Some((head, tail)) = rest.split_once("{{") {
        let (tag, after) = tail.split_once("}}")?;
        lookups += 1;
        if head.ends_with('\\') || after.starts_with('}') || lookups > MAX_LOOKUPS {
            return None;
        }
        output.push_str(head);
        output.push_str(&scalar(lookup(context, path(tag)?)?)?);
        rest = after;
    }
    output.push_str(rest);
    (output.len() <= MAX_OUTPUT).then_some(output)
}

/// The path that is all of a tag.
pub(super) fn path(tag: &str) -> Option<&str> {
    let path = tag.trim_matches([' ', '\t', '\r', '\n']);
    let (root, rest) = path.split_once('.').filter(|_| path.len() <= LONGEST)?;
    let is_part = |part: &str| {
        part.starts_with(|first: char| first.is_ascii_alphanumeric() || first == '_')
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
            && !matches!(part, "this" | "else" | "as")
    };
    (ROOTS.contains(&root) && rest.split('.').all(is_part)).then_some(path)
}

#[cfg(test)]
mod tests {
    use super::print;
    use crate::template::{Names, Prepared};
    use serde_json::json;

    #[test]
    fn a_plain_text_is_what_the_renderer_makes_of_it() {
        let context = json!({ "inputs": { "a": "x", "n": -5, "f": 1.5, "t": true, "none": null, "l": ["p", 7],
            "0": "zero", "a-b": "dash" }, "each": { "key": "k" } });
        let names = Names::from(context.clone());
        for text in [
            "{{ inputs.a }}",
            "a{{inputs.n}}b\n{{ inputs.f\n}} { {{inputs.t}} }\n",
            "[{{ inputs.none }}] \\ {{ inputs.l.1 }} é {{ inputs.0 }}",
            "  {{each.key}}\r\n{{inputs.a-b}}}",
        ] {
            let rendered = Prepared::parse(text).and_then(|text| text.render(&names));
            let rendered = rendered.expect("it can be rendered");
            assert!(print(text, &context).is_none_or(|printed| printed == rendered), "{text}");
        }
        assert_eq!(print("{{ inputs.a }}-{{each.key}}", &context).as_deref(), Some("x-k"));
    }

    #[test]
    fn what_is_no_plain_path_takes_a_parser() {
        let context = json!({ "inputs": { "a": "x", "l": [], "this": 1 }, "len": { "x": 1 } });
        for text in [
            "{{ inputs }}",
            "{{ inputs.b }}",
            "{{ inputs.l }}",
            "{{ inputs.this }}",
            "{{ len.x }}",
            "{{upper inputs.a}}",
            "{{{ inputs.a }}}",
            "{{~ inputs.a }}",
            "{{! inputs.a }}",
            "\\{{ inputs.a }}",
            "{{#if inputs.a}}{{/if}}",
            "{{ inputs..a }}",
            "{{ inputs.a",
            "{{ inputs.[a] }}",
        ] {
            assert_eq!(print(text, &context), None, "{text}");
        }
    }
}
