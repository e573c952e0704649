//! A catalog as a picture: a box a resource, a line an edge; a notification is dashed. Pointing at either tells where it was
//! said. `layout` has said where everything goes.

use super::layout::{BOX_HEIGHT, layout};
use model::{Catalog, Edge, EdgeKind, Node};

/// Longest name that is shown whole, in characters.
const LONGEST: usize = 44;
/// Width of a character of the name, in tenths of a pixel.
const CHARACTER: usize = 73;
/// Border and background of kinds, in the order in which they are met.
const COLORS: [(&str, &str); 10] = [
    ("#2563a8", "#eaf2fb"),
    ("#2f7d4f", "#eaf6ee"),
    ("#a35c00", "#fdf3e3"),
    ("#8b3a8f", "#f8ecf8"),
    ("#b03a3a", "#fdeeee"),
    ("#1b7f86", "#e6f5f6"),
    ("#6a5acd", "#efedfb"),
    ("#7a6a1f", "#f7f4e0"),
    ("#566573", "#eff2f4"),
    ("#c2457a", "#fcecf3"),
];
const STYLE: &str = "text{font-family:ui-monospace,Menlo,Consolas,'DejaVu Sans Mono',monospace}\
    .k{font-size:10px}.n{font-size:12px;fill:#1d2329}path{fill:none;stroke:#8d99a6;stroke-width:1.3}";

/// The picture.
pub fn svg(catalog: &Catalog) -> String {
    let names: Vec<String> = catalog.nodes().iter().map(|node| shortened(node.id.name())).collect();
    let widths: Vec<i64> = catalog.nodes().iter().zip(&names).map(|(node, name)| width(node, name)).collect();
    let found = layout(catalog, &widths);
    let (width, height) = found.size;
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\">\n<style>{STYLE}</style>\n\
         <defs><marker id=\"tip\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"7\" markerHeight=\"7\" \
         orient=\"auto\"><path d=\"M0 0 8 4 0 8z\" style=\"fill:#8d99a6;stroke:none\"/></marker></defs>\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n"
    );
    for (edge, route) in catalog.edges().iter().zip(&found.routes) {
        text.push_str(&line(catalog, edge, route));
    }
    let kinds = kinds(catalog);
    for ((node, name), corner) in catalog.nodes().iter().zip(&names).zip(&found.boxes) {
        let color = kinds.iter().position(|kind| *kind == node.id.kind()).unwrap_or(0);
        text.push_str(&boxed(node, name, *corner, COLORS[color % COLORS.len()]));
    }
    text.push_str("</svg>\n");
    text
}

/// Kinds in the order in which they are met.
fn kinds(catalog: &Catalog) -> Vec<&str> {
    let mut kinds: Vec<&str> = Vec::new();
    for node in catalog.nodes() {
        if !kinds.contains(&node.id.kind()) {
            kinds.push(node.id.kind());
        }
    }
    kinds
}

fn width(node: &Node, name: &str) -> i64 {
    let longest = name.chars().count().max(node.id.kind().len());
    i64::try_from(longest * CHARACTER / 10 + 22).unwrap_or(i64::MAX)
}

/// A long name without its middle.
fn shortened(name: &str) -> String {
    let characters: Vec<char> = name.chars().collect();
    if characters.len() <= LONGEST {
        return name.to_owned();
    }
    let (head, tail) =
        (&characters[..LONGEST / 3], &characters[characters.len() - (LONGEST - LONGEST / 3 - 1)..]);
    head.iter().chain(&['…']).chain(tail).collect()
}

fn boxed(node: &Node, name: &str, (x, y, width): (i64, i64, i64), (border, ground): (&str, &str)) -> String {
    let origins: Vec<String> = node.origins.iter().map(ToString::to_string).collect();
    let title = escaped(&format!("{}\n{}", node.id, origins.join("\n")));
    let (kind, name) = (escaped(node.id.kind()), escaped(name));
    let (left, above, below) = (x + 11, y + 16, y + 31);
    format!(
        "<g><title>{title}</title><rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{BOX_HEIGHT}\" rx=\"5\" \
         fill=\"{ground}\" stroke=\"{border}\"/><text class=\"k\" x=\"{left}\" y=\"{above}\" fill=\"{border}\">{kind}</text>\
         <text class=\"n\" x=\"{left}\" y=\"{below}\">{name}</text></g>\n"
    )
}

fn line(catalog: &Catalog, edge: &Edge, route: &[(i64, i64)]) -> String {
    let Some(((x, y), rest)) = route.split_first() else { return String::new() };
    let mut path = format!("M{x} {y}");
    let (mut from, mut level) = ((*x, *y), false);
    for (x, y) in rest {
        // Curved between columns, straight within one.
        let middle = i64::midpoint(from.0, *x);
        path.push_str(&if level {
            format!("H{x}")
        } else {
            format!("C{middle} {} {middle} {y} {x} {y}", from.1)
        });
        (from, level) = ((*x, *y), !level);
    }
    let ends = [edge.from, edge.to].map(|at| catalog.nodes()[at].id.to_string());
    let title = escaped(&format!("{}\n{}", ends.join(" -> "), edge.because));
    let dashes = match edge.kind {
        EdgeKind::Require => "",
        EdgeKind::Notify => " stroke-dasharray=\"5 4\"",
    };
    format!("<path d=\"{path}\"{dashes} marker-end=\"url(#tip)\"><title>{title}</title></path>\n")
}

/// Text of XML; control characters, which XML does not know, are spelt out.
fn escaped(text: &str) -> String {
    text.chars().fold(String::new(), |mut out, character| {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' => out.push('\n'),
            other if other.is_control() => out.extend(other.escape_unicode()),
            other => out.push(other),
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use super::{shortened, svg};
    use model::{Catalog, Edge, EdgeKind, Id, Node};

    fn node(id: &str) -> Node {
        let id = Id::parse(id).expect("an id");
        Node { id, origins: Vec::new(), params: serde_json::json!({}), common: model::Common::default() }
    }

    fn edge(from: usize, to: usize, kind: EdgeKind) -> Edge {
        Edge { from, to, kind, because: "auto".to_owned() }
    }

    #[test]
    fn every_node_and_edge_is_drawn_and_names_are_escaped() {
        let nodes = vec![node("package.nginx"), node("file./a<b&\"c\u{1b}"), node("service.nginx")];
        let edges =
            vec![edge(0, 1, EdgeKind::Require), edge(0, 2, EdgeKind::Require), edge(1, 2, EdgeKind::Notify)];
        let picture = svg(&Catalog::new(nodes, edges).expect("a catalog"));
        assert!(picture.contains("/a&lt;b&amp;&quot;c\\u{1b}") && !picture.contains('\u{1b}'), "{picture}");
        assert_eq!((picture.matches("<g>").count(), picture.matches("<path d=\"M").count()), (3, 4));
        assert_eq!(picture.matches("stroke-dasharray").count(), 1);
    }

    #[test]
    fn nothing_to_draw_and_long_names_are_fine() {
        assert!(svg(&Catalog::default()).ends_with("</svg>\n"));
        let short = shortened(&format!("/{}/end", "é".repeat(100)));
        assert!(short.chars().count() == 44 && short.ends_with("é/end") && short.contains('…'), "{short}");
    }
}
