//! What a child wrote, of which the beginning and the end are kept, however much it was.
//! It must not interpret the bytes; what is shown to people has its control characters escaped here.

use std::collections::VecDeque;

/// How many bytes of one stream are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cap {
    /// From the beginning.
    pub head: usize,
    /// From the end.
    pub tail: usize,
}

impl Default for Cap {
    /// 64 KiB each.
    fn default() -> Self {
        Self { head: 64 << 10, tail: 64 << 10 }
    }
}

/// One captured stream.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Capture {
    cap: Cap,
    head: Vec<u8>,
    tail: VecDeque<u8>,
    dropped: u64,
}

impl Capture {
    pub(super) fn new(cap: Cap) -> Self {
        Self { cap, ..Self::default() }
    }

    pub(super) fn push(&mut self, bytes: &[u8]) {
        let room = self.cap.head - self.head.len();
        let (first, rest) = bytes.split_at(room.min(bytes.len()));
        self.head.extend_from_slice(first);
        self.tail.extend(rest);
        let excess = self.tail.len().saturating_sub(self.cap.tail);
        self.tail.drain(..excess);
        self.dropped += excess as u64;
    }

    /// How many bytes between beginning and end were thrown away.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// What was kept from the beginning.
    #[must_use]
    pub fn beginning(&self) -> &[u8] {
        &self.head
    }

    /// What was kept up to the end: all of it, where none was thrown away.
    #[must_use]
    pub fn end(&self) -> Vec<u8> {
        self.complete().unwrap_or_else(|| self.tail.iter().copied().collect())
    }

    /// All that was written; `None` if some of it was thrown away, so that nobody parses half an answer.
    #[must_use]
    pub fn complete(&self) -> Option<Vec<u8>> {
        (self.dropped == 0)
            .then(|| [self.head.as_slice(), &self.tail.iter().copied().collect::<Vec<u8>>()].concat())
    }

    /// For people: what was kept, with a note of what was not, safe to print.
    #[must_use]
    pub fn printable(&self) -> String {
        let tail: Vec<u8> = self.tail.iter().copied().collect();
        if self.dropped == 0 {
            return printable(&[self.head.as_slice(), &tail].concat());
        }
        format!("{}\n[{} bytes left out]\n{}", printable(&self.head), self.dropped, printable(&tail))
    }

    /// For error messages: the last lines, safe to print, at most 2 KiB.
    #[must_use]
    pub fn last_words(&self) -> String {
        const MOST: usize = 2048;
        let kept: Vec<u8> = self.head.iter().chain(&self.tail).copied().collect();
        let text = printable(&kept[kept.len().saturating_sub(MOST)..]);
        let text = text.trim_end();
        match text.rmatch_indices('\n').nth(9) {
            Some((newline, _)) => text[newline + 1..].to_owned(),
            None => text.to_owned(),
        }
    }
}

/// Makes bytes of a host safe to print: escape sequences for terminals are taken out, other control characters and the marks that
/// change the direction of writing are escaped, bytes that are not UTF-8 become U+FFFD. Newline and tab stay.
#[must_use]
pub fn printable(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(character) = chars.next() {
        match character {
            '\n' | '\t' => out.push(character),
            '\r' if chars.peek() == Some(&'\n') => {}
            // ECMA-48, 5.4: a control sequence is ESC [, parameters, and one final byte from @ to ~.
            '\u{1b}' if chars.peek() == Some(&'[') => {
                chars.next();
                while chars.next_if(|next| (' '..='?').contains(next)).is_some() {}
                chars.next_if(|last| ('@'..='~').contains(last));
            }
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' => {
                out.extend(character.escape_unicode());
            }
            control if control.is_control() => out.extend(control.escape_default()),
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{Cap, Capture, printable};

    #[test]
    fn keeps_the_beginning_and_the_end() {
        let mut capture = Capture::new(Cap { head: 3, tail: 4 });
        capture.push(b"abcd");
        assert_eq!(capture.complete(), Some(b"abcd".to_vec()));
        capture.push(b"efghijk");
        assert_eq!((capture.complete(), capture.dropped()), (None, 4));
        assert_eq!(capture.end(), b"hijk");
        assert_eq!(capture.printable(), "abc\n[4 bytes left out]\nhijk");
    }

    #[test]
    fn last_words_are_the_last_ten_lines() {
        let mut capture = Capture::new(Cap::default());
        (0..30).for_each(|line| capture.push(format!("{line}\n").as_bytes()));
        assert_eq!(capture.last_words().lines().next(), Some("20"));
        assert_eq!(capture.last_words().lines().last(), Some("29"));
    }

    #[test]
    fn takes_the_sting_out_of_host_output() {
        assert_eq!(printable(b"\x1b[31;1mred\x1b[0m\r\nnext\ttab"), "red\nnext\ttab");
        assert_eq!(printable(b"a\rb\x07\x1b]0;title\x07\xff"), "a\\rb\\u{7}\\u{1b}]0;title\\u{7}\u{fffd}");
        assert_eq!(printable("x\u{202e}y".as_bytes()), "x\\u{202e}y");
    }
}
