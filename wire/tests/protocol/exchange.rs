//! An exchange that was written down: a line a message, replayed through the two sides that judge it. `docs/protocol.md` says
//! what the lines are.

use serde_json::Value;
use std::fmt::Debug;
use wire::{ControllerSide, Down, Frame, Heard, HostSide, Inbox, Message, Up, encode};

/// One line, and what has to come of it.
#[derive(Debug)]
pub struct Line<'a> {
    pub said: Said<'a>,
    /// The words of the refusal.
    pub breach: Option<&'a str>,
    /// What it is taken for, where that is not what it says.
    pub means: Option<&'a str>,
}

/// Who said what.
#[derive(Debug)]
pub enum Said<'a> {
    Host(&'a str),
    Controller(&'a str),
    /// Bytes in a frame of the controller's.
    Bytes(Vec<u8>),
    /// Bytes of the host's, in no frame.
    Raw(Vec<u8>),
}

/// The lines of one exchange.
pub fn lines(text: &str) -> Vec<Line<'_>> {
    let mut lines: Vec<Line<'_>> = Vec::new();
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (word, rest) = line.split_once(' ').unwrap_or_else(|| panic!("`{line}` says nothing"));
        let said = match (word, rest.split_once(' ')) {
            ("breach" | "means", _) => {
                let last = lines.last_mut().expect("something stands before it");
                let slot = if word == "breach" { &mut last.breach } else { &mut last.means };
                *slot = Some(rest);
                continue;
            }
            ("host", Some(("raw", hex))) => Said::Raw(unhex(hex)),
            ("host", _) => Said::Host(rest),
            ("controller", None) if rest == "bytes" => Said::Bytes(Vec::new()),
            ("controller", Some(("bytes", hex))) => Said::Bytes(unhex(hex)),
            ("controller", _) => Said::Controller(rest),
            _ => panic!("`{line}` is no line of an exchange"),
        };
        lines.push(Line { said, breach: None, means: None });
    }
    lines
}

fn unhex(hex: &str) -> Vec<u8> {
    assert!(hex.len().is_multiple_of(2), "{hex}");
    let digits = hex.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).expect("hex"));
    digits.map(|pair| u8::from_str_radix(pair, 16).expect("hex")).collect()
}

/// The exchange's bytes in one direction.
pub fn stream(lines: &[Line<'_>], is_wanted: impl Fn(&Said<'_>) -> bool) -> Vec<u8> {
    lines.iter().filter(|line| is_wanted(&line.said)).flat_map(|line| bytes(&line.said)).collect()
}

fn bytes(said: &Said<'_>) -> Vec<u8> {
    let frame = match said {
        Said::Raw(bytes) => return bytes.clone(),
        Said::Bytes(bytes) => Frame::Bytes(bytes.clone()),
        Said::Host(text) | Said::Controller(text) => Frame::Message(text.as_bytes().to_vec()),
    };
    encode(&frame).expect("it is not too long")
}

/// Both sides, and what has come to each.
#[derive(Default)]
pub struct Replay {
    host: HostSide,
    controller: ControllerSide,
    down: Inbox<Down>,
    up: Inbox<Up>,
}

impl Replay {
    /// Says all lines; panics where one is not taken as it has to be.
    pub fn run(mut self, lines: &[Line<'_>]) {
        let is_broken = lines.iter().any(|line| line.breach.is_some());
        for line in lines {
            let taken = self.say(&line.said);
            let refused = taken.as_ref().err().map(String::as_str);
            assert_eq!(refused, line.breach, "{line:?}");
            let (Ok(Some(taken)), Said::Host(text) | Said::Controller(text)) = (taken, &line.said) else {
                continue;
            };
            let meant: Value = serde_json::from_str(line.means.unwrap_or(text)).expect("JSON");
            assert_eq!(taken, meant);
        }
        assert!(is_broken || self.controller.is_done(), "the exchange has no end");
    }

    /// What the message is taken for, or why it is refused.
    fn say(&mut self, said: &Said<'_>) -> Result<Option<Value>, String> {
        let words = |error: &dyn std::fmt::Display| error.to_string();
        if matches!(said, Said::Host(_) | Said::Raw(_)) {
            let Some(heard) = hear(&mut self.up, &bytes(said))? else { return Ok(None) };
            let up = self.controller.take(heard).map_err(|error| words(&error))?;
            match &up {
                Up::Want(digests) => self.host.wants(digests),
                Up::Question => self.host.asks(),
                _ => {}
            }
            return Ok(Some(serde_json::to_value(up).expect("JSON")));
        }
        let Some(heard) = hear(&mut self.down, &bytes(said))? else { return Ok(None) };
        let value = match &heard {
            Heard::Bytes(_) => None,
            Heard::Message(down) => {
                match down {
                    Down::Order(order) => self.controller.orders(order),
                    Down::Answer { yes: true } => self.controller.commits(),
                    _ => {}
                }
                Some(serde_json::to_value(down).expect("JSON"))
            }
        };
        self.host.take(heard).map_err(|error| words(&error))?;
        Ok(value)
    }
}

fn hear<M: Message + Debug>(inbox: &mut Inbox<M>, bytes: &[u8]) -> Result<Option<Heard<M>>, String> {
    inbox.feed(bytes);
    inbox.heard().map_err(|error| error.to_string())
}
