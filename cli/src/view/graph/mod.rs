//! Drawings of a catalog: text for Graphviz and Mermaid, and a picture of our own.

mod dot;
mod layout;
mod mermaid;
mod svg;

pub use dot::dot;
pub use mermaid::mermaid;
pub use svg::svg;
