//! Puts figures, chart and tables where people read them: into `docs/performance/`, and between two marks of `docs/performance.md`.

use crate::figures::Figures;
use crate::{chart, table};
use anyhow::Context;
use std::fs;
use std::path::PathBuf;

const BEGIN: &str = "<!-- cargo xtask bench writes from here -->\n";
const END: &str = "<!-- to here -->\n";
const CHART: &str =
    "![Wall times of the workloads, keel's and others', on a logarithmic scale](performance/chart.svg)";

/// Writes the page from figures.
#[derive(clap::Args)]
pub struct Page {
    /// Where `performance.md` is, and `performance/figures.json`.
    #[arg(long, default_value = "docs")]
    docs: PathBuf,
}

/// What `bench page` does.
pub fn write(page: &Page) -> anyhow::Result<()> {
    let path = page.docs.join("performance/figures.json");
    let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    put(page, &serde_json::from_str(&text)?)
}

/// Writes figures and all that is made of them.
pub fn put(page: &Page, figures: &Figures) -> anyhow::Result<()> {
    let directory = page.docs.join("performance");
    fs::create_dir_all(&directory)?;
    fs::write(directory.join("figures.json"), serde_json::to_string(figures)? + "\n")?;
    fs::write(directory.join("chart.svg"), chart::svg(figures))?;
    let path = page.docs.join("performance.md");
    let old = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    let new = between(&old, &table::markdown(figures))
        .with_context(|| format!("{} has no marks", path.display()))?;
    fs::write(&path, new)?;
    println!("{}", table::markdown(figures));
    Ok(())
}

impl Page {
    /// The one in this directory.
    pub fn of(docs: PathBuf) -> Self {
        Self { docs }
    }
}

/// The page with other tables between the marks.
fn between(page: &str, tables: &str) -> Option<String> {
    let (before, rest) = page.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}\n{CHART}\n\n{tables}\n{END}{after}"))
}

#[cfg(test)]
mod tests {
    use super::{BEGIN, CHART, END, between};

    #[test]
    fn only_what_is_between_the_marks_is_written() {
        let page = |inside: &str| format!("head\n{BEGIN}{inside}{END}foot\n");
        assert_eq!(between(&page("old\n"), "new\n"), Some(page(&format!("\n{CHART}\n\nnew\n\n"))));
        assert_eq!(between("no marks\n", "new\n"), None);
    }
}
