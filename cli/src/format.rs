//! How results are printed: for people, or for programs.

use clap::ValueEnum;

/// How to print.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Human,
    /// JSON lines, one event a line; the last one is the report.
    Json,
}
