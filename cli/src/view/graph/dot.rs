//! A catalog in Graphviz's language (graphviz.org/doc/info/lang.html).

use model::{Catalog, EdgeKind};

/// Notifications are dashed; each edge tells why it is there.
pub fn dot(catalog: &Catalog) -> String {
    let mut text =
        String::from("digraph catalog {\n  rankdir=LR;\n  node [shape=box, fontname=\"monospace\"];\n");
    for (at, node) in catalog.nodes().iter().enumerate() {
        text.push_str(&format!("  n{at} [label={}];\n", quoted(&node.id.to_string())));
    }
    for edge in catalog.edges() {
        let style = match edge.kind {
            EdgeKind::Require => "",
            EdgeKind::Notify => ", style=dashed",
        };
        let why = quoted(&edge.because);
        text.push_str(&format!("  n{} -> n{} [tooltip={why}{style}];\n", edge.from, edge.to));
    }
    text.push_str("}\n");
    text
}

/// A string of the language: `"` and `\` escaped, so that nothing is taken for an escape of a label.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => out.extend(['\\', character]),
            '\n' => out.push_str("\\n"),
            other if other.is_control() => out.extend(other.escape_unicode().filter(|it| *it != '\\')),
            other => out.push(other),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn names_cannot_leave_their_quotes() {
        assert_eq!(quoted(r#"file./a"b\n"#), r#""file./a\"b\\n""#);
        assert_eq!(quoted("a\nb\u{1b}"), "\"a\\nbu{1b}\"");
    }
}
