//! One line that tells a waiting person what is being worked on. Only on a terminal; it leaves nothing behind.

use super::out::{inert, raw};
use std::io::IsTerminal;

/// The line, and what it counts.
pub struct Progress {
    shown: bool,
    live: bool,
    settled: usize,
    expected: usize,
}

impl Default for Progress {
    fn default() -> Self {
        let live = std::io::stderr().is_terminal();
        Self { shown: false, live, settled: 0, expected: 0 }
    }
}

/// Longest text of the line, in characters: a line that wraps cannot be wiped.
const LONGEST: usize = 70;

impl Progress {
    /// So many nodes will be settled.
    pub fn expect(&mut self, nodes: usize) {
        self.expected = nodes;
    }

    /// One more is.
    pub fn settled(&mut self) {
        self.settled += 1;
    }

    /// This one is being worked on.
    pub fn working(&mut self, id: &str) {
        if !self.live || self.expected == 0 {
            return;
        }
        let text =
            inert(&format!("{} of {}: {id}", self.settled + 1, self.expected)).replace(['\n', '\t'], " ");
        let text: String = text.chars().take(LONGEST).collect();
        raw(&format!("\r\u{1b}[2K{text}"));
        self.shown = true;
    }

    /// Wipes the line, before something else is printed.
    pub fn clear(&mut self) {
        if std::mem::take(&mut self.shown) {
            raw("\r\u{1b}[2K");
        }
    }
}
