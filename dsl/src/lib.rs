//! stub

mod nearest;

pub mod expr;
pub mod template;
