//! Everything as JSON, a line each. Of hosts each line begins with the host's name.

use super::out::{is_active, line, note};
use super::show::{Manner, Show, Sorted};
use super::{drift, history, wrong};
use crate::clock;
use crate::exit::CLASSES;
use fleet::{End, Stage};
use model::{Diagnostic, Event, EventBody, Facts, Report};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use wire::{Ending, Reply};

/// Prints lines of JSON.
pub struct Json {
    form: Form,
    manner: Manner,
    hosts: Mutex<BTreeMap<String, Told>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// The same bytes as in the log of the run.
    Here,
    /// With the name of the host.
    There,
}

/// What has been told of a host.
#[derive(Default)]
struct Told {
    next: u64,
    is_reported: bool,
}

impl Json {
    /// Of this machine.
    pub fn here(manner: Manner) -> Self {
        Self { form: Form::Here, manner, hosts: Mutex::default() }
    }

    /// Of hosts.
    pub fn there(manner: Manner) -> Self {
        Self { form: Form::There, manner, hosts: Mutex::default() }
    }

    /// Prints `text`, which is a JSON object with members.
    fn line(&self, host: &str, text: &str) {
        match self.form {
            Form::Here => line(text),
            Form::There => line(&named(host, text)),
        }
    }

    /// An event of our own about a host: none of its own comes after it.
    fn own(&self, host: &str, body: EventBody) {
        let seq = self.with(host, |told| told.next);
        self.event(host, &Event { at: clock::now(), seq, body });
    }

    fn with<T>(&self, host: &str, act: impl FnOnce(&mut Told) -> T) -> T {
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        act(hosts.entry(host.to_owned()).or_default())
    }
}

impl Show for Json {
    fn stage(&self, _: &str, _: Stage) {}

    fn facts(&self, host: &str, facts: &Facts) {
        let text = match self.form {
            Form::Here => serde_json::to_string(facts),
            Form::There => serde_json::to_string(&json!({ "event": "facts", "facts": facts })),
        };
        match text {
            Ok(text) => self.line(host, &text),
            Err(error) => note(&format!("facts cannot be shown: {error}")),
        }
    }

    fn event(&self, host: &str, event: &Event) {
        self.with(host, |told| {
            told.next = event.seq + 1;
            // After a run that was attached to first, the work of this call begins anew.
            told.is_reported &= !matches!(event.body, EventBody::Plan(_));
            told.is_reported |= matches!(event.body, EventBody::Report(_));
        });
        match serde_json::to_string(event) {
            Ok(text) => self.line(host, &text),
            Err(error) => note(&format!("an event cannot be shown: {error}")),
        }
    }

    fn reply(&self, host: &str, reply: &Reply) {
        match reply {
            Reply::History(runs) => history::list_json(runs).iter().for_each(|text| self.line(host, text)),
            // They have a view of their own, or none.
            Reply::Checks(_) | Reply::Drill(_) | Reply::Settings(_) => {}
            Reply::Drift(found) => drift::lines_json(found).iter().for_each(|text| self.line(host, text)),
            Reply::Keeping(keeping) => self.line(host, &super::kept::json(keeping).to_string()),
            Reply::Locks(locks) => locks.iter().for_each(|lock| {
                let mut text = json!(lock);
                text["event"] = json!("lock");
                self.line(host, &text.to_string());
            }),
            Reply::Run { status, damage, after } => {
                history::one_json(status, after).iter().for_each(|text| self.line(host, text));
                if let Some(text) = damage {
                    self.line(host, &json!({ "event": "error", "text": text }).to_string());
                }
            }
        }
    }

    fn note(&self, host: &str, text: &str) {
        self.line(host, &json!({ "event": "push", "at": clock::now(), "text": text }).to_string());
    }

    fn wrong(&self, host: &str, found: &[Diagnostic]) {
        found.iter().for_each(|one| self.line(host, &wrong::json(one)));
    }

    fn ended(&self, host: &str, end: &End, nodes: u64) {
        let text = match end {
            End::Ended(Ending::Refused(failure)) => failure.to_string(),
            End::Ended(_) => return,
            End::Trouble(trouble) => trouble.to_string(),
            End::Refused(why) => why.clone(),
        };
        if self.manner == Manner::Answer {
            return self.line(host, &json!({ "event": "error", "text": text }).to_string());
        }
        self.own(host, EventBody::Error { text });
        if !self.with(host, |told| told.is_reported) {
            self.own(host, EventBody::Report(Report { unknown: nodes, ..Report::default() }));
        }
    }

    fn before_question(&self, _: &[String], _: &Sorted) {}

    fn finish(&self, sorted: &Sorted) {
        if self.form == Form::Here {
            return;
        }
        let classes =
            CLASSES.iter().map(|class| (class.word(), sorted.get(class).cloned().unwrap_or_default()));
        let lists: String =
            classes.map(|(word, names)| format!(",\"{word}\":{}", Value::from(names))).collect();
        line(&format!("{{\"event\":\"fleet\"{lists}}}"));
    }
}

/// The object with the host's name as its first member, and with nothing in it that steers a terminal: the same JSON, escaped.
fn named(host: &str, text: &str) -> String {
    let mut out = format!("{{\"host\":{},", Value::from(host));
    for character in text.strip_prefix('{').unwrap_or(text).chars() {
        if is_active(character) {
            out.push_str(&format!("\\u{:04x}", u32::from(character)));
        } else {
            out.push(character);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::named;

    #[test]
    fn a_line_begins_with_the_host_and_steers_no_terminal() {
        let text = "{\"event\":\"note\",\"text\":\"a\u{9b}2J\u{202e}\u{7f}\"}";
        let line = named("web1", text);
        assert_eq!(line, r#"{"host":"web1","event":"note","text":"a\u009b2J\u202e\u007f"}"#);
        let (read, plain): (serde_json::Value, serde_json::Value) =
            (serde_json::from_str(&line).unwrap(), serde_json::from_str(text).unwrap());
        assert_eq!(read["text"], plain["text"]);
    }
}
