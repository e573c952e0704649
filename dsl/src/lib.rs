//! stub

mod nearest;

pub mod template;
