//! What a view is told of the work on machines, and which view there is. Calls come from several threads.

use super::json::Json;
use super::many::Many;
use super::one::One;
use super::out::Streams;
use crate::exit::Class;
use crate::format::Format;
use fleet::{End, Stage};
use model::{Diagnostic, Event, Facts};
use std::collections::BTreeMap;
use wire::Reply;

/// What people are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// A plan, and nothing is done.
    Forecast,
    /// A plan, a question, then a line a resource.
    Asked,
    /// No question: each resource in full when it is settled.
    Straight,
    /// A line a resource; what comes of it is told at the end.
    Rehearsal,
    /// What was asked for, and no run.
    Answer,
}

/// A view. `host` is always a name of ours.
pub trait Show: Send + Sync {
    /// How far the work on a host has come.
    fn stage(&self, host: &str, stage: Stage);
    /// What a host says of itself, where that was asked for.
    fn facts(&self, host: &str, facts: &Facts);
    /// An event.
    fn event(&self, host: &str, event: &Event);
    /// An answer that is no event.
    fn reply(&self, host: &str, reply: &Reply);
    /// Something about the work on a host.
    fn note(&self, host: &str, text: &str);
    /// What is wrong with the input, for this host.
    fn wrong(&self, host: &str, found: &[Diagnostic]);
    /// The last word about a host; `nodes` resources were meant.
    fn ended(&self, host: &str, end: &End, nodes: u64);
    /// All that is to be known before a question: every host is among those that `ended`, or is `waiting` for the answer.
    fn before_question(&self, waiting: &[String], ended: &Sorted);
    /// The last word: the hosts by what became of them.
    fn finish(&self, sorted: &Sorted);
}

/// Hosts by what became of them, in the order in which they were meant.
pub type Sorted = BTreeMap<Class, Vec<String>>;

/// The view of work on this machine.
pub fn here(format: Format, manner: Manner) -> Box<dyn Show> {
    match format {
        Format::Human => Box::new(One::new(None, manner)),
        Format::Json => Box::new(Json::here(manner)),
    }
}

/// The view of work on hosts.
pub fn there(format: Format, manner: Manner, hosts: &[String]) -> Box<dyn Show> {
    match (format, hosts) {
        (Format::Json, _) => Box::new(Json::there(manner)),
        (Format::Human, [one]) => Box::new(One::new(Some(one.clone()), manner)),
        (Format::Human, many) => Box::new(Many::new(many, manner, Box::new(Streams))),
    }
}
