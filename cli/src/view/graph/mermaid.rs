//! A catalog as a Mermaid flowchart (mermaid.js.org/syntax/flowchart.html).

use model::{Catalog, EdgeKind};

/// Notifications are dotted.
pub fn mermaid(catalog: &Catalog) -> String {
    let mut text = String::from("flowchart LR\n");
    for (at, node) in catalog.nodes().iter().enumerate() {
        text.push_str(&format!("  n{at}[\"{}\"]\n", escaped(&node.id.to_string())));
    }
    for edge in catalog.edges() {
        let arrow = match edge.kind {
            EdgeKind::Require => "-->",
            EdgeKind::Notify => "-.->",
        };
        text.push_str(&format!("  n{} {arrow} n{}\n", edge.from, edge.to));
    }
    text
}

/// Everything but plain characters as Mermaid's entity codes, `#35;` for `#`.
fn escaped(text: &str) -> String {
    let plain = |it: char| it.is_alphanumeric() || " ./-_@:+=".contains(it);
    text.chars().fold(String::new(), |mut out, character| {
        if plain(character) {
            out.push(character);
        } else {
            out.push_str(&format!("#{};", u32::from(character)));
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn names_cannot_leave_their_quotes() {
        assert_eq!(escaped("file./a \"b\"#"), "file./a #34;b#34;#35;");
    }
}
